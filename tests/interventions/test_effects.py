import numpy as np
import pandas as pd
import pytest

from polyroute.interventions.effects import HELPED, FindingsError, beside_the_pivot, compared, judge
from polyroute.interventions.plans import BASELINE, Condition
from polyroute.steering.plan import Plan

PLAN = Plan(model="tiny", experts_per_layer=8, top_k=2, rule="soft", strength=0.5, experts={1: (1,)})
CONDITIONS = [
    BASELINE,
    Condition("chosen", "chosen", PLAN),
    Condition("random0", "random", PLAN, draw=0),
    Condition("random1", "random", PLAN, draw=1),
]
DRAWING = {"pivot": "eng_Latn", "resamples": 400, "confidence": 0.95, "seed": 0}
ITEMS = 60


def answers(rights: dict[str, float], written: str | None = None) -> pd.DataFrame:
    """The first share of items right in each language."""
    rows = [(f"i{n:02d}", language, n < right * ITEMS) for language, right in rights.items() for n in range(ITEMS)]
    table = pd.DataFrame(rows, columns=["item_id", "language", "correct"])
    return table if written is None else table.assign(output_language=written)


BASE = answers({"eng_Latn": 0.9, "deu_Latn": 0.5, "swh_Latn": 0.2})
BETTER = answers({"eng_Latn": 0.85, "deu_Latn": 0.8, "swh_Latn": 0.4})
SAME = answers({"eng_Latn": 0.9, "deu_Latn": 0.5, "swh_Latn": 0.2})


def test_every_condition_is_set_against_the_baseline() -> None:
    table = compared(CONDITIONS, {"baseline": BASE, "chosen": BETTER, "random0": SAME, "random1": SAME}, **DRAWING)
    assert set(table["condition"]) == {"chosen", "random0", "random1"}
    rows = table[table["condition"] == "chosen"].set_index("over")
    assert rows.loc["deu_Latn", "difference"] == pytest.approx(0.3)
    assert (rows.loc["deu_Latn", "gained"], rows.loc["deu_Latn", "lost"]) == (18, 0)
    assert rows.loc[HELPED, "difference"] == pytest.approx(0.25), "the pivot is not among those to be helped"
    assert rows.loc["eng_Latn", "difference"] == pytest.approx(-0.05)
    pooled = table[table["over"] == HELPED].set_index("condition")
    assert pooled.loc["chosen", "q"] == pytest.approx(3 * pooled.loc["chosen", "p"])
    assert np.isnan(table["moved"]).all()


def test_a_plan_helps_if_it_beats_the_baseline_and_random_experts() -> None:
    given = {"baseline": BASE, "chosen": BETTER, "random0": SAME, "random1": SAME}
    verdict = judge(compared(CONDITIONS, given, **DRAWING), "chosen", "eng_Latn")
    assert (verdict.helps, verdict.beyond_random, verdict.words) == (True, True, "yes")
    assert verdict.rank_p == pytest.approx(1 / 3)
    assert verdict.pivot_loss == pytest.approx(0.05)
    verdict = judge(compared(CONDITIONS, given | {"random1": BETTER}, **DRAWING), "chosen", "eng_Latn")
    assert (verdict.helps, verdict.beyond_random, verdict.words) == (True, False, "no: random experts do as well")
    verdict = judge(compared(CONDITIONS, given | {"chosen": SAME}, **DRAWING), "chosen", "eng_Latn")
    assert verdict.words == "no: not told from the baseline"


def test_a_change_of_output_language_is_counted() -> None:
    given = {
        "baseline": BASE.assign(output_language=BASE["language"]),
        "chosen": BETTER.assign(output_language=np.where(BETTER["item_id"] < "i15", "eng_Latn", BETTER["language"])),
    }
    rows = compared(CONDITIONS[:2], given, **DRAWING).set_index("over")["moved"]
    assert rows["deu_Latn"] == pytest.approx(0.25)
    assert rows["eng_Latn"] == 0
    assert rows[HELPED] == pytest.approx(0.25)


def test_items_by_what_the_pivot_knows() -> None:
    found = beside_the_pivot(BASE, "eng_Latn").set_index("language")
    assert list(found.index) == ["deu_Latn", "swh_Latn"]
    row = found.loc["deu_Latn"]
    assert (row["both"], row["pivot_only"], row["language_only"], row["neither"]) == pytest.approx((0.5, 0.4, 0, 0.1))
    with pytest.raises(FindingsError, match="no answers in fra_Latn"):
        beside_the_pivot(BASE, "fra_Latn")


def test_missing_conditions_are_named() -> None:
    with pytest.raises(FindingsError, match="random0, random1"):
        compared(CONDITIONS, {"baseline": BASE, "chosen": BETTER}, **DRAWING)
    table = compared(CONDITIONS[:2], {"baseline": BASE, "chosen": BETTER}, **DRAWING)
    with pytest.raises(FindingsError, match="random controls were not run"):
        judge(table, "chosen", "eng_Latn")

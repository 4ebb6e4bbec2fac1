"""Every cell of a small study, held against the board and against what one choice does alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from claims.made import ENTRY, committed
from multiverse.made import CODES, MODEL, SETTINGS, run, write
from polyroute.claims.claim import Claim, Claims
from polyroute.ground.paths import Paths
from polyroute.measures.divergence import routing_divergence
from polyroute.multiverse import run as over_cells
from polyroute.multiverse.grid import Choice, MultiverseError
from polyroute.multiverse.read import board, read_study
from polyroute.multiverse.run import RECOMPUTED, Recomputed, multiverse, of_claim
from polyroute.multiverse.settings import MultiverseSettings
from polyroute.multiverse.study import Study
from polyroute.results.claims import ClaimsSummary
from polyroute.results.multiverse import MultiverseMetrics, MultiverseRow, MultiverseSummary

CLAIMS = committed()


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> Paths:
    return write(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def study(paths: Paths) -> Study:
    settings = {"name": MODEL, "seed": 3, "languages": CODES} | SETTINGS["multiverse"]
    return read_study(MultiverseSettings.model_validate(settings), paths, CLAIMS)


@pytest.fixture(scope="module")
def found(study: Study, paths: Paths) -> tuple[pd.DataFrame, MultiverseSummary]:
    rows, summary = multiverse(study, CLAIMS, board(paths.metrics(MODEL)))
    return rows, MultiverseSummary.model_validate(summary)


@pytest.mark.parametrize("name", list(RECOMPUTED))
def test_the_studys_own_cell_is_the_verdict_of_the_board(name: str, found, paths: Paths) -> None:
    verdict = ClaimsSummary.read(paths.metrics(MODEL)).claims[name]
    one, rows = found[1].claims[name], found[0]
    own = rows[(rows["claim"] == name) & (rows["cell"] == 0)].iloc[0]
    assert one.base == one.board == verdict.alone == own["verdict"]
    assert verdict.effect is not None, "a study that says nothing shows nothing"
    assert own["effect"] == pytest.approx(verdict.effect, abs=2e-4)
    for bound, known in ((own["low"], verdict.low), (own["high"], verdict.high)):
        assert (known is None and np.isnan(bound)) or bound == pytest.approx(known, abs=2e-4)
    for held, known in zip(("holding", "failing"), (True, False), strict=True):
        assert own[held] == sum(one.holds is known for one in verdict.replicated_if)


def test_at_least_twelve_choices_vary_over_the_claims(found) -> None:
    varied = {one.choice for claim in found[1].claims.values() for one in claim.choices if len(one.levels) > 1}
    assert len(varied) >= 12, sorted(varied)


def test_each_claim_has_every_combination_once(found) -> None:
    rows, summary = found
    for name, one in summary.claims.items():
        names = [choice.choice for choice in one.choices]
        cells = rows.loc[rows["claim"] == name, names]
        assert len(cells) == one.cells == np.prod([len(choice.levels) for choice in one.choices])
        assert not cells.duplicated().any()
        assert sum(one.verdicts.values()) == one.cells
        shares = [choice.effect for choice in one.choices if choice.effect is not None]
        assert sum(shares) <= 1 + 1e-3 or rows.loc[rows["claim"] == name, "effect"].isna().any()


def test_a_group_of_languages_is_a_choice_where_it_leaves_enough(study: Study) -> None:
    groups = {"western": CODES[1:7], "few": CODES[1:4], "all of them": CODES[1:], "again": CODES[1:7]}
    settings = study.settings.model_copy(update={"groups": groups})
    assert replace(study, settings=settings, kept={}).languages.levels == ("all", "western")


def test_a_cell_is_computed_by_its_choices(study: Study, found) -> None:
    # D of pooled counts from German, middle without its last layer: by hand.
    rows = found[0]
    cell = {
        "reading": "topk_count", "averaging": "pooled", "distance": "divergence", "zones": "rise", "languages": "all",
        "numbering": "last_excluded", "unit": "language", "pivot": "deu_Latn",
    }  # fmt: skip
    mine = rows[(rows["claim"] == "p1.u_shape") & (rows[list(cell)] == pd.Series(cell)).all(axis=1)]
    counts = {code: study.of(code).topk_count.sum(axis=0, dtype=np.int64).astype(float) for code in CODES}
    q = {code: of_LE / of_LE.sum(axis=-1, keepdims=True) for code, of_LE in counts.items()}
    late = []
    for code in CODES:
        if code != "deu_Latn":
            d_L = routing_divergence(q["deu_Latn"], q[code])
            # 0.375 of 10 layers are 4 at either end, so that the middle is 4 and 5, and 4 alone without the last
            late.append(d_L[6:].mean() - d_L[4])
    assert mine["effect"].tolist() == [pytest.approx(np.mean(late), abs=1e-4)]


def test_what_a_cell_lacks_is_said_and_never_counts_as_found(found) -> None:
    rows, summary = found
    cells = rows[rows["claim"] == "p1.u_shape"]
    assert "random_init.em" in summary.claims["p1.u_shape"].unknown
    assert not (cells["unknown"].str.contains("random_init") & (cells["verdict"] == "replicated")).any()


def test_every_other_claim_says_why_it_has_one_verdict(found) -> None:
    summary = found[1]
    assert {*summary.claims, *summary.single} == set(CLAIMS.by_id)
    assert summary.single["p1.gain.qwen3.mgsm"] == "needs_answers"
    assert summary.single["own.token_identity"] == "not_recomputed"


def test_open_choices_that_take_another_run_are_listed(found) -> None:
    elsewhere = {one.choice: one for one in found[1].claims["p1.no_overlap"].elsewhere}
    assert (elsewhere["chat"].here, elsewhere["chat"].stage) == ("no", "trace")
    assert elsewhere["task_text"].here == "plain"
    assert "accuracy" in {one.choice for one in found[1].claims["p1.correlation"].elsewhere}


def test_a_verdict_that_hangs_on_one_choice_says_so(study: Study, monkeypatch) -> None:
    # x is 1 with one level of `tau` and -1 with the other; `k` adds nothing. So tau has all of the variance.
    claim = Claim.model_validate(ENTRY | {"replicated_if": ["x > 0"], "not_replicated_if": ["x < 0"]})

    def answer(_study, cell, found) -> None:
        found.put("x", 1.0 if cell["tau"] == "0.3" else -1.0)

    how = Recomputed(lambda _: [Choice("tau", ("0.3", "0.5")), Choice("k", ("15", "20"))], answer, ())
    monkeypatch.setitem(over_cells.RECOMPUTED, claim.id, how)
    rows, summary = of_claim(study, claim, "replicated")
    assert rows["verdict"].tolist() == ["replicated", "replicated", "not_replicated", "not_replicated"]
    assert summary["flips"] == [{"choice": "tau", "level": "0.5", "verdict": "not_replicated"}]
    assert [(one["choice"], one["effect"], one["holding"]) for one in summary["choices"]] == [
        ("tau", 1.0, 1.0), ("k", 0.0, 0.0),
    ]  # fmt: skip
    assert (summary["replicated"], summary["same_sign"], summary["lowest"], summary["highest"]) == (0.5, 0.5, -1, 1)


def test_thresholds_are_those_of_the_claim(study: Study) -> None:
    claim = CLAIMS.get("p2.families")
    always, never = ["beyond.middle.value > -2"], ["beyond.middle.value > 2"]
    strict = Claim.model_validate(claim.model_dump() | {"replicated_if": always, "not_replicated_if": never})
    assert of_claim(study, strict, None)[1]["replicated"] == 1


def test_a_claim_that_is_not_recomputed_is_refused(study: Study) -> None:
    with pytest.raises(MultiverseError, match=r"own.token_identity has no multiverse on tiny"):
        of_claim(study, CLAIMS.get("own.token_identity"), None)


def test_a_model_without_tasks_lacks_what_some_claims_are_of(study: Study) -> None:
    settings = study.settings.model_copy(update={"tasks": {}})
    only = Claims({"p1.no_overlap": CLAIMS.get("p1.no_overlap")}, {})
    rows, summary = multiverse(replace(study, settings=settings, kept={}), only, {})
    assert summary["single"] == {"p1.no_overlap": "no_data"}
    assert rows.empty


def test_the_stage_writes_the_same_bytes_twice(paths: Paths, monkeypatch) -> None:
    few = {name: RECOMPUTED[name] for name in ("p1.entropy_by_depth", "p2.families")}
    monkeypatch.setattr(over_cells, "RECOMPUTED", few)
    folder = paths.metrics(MODEL)
    said = run(paths.root, "multiverse")
    assert said.startswith("multiverse@tiny: p1.entropy_by_depth: ")
    files = (MultiverseRow.file, MultiverseSummary.file, MultiverseMetrics.file)
    before = [(folder / name).read_bytes() for name in files]
    run(paths.root, "multiverse")
    assert [(folder / name).read_bytes() for name in files] == before
    assert MultiverseMetrics.read(folder).base_agrees == 1
    assert set(MultiverseRow.read(folder)["claim"]) == set(few)

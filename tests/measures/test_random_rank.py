import pytest

from polyroute.measures.random_rank import ranked, table, unranked
from polyroute.measures.routing_summary import Reading
from polyroute.results.nulls import NullRow, NullsMetrics, NullsSummary


def read(middle: float, early: float) -> list[Reading]:
    return [
        Reading("alignment_middle", None, middle), Reading("early_minus_middle", None, early),
        Reading("alignment", 4, middle), Reading("divergence", 4, early),
    ]  # fmt: skip


DRAWN = [read(0.01 * draw, 0.1) for draw in range(19)]


def test_ranks_by_hand(tmp_path) -> None:
    # Above all 19 draws: 1 / 20. In early - middle 19 draws tie with the model: 20 / 20.
    NullsSummary.write(tmp_path, ranked("text", read(0.19, 0.1), DRAWN))
    found = NullsSummary.read(tmp_path)
    assert (found.draws, found.attainable_p, found.not_run, found.verdict) == (19, 0.05, None, "beyond_random_init")
    middle, early = found.quantities["alignment_middle"], found.quantities["early_minus_middle"]
    assert (middle.value, middle.median, middle.largest, middle.p) == (0.19, 0.09, 0.18, 0.05)
    assert (early.p, early.verdict) == (1.0, "not_distinguishable")
    assert [(row.layer, row.p) for row in found.alignment] == [(4, 0.05)], "divergence by layer is drawn, not ranked"
    assert NullsMetrics.of(found).root["text"].p == {"alignment_middle": 0.05, "early_minus_middle": 1.0}


def test_a_model_that_one_draw_reaches_is_not_beyond_them() -> None:
    found = ranked("text", read(0.18, 0.1), DRAWN)
    assert (found["verdict"], found["quantities"]["alignment_middle"]["p"]) == ("not_distinguishable", 0.1)


def test_every_value_is_in_the_table(tmp_path) -> None:
    NullRow.write(tmp_path, table(read(0.19, 0.1), DRAWN))
    rows = NullRow.read(tmp_path)
    assert len(rows) == 20 * 4
    own = rows[rows["draw"].isna()]
    assert dict(zip(own["quantity"], own["value"], strict=True))["alignment_middle"] == 0.19
    assert rows[(rows["quantity"] == "alignment") & (rows["draw"] == 3)]["value"].tolist() == [0.03]


def test_a_model_without_random_initialisations_says_why(tmp_path) -> None:
    NullsSummary.write(tmp_path, unranked("text", "recorded"))
    found = NullsSummary.read(tmp_path)
    assert (found.not_run, found.verdict, found.draws, found.attainable_p) == ("recorded", "not_run", 0, 1)
    assert NullsMetrics.of(found).root["text"].p == {}


def test_what_was_read_otherwise_is_refused() -> None:
    with pytest.raises(ValueError, match="read otherwise"):
        ranked("text", read(1, 1), [read(1, 1)[:2]])

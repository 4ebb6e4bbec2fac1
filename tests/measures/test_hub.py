import numpy as np
import pytest
from scipy import stats

from experts.made import make_trace, random_trace
from polyroute.measures import hub as module
from polyroute.measures.hub import balanced_sets, hub
from polyroute.measures.specificity import overlap_of_choices
from polyroute.measures.usage import usage
from polyroute.results.similarity import Hub

CODES = ("eng_Latn", "deu_Latn", "swh_Latn", "tur_Latn", "zho_Hans")
DRAWING = {"confidence": 0.95, "seed": 0}


def hub_traces(codes=CODES, apart=0.0):
    """Languages that use experts of their own in outer layers, and all the same in the middle."""
    found = []
    for place, code in enumerate(codes):
        shift = np.zeros((8, 8))
        shift[[0, 1, 2, 5, 6, 7], place % 8] = 3 + apart * place
        found.append(random_trace(place, 30, 8, shift_LE=shift, language=code))
    return found


def test_a_hub_is_one_in_every_view() -> None:
    found = hub(hub_traces(), **DRAWING)
    Hub.model_validate(found)
    for name in ("overlap_middle_minus_early", "overlap_middle_minus_late"):
        assert found[name]["low"] > 0
        assert found[name]["balanced"] > 0
        assert found[name]["turns_without"] == []
    assert found["specificity_middle_minus_outer"]["high"] < 0


def test_bounds_are_those_of_leaving_out_a_language() -> None:
    traces = hub_traces(apart=0.5)

    def early(kept) -> float:
        overlap_L = overlap_of_choices(usage(kept))
        return overlap_L[3:5].mean() - overlap_L[:3].mean()  # RISE's zones of eight layers

    left_V = np.array([early(traces[:place] + traces[place + 1 :]) for place in range(5)])
    half = stats.t.ppf(0.975, 4) * np.sqrt(4 / 5 * ((left_V - left_V.mean()) ** 2).sum())
    found = hub(traces, **DRAWING)["overlap_middle_minus_early"]
    assert found["value"] == round(early(traces), 4)
    assert found["high"] == pytest.approx(early(traces) + half, abs=1e-4)


def test_balanced_sets_hold_one_of_each_family(monkeypatch: pytest.MonkeyPatch) -> None:
    sets_DV = balanced_sets(["a", "b", "a", "a", "c"], 0)
    assert sets_DV.astype(int).tolist() == [[1, 1, 0, 0, 1], [0, 1, 1, 0, 1], [0, 1, 0, 1, 1]]
    drawn_DV = balanced_sets(["a", "b"] * 20, 0, draws=7)
    assert drawn_DV.shape == (7, 40)
    assert (drawn_DV.sum(axis=1) == 2).all()
    traces = hub_traces(("eng_Latn", "deu_Latn", "swh_Latn"))
    found = hub(traces, **DRAWING)
    assert (found["sets"], found["languages_of_a_set"]) == (2, 2)
    pairs = [hub_of_two([traces[place], traces[2]]) for place in (0, 1)]
    assert found["overlap_middle_minus_early"]["balanced"] == pytest.approx(np.mean(pairs), abs=1e-4)


def hub_of_two(traces) -> float:
    return float(module._differences(usage(traces))[0])


def test_too_few_languages() -> None:
    assert hub(hub_traces(CODES[:2]), **DRAWING) is None
    found = hub(hub_traces(CODES[:4]), **DRAWING)["overlap_middle_minus_early"]
    assert found["low"] is None
    relatives = hub(hub_traces(("eng_Latn", "deu_Latn", "nld_Latn")), **DRAWING)
    assert relatives["overlap_middle_minus_early"]["balanced"] is None, "one family"


def test_a_language_that_turns_the_sign_is_named() -> None:
    alike = [[5, 5, 0, 0]] * 8
    odd = [[5, 5, 0, 0]] * 3 + [[0, 0, 5, 5]] * 2 + [[5, 5, 0, 0]] * 3  # apart from the others in the middle alone
    early = [[5, 4, 1, 0]] * 3 + [[5, 5, 0, 0]] * 5
    rows = {"eng_Latn": alike, "deu_Latn": early, "swh_Latn": odd, "tur_Latn": alike}
    traces = [make_trace([counts], [5], language=code) for code, counts in rows.items()]
    found = hub(traces, **DRAWING)["overlap_middle_minus_early"]
    assert found["value"] < 0
    assert found["turns_without"] == ["swh_Latn"]

import numpy as np
import pytest

from polyroute.ground.layers import Zones
from polyroute.measures.layer_curves import Alignment
from polyroute.measures.routing_summary import SummaryError, spread, summarise
from polyroute.measures.utilisation import utilisation_table
from polyroute.measures.zones import ZoneError
from polyroute.tracing.collect import trace

TEXTS = {
    "eng_Latn": {"a": "hello world", "b": "the fox jumps", "c": "a dog and a cat"},
    "deu_Latn": {"a": "hallo welt", "b": "der fuchs springt", "c": "ein hund und eine katze"},
    "fra_Latn": {"a": "bonjour le monde", "b": "le renard saute", "c": "un chien et un chat"},
}


@pytest.fixture(scope="module")
def traces(model, tokenizer):
    return [trace(model, tokenizer, items, language=language) for language, items in TEXTS.items()]


def test_it_agrees_with_the_curves_of_alignment(traces) -> None:
    pivot = traces[0]
    alignment = Alignment(pivot, resamples=10, confidence=0.95, nearest=5, seed=0)
    curves = [alignment.language(trace) for trace in traces]
    found = {(r.quantity, r.layer): r.value for r in summarise(traces, zones=None, nearest=5, seed=0)}
    for zone in ("early_minus_middle", "late_minus_middle"):
        expected = np.mean([curve.summary[zone]["value"] for curve in curves[1:]])
        assert found[zone, None] == pytest.approx(expected, abs=1e-4)
    aligned_L = np.mean([curve.alignment_L for curve in curves[1:]], axis=0)
    np.testing.assert_allclose([found["alignment", layer] for layer in range(3)], aligned_L, atol=1e-4)
    entropy_VL = []
    for curve in curves:
        rows = curve.rows
        entropy_VL.append(rows[(rows["measure"] == "entropy") & (rows["reading"] == "soft_mass")]["value"].to_numpy())
    pivot_L, others_L = entropy_VL[0], np.mean(entropy_VL[1:], axis=0)
    assert found["entropy_fall_pivot", None] == pytest.approx(pivot_L[0] - pivot_L[2], abs=1e-4)
    steeper = (others_L[0] - others_L[2]) - (pivot_L[0] - pivot_L[2])
    assert found["entropy_fall_steeper", None] == pytest.approx(steeper, abs=2e-4)


def test_the_pivots_own_text_is_aligned_wholly_and_nowhere_apart(traces) -> None:
    found = {(r.quantity, r.layer): r.value for r in summarise(traces[:1] * 2, zones=None, nearest=5, seed=0)}
    assert [found["alignment", layer] for layer in range(3)] == pytest.approx([1, 1, 1], abs=1e-6)
    assert found["early_minus_middle", None] == pytest.approx(0, abs=1e-9)
    assert found["entropy_fall_steeper", None] == 0


def test_what_cannot_be_compared_is_refused(traces) -> None:
    with pytest.raises(SummaryError, match="no language beside it"):
        summarise(traces[:1], zones=None, nearest=5, seed=0)
    with pytest.raises(SummaryError, match="single sentence"):
        summarise([one.select(np.array([0])) for one in traces], zones=None, nearest=5, seed=0)
    with pytest.raises(SummaryError, match="not of the pivot's sentences"):
        summarise([traces[0], traces[1].select(np.array([0, 1]))], zones=None, nearest=5, seed=0)
    with pytest.raises(ZoneError, match=r"zone late = \[7, 8\] holds no traced layer"):
        summarise(traces, zones=Zones(early=(0, 0), middle=(1, 1), late=(7, 8)), nearest=5, seed=0)


def test_use_of_experts_over_depth_by_hand(traces) -> None:
    # RISE's zones of three layers: 0 and 1, then 1, then 2.
    shared, own = (
        utilisation_table(traces, seed=0).query("language == ''")[name] for name in ("overlap", "specificity")
    )
    (first, middle, late), (own_first, own_middle, own_late) = shared, own
    early, own_early = (first + middle) / 2, (own_first + own_middle) / 2
    found = {r.quantity: r.value for r in summarise(traces, zones=None, nearest=5, seed=0)}
    assert found["overlap_middle_minus_early"] == pytest.approx(middle - early, abs=2e-4)
    assert found["overlap_middle_minus_late"] == pytest.approx(middle - late, abs=2e-4)
    assert found["specificity_outer_minus_middle"] == pytest.approx((own_early + own_late) / 2 - own_middle, abs=2e-4)


def test_alignment_in_the_middle_is_the_largest_there(traces) -> None:
    zones = Zones(early=(0, 0), middle=(1, 2), late=(2, 2))
    found = {(r.quantity, r.layer): r.value for r in summarise(traces, zones=zones, nearest=5, seed=0)}
    assert found["alignment_middle", None] == max(found["alignment", 1], found["alignment", 2])


@pytest.mark.parametrize(
    ("items", "most", "places"), [(10, 4, [0, 2, 5, 7]), (3, 4, [0, 1, 2]), (3, None, [0, 1, 2]), (0, 4, [])]
)
def test_sentences_are_taken_at_even_steps(items, most, places) -> None:
    assert spread(items, most).tolist() == places

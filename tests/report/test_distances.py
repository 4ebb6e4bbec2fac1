from polyroute.ground.paths import Paths
from polyroute.report import distances
from tiny import ROOT

OLMOE = "olmoe-1b-7b-0125-distances"


def test_a_line_a_model_says_whether_relatives_are_near_and_how_distance_runs() -> None:
    found = distances.gather(Paths(ROOT), [OLMOE])
    of = found[OLMOE].readings["topk_count"]
    assert of.families is not None
    line = distances.lines(found)
    assert line.startswith(f"{OLMOE}: relatives {of.families.gap / of.families.across:.0%} nearer (p 0.005)")
    assert line.endswith(f"over depth: {of.from_pivot.shape}")

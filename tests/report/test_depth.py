from pathlib import Path

from polyroute.ground.paths import Paths
from polyroute.report.depth import depth_lines, depth_table
from polyroute.results.model import ModelResults
from report import plausible
from report.shown import measure, rows


def test_a_row_holds_zones_and_their_differences_over_languages(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    measure(paths, "tiny")
    found = ModelResults.read(paths.metrics("tiny"))
    (corpus,) = found.alignment.corpora
    held = found.alignment.corpora[corpus]
    over = held.over_languages.early_minus_middle
    (row,) = rows(depth_table([found]))
    assert (row["model"], row["corpus"], row["shape"]) == ("tiny", corpus, held.over_languages.shape)
    first, last = held.zones.middle
    assert row["middle"] == f"{held.mean.middle:.3f} ({first}-{last})"
    assert row["early - middle"] == f"{over.value:+.3f} [{over.low:.3f}, {over.high:.3f}]"


def test_without_an_interval_the_difference_stands_alone(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    plausible.write(paths, "tiny", 2, 8, measures=("divergence",), readings=("soft_mass",))
    found = ModelResults.read(paths.metrics("tiny"))
    held = next(iter(found.alignment.corpora.values())).over_languages
    bare = held.early_minus_middle.model_copy(update={"low": None, "high": None})
    gone = held.late_minus_middle.model_copy(update={"value": None, "low": None, "high": None})
    for one in found.alignment.corpora.values():
        object.__setattr__(
            one, "over_languages", held.model_copy(update={"early_minus_middle": bare, "late_minus_middle": gone})
        )
    (row,) = rows(depth_table([found]))
    assert row["early - middle"] == f"{bare.value:+.3f}"
    assert row["late - middle"] == "–"


def test_a_line_a_model_has_the_zones(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    plausible.write(paths, "tiny", 3, 8, measures=("divergence",), readings=("soft_mass",))
    found = ModelResults.read(paths.metrics("tiny"))
    title, head, line = depth_lines([found]).splitlines()
    assert "0: the same routing, 1: no expert in common" in title
    assert head.split()[:3] == ["first", "middle", "last"]
    held = next(iter(found.alignment.corpora.values()))
    said = line.split()
    assert (said[0], said[2]) == ("tiny", f"{held.mean.middle:.2f}")
    assert said[-1] == "–", "these languages are all as far as one another"
    assert depth_lines([]) == ""

from pathlib import Path

from polyroute.ground.paths import Paths
from polyroute.report import accuracy, findings
from report.shown import cells, measure


def test_accuracy_is_told_with_its_range_and_chance(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    row = cells(accuracy.accuracy_table(findings.gather(Paths(tmp_path), ["tiny"])), "tiny", "knowledge")
    assert row["pivot"] == "98.0 (English)"
    assert (row["others"], row["chance"], row["languages"], row["items"]) == ("50.0", "25.0", "7", "100")
    assert row["worst"] == "20.0 (Afrikaans)"
    assert row["best"] == "80.0 (Acehnese (Arabic script))"

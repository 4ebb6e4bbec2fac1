"""What the stage `claims` writes comes back, and is counted."""

from pathlib import Path

import pytest

from claims.made import asked, committed
from polyroute.claims.verdict import judge
from polyroute.results.claims import ClaimsMetrics, ClaimsSummary
from polyroute.results.table import ResultsError


def test_verdicts_come_back_as_they_were_and_in_the_same_bytes(tmp_path: Path) -> None:
    found = judge(committed(), asked(tmp_path))
    ClaimsSummary.write(tmp_path, found)
    first = (tmp_path / "claims.json").read_bytes()
    read = ClaimsSummary.read(tmp_path)
    assert dict(read.claims) == dict(found.claims)
    ClaimsSummary.write(tmp_path, read)
    assert (tmp_path / "claims.json").read_bytes() == first


def test_counts_are_of_all_claims(tmp_path: Path) -> None:
    found = judge(committed(), asked(tmp_path))
    ClaimsSummary.write(tmp_path, found)
    counts = dict(ClaimsMetrics.of(tmp_path))
    assert sum(counts.values()) == len(found.claims)
    assert counts["inconclusive"] == sum(one.code == "inconclusive" for one in found.claims.values())


def test_an_absent_file_names_its_stage(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="dvc repro claims@"):
        ClaimsSummary.read(tmp_path)

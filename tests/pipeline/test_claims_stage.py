"""The stage `claims` on committed results, in a folder of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.test_end_to_end import stage
from polyroute.results.claims import ClaimsMetrics, ClaimsSummary
from tiny import ROOT


@pytest.mark.parametrize("without", [(), ("steer.csv", "steer.json", "mechanism.csv", "mask.csv", "mask.json")])
def test_it_holds_a_model_against_every_claim_and_writes_the_same_bytes_again(tmp_path: Path, without) -> None:
    model = "pocket-plain"
    for name in ("claims", f"metrics/{model}", f"settings/{model}"):
        shutil.copytree(ROOT / name, tmp_path / name)
    folder = tmp_path / "metrics" / model
    for file in without:
        (folder / file).unlink()
    command = [sys.executable, ROOT / "pipeline" / "claims.py", "--model", model]
    # Once in a process of its own, whose sets have another order.
    elsewhere = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    written = [(folder / "claims.json").read_bytes()]
    (folder / "claims.json").unlink()
    here = stage(tmp_path, "claims", "--model", model).stdout
    written.append((folder / "claims.json").read_bytes())
    assert here == elsewhere
    assert here.startswith("claims@pocket-plain: ")
    assert written[0] == written[1]
    claims = ClaimsSummary.read(folder).claims
    assert len(claims) >= 25
    assert sum(dict(ClaimsMetrics.read(folder)).values()) == len(claims)
    if without:
        assert claims["p1.ablation.random_experts"].missing["harm"].what == "steer"

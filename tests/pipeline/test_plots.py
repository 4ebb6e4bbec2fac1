"""What `dvc metrics` and `dvc plots` show is there to be shown."""

import json

import pytest
import yaml

from polyroute.results.reference import ALL
from polyroute.results.table import Row
from tiny import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PLOTS = {
    path.removeprefix("metrics/${item.model}/"): how
    for stage in STAGES.values()
    for entry in stage.get("plots", ())
    for path, how in entry.items()
}
COLUMNS = {one.file: one.columns() for one in ALL if issubclass(one, Row)}
COLUMNS["curves.json"] = ["corpus", "language", "layer", "divergence"]


def fields(part: object) -> set[str]:
    """Every field that a template encodes or tells, of those that it takes from the file."""
    if isinstance(part, list):
        return set().union(*map(fields, part))
    if not isinstance(part, dict):
        return set()
    own = {part["field"]} if isinstance(part.get("field"), str) else set()
    return own.union(*map(fields, part.values()))


def calculated(part: object) -> set[str]:
    """What a template's transforms make."""
    if isinstance(part, list):
        return set().union(*map(calculated, part))
    if not isinstance(part, dict):
        return set()
    own = {part["as"]} if isinstance(part.get("as"), str) else set()
    return own.union(*map(calculated, part.values()))


@pytest.mark.parametrize("file", PLOTS)
def test_a_template_draws_columns_that_its_file_has(file) -> None:
    how = PLOTS[file]
    template = json.loads((ROOT / ".dvc" / "plots" / f"{how['template']}.json").read_text())
    assert template["data"] == {"values": "<DVC_METRIC_DATA>"}
    known = {*COLUMNS[file], "rev", "<DVC_METRIC_X>", "<DVC_METRIC_Y>"} | calculated(template)
    assert fields(template) <= known
    assert {how["x"], how["y"]} <= set(COLUMNS[file])


def test_every_template_is_used() -> None:
    templates = {path.stem for path in (ROOT / ".dvc" / "plots").glob("*.json")}
    assert templates == {how["template"] for how in PLOTS.values()}


def test_every_stage_of_numbers_has_one_summary() -> None:
    numeric = {one.stage for one in ALL} - {"distances"}  # of recordings, which are no models of the study
    shown = {
        name: [path for entry in stage["metrics"] for path in entry]
        for name, stage in STAGES.items()
        if "metrics" in stage
    }
    assert shown == {stage: [f"metrics/${{item.model}}/summary/{stage}.json"] for stage in numeric}

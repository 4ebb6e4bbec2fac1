"""The two lines of docs/steering.md that apply a plan in transformers, run as they stand."""

import re

import pytest
import torch

from polyroute.models.routers import find_routers
from polyroute.steering.plan import Plan
from polyroute.steering.verdict import NOT_CHECKED
from tiny import ROOT, make_model

(LINES,) = [
    block
    for block in re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "steering.md").read_text("utf-8"), re.M | re.S)
    if "Plan.load" in block
]
BATCH = {"input_ids": torch.tensor([[5, 9, 12, 7]]), "max_new_tokens": 4, "do_sample": False, "pad_token_id": 0}


def logits(model) -> list:
    """Of the batch's prompt."""
    with torch.no_grad():
        return model(BATCH["input_ids"]).logits.tolist()


def test_the_lines_steer_the_model_and_leave_nothing_behind(tmp_path, monkeypatch) -> None:
    model = make_model()
    plan = Plan.for_model(model, {1: [0, 1]}, rule="activate", routers=find_routers(model))
    (tmp_path / "plans" / "my-model").mkdir(parents=True)
    plan.save(tmp_path / "plans" / "my-model" / "mgsm.json")
    monkeypatch.chdir(tmp_path)
    before = logits(model)
    seen, generate = [], model.generate

    def watched(**batch):
        seen.append(logits(model))
        return generate(**batch)

    monkeypatch.setattr(model, "generate", watched)
    here = {"model": model, "batch": BATCH}
    exec(LINES, here)
    assert here["plan"].experts == {1: (0, 1)}
    assert seen[0] != before
    assert logits(model) == before
    assert str(here["plan"]).endswith(NOT_CHECKED)


def test_there_are_two_lines() -> None:
    lines = [line for line in LINES.splitlines() if line.strip() and not line.lstrip().startswith(("import", "#"))]
    assert [line.split("(")[0].strip() for line in lines] == [
        "plan = polyroute.Plan.load", "with polyroute.steer", "model.generate",
    ]  # fmt: skip


def test_a_plan_of_another_model_is_refused_by_the_same_lines(tmp_path, monkeypatch) -> None:
    other = Plan(model="other", experts_per_layer=16, top_k=2, rule="mask", experts={1: (0,)})
    (tmp_path / "plans" / "my-model").mkdir(parents=True)
    other.save(tmp_path / "plans" / "my-model" / "mgsm.json")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match="experts_per_layer is 16 in the plan, 8 here"):
        exec(LINES, {"model": make_model(), "batch": BATCH})

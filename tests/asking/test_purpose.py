"""A stage that asks several tasks: a task that fails is named at the end, an engine that ends ends the stage."""

import sys
from pathlib import Path

import pytest

from polyroute.asking.purpose import ask_for
from polyroute.asking.settings import AskedTask, AskSettings
from polyroute.engines.vllm.process import PYTHON
from polyroute.ground.paths import Paths
from polyroute.steering.condition import AskedConditions
from polyroute.workers.errors import EngineError
from workers.small import HOW, LANGUAGES, TASKS, checkpoint, questions

ENDS = f"""#!{sys.executable}
import json, os, sys
about = {{"context": 200, "gpu": "cpu", "dtype": "float32", "device": "cpu", "versions": {{"vllm": "0.32.0"}}}}
with os.fdopen(json.loads(sys.argv[3])["answers"], "w") as out:
    out.write(json.dumps(about) + "\\n")
    out.flush()
    sys.stdin.readline()
    print("out of memory")
"""
"""In the place of vLLM's python: an engine that starts, and ends with the first request."""


def test_vllm_that_ends_ends_the_stage_and_is_not_told_once_a_task(tmp_path: Path, monkeypatch) -> None:
    python = tmp_path / "python"
    python.write_text(ENDS)
    python.chmod(0o755)
    monkeypatch.setenv(PYTHON, str(python))
    paths, kinds = Paths(tmp_path), {"choices": "choice", "numbers": "number"}
    for task, items in TASKS.items():
        questions(items).write(paths.task_questions("tiny", task))
    settings = AskSettings(
        name="tiny", model=checkpoint(tmp_path), seed=0, mechanism_items=0, engine="vllm", **HOW,
        tasks={task: AskedTask(kind=kinds[task], languages=LANGUAGES) for task in TASKS},
    )  # fmt: skip
    as_it_is = {task: dict.fromkeys(("select", "report"), AskedConditions(conditions=())) for task in TASKS}
    with pytest.raises(EngineError, match=r"^vLLM: it ended\nout of memory$"):
        list(ask_for("evaluate", settings, paths, as_it_is))

"""How often experts are chosen on prompts, against one prompt at a time."""

import numpy as np
import pandas as pd
import pytest
import torch

from asking.seated import LANGUAGES, asker, loaded_model
from models.tiny_models import tiny
from polyroute.artifacts import frequency as file
from polyroute.asking.frequency import prompt_frequency
from polyroute.ground.errors import AnswerError
from polyroute.ground.files import write_checked_table
from polyroute.models.routers import find_routers, observe
from polyroute.steering.mechanism import padded_batches

ROWS = [[5, 9, 33, 7, 60], [11, 2, 40], [21, 3, 8, 30, 12, 13, 50]]


@pytest.mark.parametrize("architecture", ["qwen3_moe", "gpt_oss", "deepseek_v3"])
def test_as_one_prompt_at_a_time(architecture: str) -> None:
    model = tiny(architecture)
    routers = find_routers(model)
    slow = np.zeros((len(routers), routers[0].experts))
    for row in ROWS:
        ids = []
        with torch.no_grad(), observe(routers, lambda _router, call, ids=ids: ids.append(call.ids_TK)):
            model(input_ids=torch.tensor([row]))
        for layer, ids_TK in enumerate(ids):
            for expert in ids_TK.flatten().tolist():
                slow[layer, expert] += 1 / len(row) / len(ROWS)
    found = prompt_frequency(model, routers, padded_batches(ROWS, batch_tokens=14))
    np.testing.assert_allclose(found, slow, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), routers[0].top_k)


def test_no_prompt_is_told() -> None:
    loaded = loaded_model()
    with pytest.raises(AnswerError, match="no prompt to count experts on"):
        prompt_frequency(loaded.model, loaded.routers, [])


def test_what_a_task_keeps_is_read_back(tmp_path) -> None:
    asked = asker(tmp_path)
    table = asked.frequency()
    assert tuple(table.columns) == file.COLUMNS
    write_checked_table(tmp_path / file.FILE, [table], file.COLUMNS)
    found = file.read(tmp_path / file.FILE, (0, 1, 2), 8)
    assert list(found) == LANGUAGES
    rows = [row for split in ("select", "report") for row in asked.prompts(split, 100, LANGUAGES[1:2])]
    loaded = loaded_model()
    alone = prompt_frequency(loaded.model, loaded.routers, padded_batches(rows, batch_tokens=1000))
    np.testing.assert_allclose(found[LANGUAGES[1]], alone, atol=1e-12)


def test_files_that_do_not_fit_are_refused(tmp_path) -> None:
    path = tmp_path / file.FILE
    with pytest.raises(AnswerError, match="is absent"):
        file.read(path, (0,), 2)
    old = pd.DataFrame([("eng_Latn", 0, 0, 0.5)], columns=["language", "layer", "expert", "frequency"])
    write_checked_table(path, [old], list(old))
    with pytest.raises(AnswerError, match="lacks the column `part`, as older ones do: run `evaluate` again"):
        file.read(path, (0,), 2)
    write_checked_table(path, [file.rows("eng_Latn", "prompt", (0,), np.array([[0.5]]), 7)], file.COLUMNS)
    with pytest.raises(AnswerError, match="eng_Latn does not hold 1 layers of 2 experts"):
        file.read(path, (0,), 2)

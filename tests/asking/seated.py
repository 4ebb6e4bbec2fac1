"""A tiny real model that sits a small task, and traces in which each language prefers experts that are named."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pandas as pd
from polyroute.asking.sitting import Sitting

from asking.asked import bytes_tokenizer
from asking.asked import items as choice_items
from experts.made import make_trace
from models.tiny_models import tiny
from polyroute.artifacts.trace import Trace
from polyroute.asking.settings import Asking
from polyroute.interventions.plans import Target
from polyroute.models.load import LoadedModel
from polyroute.models.routers import find_routers
from polyroute.params.models import TransformersModel
from polyroute.readers.local import LocalTask

LANGUAGES = ["eng_Latn", "deu_Latn", "swh_Latn"]
ITEMS = pd.concat(
    [choice_items(*[(f"{code} {n}", [" a", " bc", " d"]) for n in range(12)], language=code) for code in LANGUAGES],
    ignore_index=True,
)
NUMBERS = ITEMS.drop(columns="choices").assign(answer="18")
"""The same items, answered in writing."""
TASK = LocalTask.model_validate({"reader": "local", "files": "text/x.tsv", "kind": "choice"})
SPEC = TransformersModel.model_validate(
    {
        "engine": "transformers", "folder": "models/tiny", "dtype": "float32", "batch_tokens": 200, "languages": "few",
        "corpora": ["text"], "generic": "text",
    }
)  # fmt: skip
EVALUATE = {
    "chat": False, "thinking": False, "max_new_tokens": 4, "temperature": 0, "top_p": 1, "top_k": 0,
}  # fmt: skip


@cache
def loaded_model() -> LoadedModel:
    """Three layers of 8 experts, 2 of them for each token."""
    model = tiny("qwen3_moe", vocab_size=300)
    return LoadedModel(model, bytes_tokenizer(), find_routers(model), "d" * 64)


def target() -> Target:
    loaded = loaded_model()
    router = loaded.routers[0]
    layers = tuple(one.layer for one in loaded.routers)
    return Target("tiny", loaded.digest, "task", layers, router.experts, router.top_k)


def sitting(folder: Path, items: pd.DataFrame = ITEMS, choice: str = "sum", **changes) -> Sitting:
    task = TASK.model_copy(update={"kind": "choice" if "choices" in items else "number"})
    asked, scores = Asking.model_validate(EVALUATE | changes), Score.model_validate({"choice": choice})
    return Sitting.of("tiny", SPEC, loaded_model(), "task", task, items, asked, scores, seed=0, parts=folder)


def preferring(
    language: str, counts: Sequence[int], layers: int = 3, elsewhere: Mapping[int, Sequence[int]] | None = None
) -> Trace:
    """One text whose tokens choose experts so often, in every layer but where it says otherwise."""
    by_layer = [list((elsewhere or {}).get(layer, counts)) for layer in range(layers)]
    (choices,) = {sum(layer) for layer in by_layer}
    return make_trace([by_layer], [choices // 2], language=language)

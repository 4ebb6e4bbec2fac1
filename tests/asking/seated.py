"""A tiny real model that is asked a small task, and traces in which each language prefers experts that are named."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from asking.asked import bytes_tokenizer
from asking.asked import items as choice_items
from experts.made import make_trace
from models.tiny_models import tiny
from polyroute.artifacts.questions import COLUMNS, Questions
from polyroute.artifacts.trace import Trace
from polyroute.asking.ask import Asker
from polyroute.asking.settings import AskedTask, AskSettings
from polyroute.interventions.plans import Target
from polyroute.models.load import LoadedModel
from polyroute.models.routers import find_routers
from polyroute.models.settings import ModelSettings

LANGUAGES = ["eng_Latn", "deu_Latn", "swh_Latn"]
ITEMS = pd.concat(
    [choice_items(*[(f"{code} {n}", [" a", " bc", " d"]) for n in range(12)], language=code) for code in LANGUAGES],
    ignore_index=True,
)
"""Questions with their right answers."""
NUMBERS = ITEMS.drop(columns="choices").assign(answer="18")
"""The same items, answered in writing."""
HOW = {"chat": False, "thinking": False, "max_new_tokens": 4, "temperature": 0, "top_p": 1, "top_k": 0}


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


def questions(items: pd.DataFrame = ITEMS) -> Questions:
    """What of items a model reads."""
    kind = "choice" if "choices" in items else "number"
    return Questions(kind, 1, {}, items[COLUMNS[kind]])


def asker(
    folder: Path, items: pd.DataFrame | Questions = ITEMS, *, loaded: LoadedModel | None = None,
    batch_tokens: int = 200, mechanism_items: int = 2, own: dict | None = None, **how,
) -> Asker:  # fmt: skip
    """Asks the tiny model; finished answers are kept in a folder."""
    asked = items if isinstance(items, Questions) else questions(items)
    loaded = loaded or loaded_model()
    model = ModelSettings(
        folder=Path("models/tiny"), dtype="float32", digest=loaded.digest, batch_tokens=batch_tokens, max_tokens=4096
    )
    settings = AskSettings(
        name="tiny", model=model, seed=0, mechanism_items=mechanism_items, **(HOW | how),
        tasks={"task": AskedTask(kind=asked.kind, languages=asked.languages, own=own or {})},
    )  # fmt: skip
    return Asker(loaded, settings, "steer", "task", asked, folder)


def preferring(
    language: str, counts: Sequence[int], layers: int = 3, elsewhere: Mapping[int, Sequence[int]] | None = None
) -> Trace:
    """One text whose tokens choose experts so often, in every layer but where it says otherwise."""
    by_layer = [list((elsewhere or {}).get(layer, counts)) for layer in range(layers)]
    (choices,) = {sum(layer) for layer in by_layer}
    return make_trace([by_layer], [choices // 2], language=language)

"""Fixtures of all tests: a tiny model and its tokenizer, a mirror to put small files into, and real data where
it is at hand.
"""

from __future__ import annotations

import copy
import gc
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

# Not torch and transformers: xdist's first process reads this file too, and needs neither.
from polyroute.ground import yaml12
from polyroute.ground.hub import HubSource

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen3MoeForCausalLM

ROOT = Path(__file__).parents[1]
# Before torch is imported. Small models gain nothing from more threads, and tests run side by side.
os.environ["OMP_NUM_THREADS"] = "1"
# Before the hub's client is imported, which otherwise tries an unreachable hub five times, in 23 s.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported and collected stays until the end: the garbage collector need not go through it ever again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that run whole studies first: at the end, one core would wait for the other's."""
    items.sort(key=lambda item: "pipeline" not in item.path.parts)


@pytest.fixture(scope="session", autouse=True)
def _each_yaml_read_once() -> Iterator[None]:
    """What the same text says: params.yaml and claims are read hundreds of times, in a tenth of a second each."""
    read = lru_cache(maxsize=64)(yaml12.load)
    with patch.object(yaml12, "load", lambda text: copy.deepcopy(read(text))):
        yield


@pytest.fixture(scope="session")
def model() -> Qwen3MoeForCausalLM:
    from tiny import make_model

    return make_model()


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    from tiny import make_tokenizer

    return make_tokenizer()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public data for tests; they skip where it is absent."""
    folder = Path(os.environ.get("POLYROUTE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"public data for tests is not at {folder} (set POLYROUTE_TEST_DATA)")
    return folder


@pytest.fixture
def mirror(tmp_path: Path) -> HubSource:
    """An empty mirror; `put` fills it."""
    return HubSource(tmp_path / "mirror")


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Puts a file into `mirror`, by its path below `hub/`."""

    def put(path: str, content: str | bytes) -> Path:
        target = tmp_path / "mirror" / "hub" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    return put

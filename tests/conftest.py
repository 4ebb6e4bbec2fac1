"""Fixtures of all tests: a tiny model and its tokenizer, a mirror to put small files into, and real data where
it is at hand.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerFast, Qwen3MoeForCausalLM

from polyroute.ground.hub import HubSource
from tiny import ROOT, make_model, make_tokenizer

torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that run whole studies first: at the end, one core would wait for the other's."""
    items.sort(key=lambda item: "pipeline" not in item.path.parts)


@pytest.fixture(scope="session")
def model() -> Qwen3MoeForCausalLM:
    return make_model()


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
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

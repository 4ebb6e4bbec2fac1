"""Fixtures of all tests: a tiny model and its tokenizer, and real data where it is at hand."""

import os
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerFast, Qwen3MoeForCausalLM

from tiny import ROOT, make_model, make_tokenizer

torch.set_num_threads(1)


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

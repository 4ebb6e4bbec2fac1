from typing import get_args

import pandas as pd
import pytest

from polyroute.languages import table as languages
from polyroute.readers.registry import READERS
from polyroute.readers.spec import TaskSpec
from polyroute.sizing import tokens
from tiny import ROOT


@pytest.mark.parametrize("kind", READERS, ids=lambda kind: kind.__name__)
def test_every_reader_has_a_length(kind) -> None:
    (reader,) = get_args(kind.model_fields["reader"].annotation)
    if issubclass(kind, TaskSpec):
        assert tokens.of_task(reader).read > 0
    else:
        assert tokens.of_corpus(reader) > 0


def test_lengths_are_those_that_were_recorded_of_qwen3() -> None:
    """MGSM's 250 prompts in the chat template, top 8 in 48 layers: tokens follow from the counts."""
    counts = pd.read_parquet(ROOT / "recorded" / "qwen3-30b-a3b-mgsm.parquet")
    recorded = counts.groupby("language")["count"].sum() / (8 * 48 * 250)
    assert tokens.of_task("mgsm").read == pytest.approx(recorded["eng_Latn"], rel=0.01)
    # Sentences of FLORES tell by how much a problem is longer than in English: within two fifths, a fourth in the mean.
    for code, seen in recorded.items():
        assert tokens.factor([code]) * recorded["eng_Latn"] == pytest.approx(seen, rel=0.4), code
    assert tokens.factor(list(recorded.index)) * recorded["eng_Latn"] == pytest.approx(recorded.mean(), rel=0.25)


def test_a_language_that_was_not_measured_takes_the_mean_of_its_script() -> None:
    cyrillic = [tokens.sentence(code) for code in ("rus_Cyrl", "ukr_Cyrl")]
    assert tokens.sentence("bul_Cyrl") == pytest.approx(sum(cyrillic) / 2)
    everything = tokens.sentences().values()
    assert tokens.sentence("sat_Olck") == pytest.approx(sum(everything) / len(everything))


def test_english_is_the_measure() -> None:
    assert tokens.factor(["eng_Latn"]) == 1
    assert all(languages.get(code) for code in tokens.sentences())

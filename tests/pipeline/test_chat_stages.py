"""Text as a chat through the stages, on a tiny GPT-OSS whose template writes the date."""

import pytest
import yaml

from models.tiny_models import tiny
from pipeline.test_end_to_end import stage
from polyroute.artifacts.trace import read_header
from polyroute.results.domain_pairs import DomainPairRow
from polyroute.results.nulls import NullsSummary
from tiny import raw_params
from tracing.chats import HARMONY, chat_tokenizer

WORDS = ["dog", "cat", "house", "tree", "river", "stone", "bird", "king", "ship", "road"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chatting")
    (folder / "text").mkdir()
    for language, frame in (("eng_Latn", "The {} is here."), ("deu_Latn", "Hier ist {}, das.")):
        (folder / "text" / f"{language}.txt").write_text("".join(frame.format(word) + "\n" for word in WORDS))
    solved = [f"{one} + 2?,So {one + 2}." for one in range(12)]
    (folder / "text" / "solved.csv").write_text("\n".join(["q,a", *solved]) + "\n")
    items = [f"i{place}\t{place}?\t yes\t no\t1" for place in range(4)]
    text = "\n".join(["item_id\tprompt\tchoice_1\tchoice_2\tanswer", *items]) + "\n"
    (folder / "text" / "items.tsv").write_text(text)
    tiny("gpt_oss", vocab_size=300, max_position_embeddings=512).save_pretrained(folder / "models" / "tiny")
    chat_tokenizer(HARMONY).save_pretrained(folder / "models" / "tiny")
    raw = raw_params()
    raw["models"] = {
        "tiny": {
            "engine": "transformers", "folder": "models/tiny", "dtype": "float32", "device": "cpu",
            "batch_tokens": 512, "corpora": ["own"], "tasks": ["sums"], "languages": "few",
        }
    }  # fmt: skip
    raw["study"] = {"name": "test", "models": ["tiny"], "pivot": "eng_Latn", "seed": 1}
    raw["languages"] = {"few": ["eng_Latn", "deu_Latn"]}
    chat = {"counted": "content_without_bos"}
    solved_entry = {"reader": "local", "files": "text/solved.csv", "text": "q", "reply": "a", "parallel": False}
    raw["corpora"] = {
        "own": {"reader": "local", "files": "text/{language}.txt", "chat": chat},
        "solved": solved_entry | {"chat": chat},
    }
    sums = {"reader": "local", "files": "text/items.tsv", "kind": "choice", "text": "solved", "languages": ["eng_Latn"]}
    raw["tasks"] = {"sums": sums}
    raw["mask"]["tasks"], raw["pocket"], raw["study"]["extra"] = {}, {}, []
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))
    stage(folder, "resolve")
    for name in ("fetch", "trace", "align", "experts"):
        stage(folder, name, "--model", "tiny")
    return folder


def test_traces_say_how_their_text_was_read(study) -> None:
    for place, language in (("own", "eng_Latn"), ("own", "deu_Latn"), ("solved", "eng_Latn")):
        about = read_header(study / "data" / "traces" / "tiny" / place / f"{language}.safetensors")
        told = {"text": "chat", "counted": "content_without_bos", "date": "2026-01-01"}
        assert told.items() <= about.settings.items()
        assert about.turns["roles"] == "own"


def test_domains_are_compared_over_pairs_in_every_reading(study) -> None:
    table = DomainPairRow.read(study / "metrics" / "tiny")
    assert set(table["reading"]) == {"soft_mass", "topk_mass", "topk_count", "softmax_of_weights"}
    assert set(table["pairs"]) == {10}
    assert set(table["task"]) == {"sums"}


def test_random_initialisations_read_the_same_chat(study) -> None:
    stage(study, "draw", "--model", "tiny")
    stage(study, "nulls", "--model", "tiny")
    found = NullsSummary.read(study / "metrics" / "tiny")
    assert found.not_run is None

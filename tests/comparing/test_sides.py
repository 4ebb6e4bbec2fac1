"""What can be compared, and what is refused."""

import pytest

from checkpoints import checkpoint, random, save, trace
from polyroute.comparing.sides import CompareError, Side, pair


def sides(tmp_path, **other) -> tuple[Side, Side]:
    folders = checkpoint(tmp_path, "base", 0), checkpoint(tmp_path, "child", 10, **other)
    return tuple(Side(folder.name, folder) for folder in folders)


def test_the_text_and_the_languages_that_both_have(tmp_path) -> None:
    one, other = sides(tmp_path)
    save(other.folder, trace(random(3), model="child", language="fra_Latn"))
    for side in (one, other):
        save(side.folder, trace(random(4), model=side.name, corpus="task"))
    found = pair(one, other)
    assert (found.corpus, found.languages, found.texts) == ("text", ("deu_Latn", "swh_Latn"), ("task",))
    assert found.left_out == {"fra_Latn": "base has no trace in it"}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"layers": (0, 1, 2, 3, 5)}, r"layers 0 to 4 \(5\) and child 0 to 5 \(5\): only checkpoints of one shape"),
        ({"top_k": 3}, "top_k 2 and child 3"),
        ({"languages": ("deu_Latn", "swh_Latn")}, "child has no trace of text in the pivot eng_Latn, only in deu_Latn"),
        ({"languages": ("eng_Latn", "fra_Latn"), "corpus": "own"}, "none in common that is in several languages"),
        ({"settings": {"special_tokens": "include"}}, "special_tokens exclude and child with include"),
    ],
)  # fmt: skip
def test_what_differs_is_refused_in_a_sentence(tmp_path, other, said) -> None:
    with pytest.raises(CompareError, match=said):
        pair(*sides(tmp_path, **other))


def test_other_sentences_are_refused(tmp_path) -> None:
    found = pair(*sides(tmp_path, items=tuple(f"s{number}" for number in range(1, 13))))
    with pytest.raises(CompareError, match="not of the same sentences: 2 are in one alone, such as s0"):
        found.traces("deu_Latn")
    apart = pair(*sides(tmp_path / "again", corpus_digest="other text"))
    with pytest.raises(CompareError, match="other texts under the same names"):
        apart.traces("deu_Latn")


def test_what_may_be_the_difference_is_noted(tmp_path) -> None:
    found = pair(*sides(tmp_path, dtype="bfloat16", versions={"torch": "2"}, model_digest="base"))
    assert found.notes == (
        "dtype differs (float32; bfloat16), which may be part of what is seen",
        "they were traced with other versions of libraries, which may be part of what is seen",
        "both are the same checkpoint, to the bit",
    )


def test_a_folder_without_traces_is_named(tmp_path) -> None:
    one, _ = sides(tmp_path)
    with pytest.raises(CompareError, match="holds no traces"):
        pair(one, Side("nothing", tmp_path / "nothing"))
    with pytest.raises(CompareError, match="base has no traces of `speech`"):
        pair(one, one, corpus="speech")

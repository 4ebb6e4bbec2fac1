"""Published accuracies: what ships, and how runs and doubts are joined."""

from pathlib import Path

import pytest

from polyroute.artifacts.published_accuracies import read_published
from polyroute.artifacts.recording import RecordingError
from tiny import ROOT

FILE = ROOT / "recorded" / "published_accuracies.csv"
HEAD = "model,task,language,accuracy,items,source,commit,certainty\n"


def put(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "a.csv"
    path.write_text(head + "".join(f"{row}\n" for row in rows))
    return path


def test_22_languages_of_belebele_in_qwen3() -> None:
    held = read_published(FILE, "Qwen/Qwen3-30B-A3B")["belebele"]
    assert len(held) == 22
    assert (held["fra_Latn"].accuracy, held["fra_Latn"].items, held["fra_Latn"].certainty) == (0.903, 900, "I")
    assert (held["yor_Latn"].accuracy, held["yor_Latn"].certainty) == (0.314, "C")
    # Bambara and romanised Arabic lie near chance, .25, but of 900 items above it.
    assert 0.25 < held["bam_Latn"].low < 0.306 < held["bam_Latn"].high


def test_runs_of_one_key_are_one_mean_of_the_least_sure(tmp_path: Path) -> None:
    path = put(tmp_path, "a/b,belebele,fra_Latn,0.6,900,s,c,C", "a/b,belebele,fra_Latn,0.4,900,t,c,N",
               "a/b,belebele,,0.9,,s,c,C", "a/c,belebele,deu_Latn,0.9,900,s,c,C")  # fmt: skip
    held = read_published(path, "a/b")
    assert {task: list(of) for task, of in held.items()} == {"belebele": ["fra_Latn"]}
    one = held["belebele"]["fra_Latn"]
    assert (one.accuracy, one.runs, one.certainty, one.source, one.chance) == (0.5, 2, "N", "s", 0.25)
    # Wilson: (p + z^2 / 2n -+ z sqrt(p q / n + z^2 / 4n^2)) / (1 + z^2 / n) = .5 -+ .03260.
    assert (one.low, one.high) == (pytest.approx(0.4674, abs=1e-4), pytest.approx(0.5326, abs=1e-4))


@pytest.mark.parametrize("rest", ["1.2,9,s,c,C", "x,9,s,c,C", "0.2,,s,c,C", "0.2,9,s,c,K"])
def test_a_value_that_cannot_be_names_the_line(tmp_path: Path, rest: str) -> None:
    with pytest.raises(RecordingError, match=r"a.csv, line 2: accuracy .* certainty C, I or N"):
        read_published(put(tmp_path, f"a/b,t,fra_Latn,{rest}"), "a/b")


def test_an_unknown_model_and_another_table_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no accuracy of a/b in a language was published; there are Qwen/"):
        read_published(FILE, "a/b")
    with pytest.raises(RecordingError, match="its columns are model, not model, task"):
        read_published(put(tmp_path, head="model\n"), "a/b")
    with pytest.raises(RecordingError, match=r"b.csv is absent"):
        read_published(tmp_path / "b.csv", "a/b")

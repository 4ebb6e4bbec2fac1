"""MGSM and PolyMath's level `low` are one set of items, divided alike."""

import json

from polyroute.artifacts.questions import SPLITS
from polyroute.params.file import read
from polyroute.readers.examine import examine
from polyroute.readers.halves import halves, mgsm_halves
from polyroute.readers.mgsm import MGSMTask
from polyroute.readers.polymath import PolyMathTask
from readers.fetched import fetch_items
from tiny import ROOT


def test_a_problem_is_in_the_same_half_of_both_whatever_they_are_called(mirror, put) -> None:
    put("juletxara/mgsm/mgsm_en.tsv", "\n".join(f"problem {place}?\t{place}" for place in range(250)))
    rows = [{"id": f"low-en-{place}", "question": f"problem {place}?", "answer": str(place)} for place in range(125)]
    rows += [{"id": f"top-en-{place}", "question": f"hard {place}?", "answer": str(place)} for place in range(125)]
    for level in ("low", "top"):
        of_level = [row for row in rows if row["id"].startswith(level)]
        put(f"Qwen/PolyMath/en/{level}.jsonl", "\n".join(map(json.dumps, of_level)))
    mgsm = MGSMTask(
        reader="mgsm", hub="juletxara/mgsm", revision="main", files="mgsm_{language}.tsv", items=250, prompt="direct"
    )
    polymath = PolyMathTask(
        reader="polymath", hub="Qwen/PolyMath", revision="main", files="{language}/{level}.jsonl", items=125,
        levels=["low", "top"],
    )  # fmt: skip
    sides = {}
    for name, spec in (("sums", mgsm), ("mgsm", mgsm), ("boxes", polymath)):
        frame = fetch_items(name, spec, ["eng_Latn"], mirror)
        for text, side in zip(frame["prompt"], frame["split"], strict=True):
            problem = text.split("?")[0].removeprefix("Question: ")
            assert sides.setdefault(problem, side) == side, problem
    assert len(sides) == 250 + 125
    assert sides == sides | {f"problem {place}": side for place, side in enumerate(mgsm_halves())}
    low = mgsm_halves()[:125]
    assert 50 <= low.count("report") <= 75, "both halves of PolyMath have enough items"


def test_halves_are_as_many_and_of_passages_whole() -> None:
    alone = halves("task", {str(item): str(item) for item in range(9)})
    assert sorted(alone.values()) == ["report"] * 5 + ["select"] * 4
    passages = halves("task", {f"{item}": f"passage {item // 3}" for item in range(12)})
    assert len(passages) == 4
    assert set(passages.values()) == set(SPLITS)


def test_check_says_that_two_tasks_are_one_set_of_items() -> None:
    file = read(ROOT / "params.yaml")
    tasks = {name: (file.tasks[name], ["eng_Latn"]) for name in ("mgsm", "polymath", "xquad")}
    (note,) = examine({}, tasks, []).notes
    assert note.startswith("tasks.polymath: its level low is the first 125 problems of `mgsm`, one set of items")
    assert examine({}, {"mgsm": tasks["mgsm"], "xquad": tasks["xquad"]}, []).notes == []

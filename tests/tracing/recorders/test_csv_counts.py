"""SGLang's CSV, one file a rank, and llama.cpp's."""

from pathlib import Path

import pytest

from polyroute.artifacts.recording import RecordingError
from polyroute.models.settings import Shape
from tracing.recorders.recording_of import COUNTS, routing

HEADER = "layer_id,expert_id,count\n"
ROWS = "3,0,2\n3,1,2\n3,2,1\n3,3,1\n4,0,1\n4,1,1\n4,2,3\n4,3,1\n"


def written(tmp_path: Path, text: str, name: str = "a.csv") -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_layers_keep_their_numbers_and_tokens_come_out_of_the_counts(tmp_path: Path) -> None:
    found = routing(written(tmp_path, HEADER + ROWS))
    assert (found.layers, found.tokens, found.counts_LE.tolist()) == ((3, 4), 3, COUNTS)
    assert found.soft_LE is None


@pytest.mark.parametrize("between", [";", "\t"])
def test_a_spreadsheets_semicolons_and_tabs_are_read_too(tmp_path: Path, between: str) -> None:
    found = routing(written(tmp_path, (HEADER + ROWS).replace(",", between)))
    assert (found.layers, found.counts_LE.tolist()) == ((3, 4), COUNTS)


def test_ranks_are_added_up_and_experts_without_a_row_are_0(tmp_path: Path) -> None:
    first = written(tmp_path, HEADER + "3,0,2\n3,3,2\n4,1,2\n4,2,2\n", "rank0.csv")
    other = written(tmp_path, HEADER + "4,2,1\n4,1,1\n3,3,1\n3,2,1\n", "rank1.csv")
    found = routing(first, other)
    assert (found.tokens, found.counts_LE.tolist()) == (3, [[2, 0, 1, 3], [0, 3, 3, 0]])


def test_llama_cpp_has_weights_beside(tmp_path: Path) -> None:
    rows = "".join(f"{row},0.500000\n" for row in ROWS.split())
    found = routing(written(tmp_path, "layer,expert,count,weight\n" + rows))
    assert (found.layers, found.counts_LE.tolist()) == ((3, 4), COUNTS)


def test_line_ends_of_other_machines_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(("\ufeff" + (HEADER + ROWS).replace("\n", "\r\n") + "\r\n").encode())
    assert routing(path).counts_LE.tolist() == COUNTS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + ROWS + "4,3,1\n", "line 10: layer 4, expert 3 is there twice"),
        (HEADER + ROWS.replace("4,3,1", "4,4,1"), "line 9, layer 4: there is no expert 4 of 4"),
        (HEADER + ROWS.replace("4,3,1", "4,3"), "line 9 has 2 cells, its header 3: cut short"),
        (HEADER + ROWS.replace("4,3,1", "4,3,-1"), "line 9, layer 4, expert 3: the count is '-1', not a whole"),
        (HEADER + ROWS.replace("4,3,1", "4,3,1.5"), "expert 3: the count is '1.5', not a whole"),
        (HEADER + ROWS.replace("4,3,1", f"4,3,{2**60}"), "more than 2.53"),
        (HEADER + ROWS.replace("4,3,1", "4,3,2"), "layer 4: counts add up to 7, no multiple of top_k = 2"),
        (HEADER + ROWS.replace("4,3,1", "4,3,3"), "tokens differ between layers: 3 in layer 3, 4 in layer 4"),
        (HEADER + ROWS.replace("4,", "5,").replace("5,0,1", "4,0,1"), "3 layers have choices"),
        (HEADER, r"0 layers have choices of experts \(none\), not 2"),
        ("layer_id,layer,expert_id,count\n", "names 2 columns `layer_id`"),
        ("layer_id,expert_id,n\n", "names 0 columns `count`"),
    ],
)  # fmt: skip
def test_what_cannot_be_names_the_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        routing(written(tmp_path, text))


def test_counts_of_2_to_the_40_stay_as_they_are(tmp_path: Path) -> None:
    rows = "".join(f"0,{expert},{2**40}\n" for expert in range(4))
    found = routing(written(tmp_path, HEADER + rows), shape=Shape(layers=1, experts=4, top_k=2))
    assert (found.tokens, found.counts_LE.tolist()) == (2**41, [[2**40] * 4])

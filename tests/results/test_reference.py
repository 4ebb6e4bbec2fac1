from polyroute.results import reference
from tiny import ROOT


def test_the_page_is_what_the_declarations_say() -> None:
    assert (ROOT / reference.PAGE).read_text() == reference.render(), (
        f"{reference.PAGE} is out of date: run `python -m polyroute.results.reference`"
    )


def test_a_column_is_told_with_type_bounds_unit_and_meaning() -> None:
    page = reference.render()
    assert "| `delta` | number in [-1, 1] | activation frequency | Delta, the difference" in page
    assert "| `draw` | whole number ≥ 0, or missing |  | Number of the random mask" in page
    assert "| `zone` | `early`, `middle`, `late`, empty |  | Mean over its layers" in page
    assert "| `early_minus_middle` | **Interval** |  | Early minus middle, over sentences. |" in page

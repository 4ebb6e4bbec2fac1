import json

from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.tracking import page
from tracking.small_study import read, write_tasks


def test_a_models_page_says_the_answer_first_then_leads_to_the_charts(paths: Paths) -> None:
    first, *rest = page.of_model(read(paths), ["figures/divergence-text.svg"]).splitlines()
    assert first == (
        "**U** over 2 languages on text: divergence from English is high in early and late layers and "
        "lower in between (means: early 0.400, middle 0.100, late 0.300); single languages: U 2. "
        "[Charts by layer](charts)"
    )
    assert "![Divergence by layer on text](figures/divergence-text.svg)" in rest
    assert rest[-2:] == ["| German | 0.400 | 0.100 | 0.300 | U |", "| Swahili | 0.400 | 0.100 | 0.300 | U |"]


def test_the_shape_is_that_over_languages_as_on_the_board_and_single_languages_follow(paths: Paths) -> None:
    table = paths.metrics("tiny") / "align.json"
    align = json.loads(table.read_text())
    measured = align["corpora"]["text"]["languages"]
    measured["deu_Latn"]["shape"] = "rising"
    measured["fra_Latn"] = measured["deu_Latn"]
    align["corpora"]["text"]["over_languages"] |= {"languages": 3, "shape": "unclear"}
    table.write_text(json.dumps(align))
    note = page.of_model(read(paths), [])
    assert note.startswith("**unclear** over 3 languages on text: divergence from English differs from")
    assert "single languages: rising 2, U 1." in note.splitlines()[0]


def test_a_figure_that_the_run_lacks_is_not_shown(paths: Paths) -> None:
    assert "![" not in page.of_model(read(paths), ["figures/entropy-text.svg"])


def test_a_languages_page_names_it_and_gives_its_accuracy(paths: Paths) -> None:
    write_tasks(paths)
    assert page.of_language(read(paths), "deu_Latn").splitlines() == [
        "**German: U** on text (soft_mass, 5 sentences): divergence from English is high in early and late layers and "
        "lower in between (early 0.400, middle 0.100, late 0.300). [Charts by layer](charts)",
        "",
        "Accuracy: arithmetic 90.0%, knowledge 80.0%",
    ]


def test_the_pivots_page_says_that_it_is_the_pivot(paths: Paths) -> None:
    note = page.of_language(read(paths), "eng_Latn")
    assert note == (
        "**English: the pivot**, from which divergence of the other languages is measured. [Charts by layer](charts)"
    )


def test_accuracy_of_a_model_is_of_the_languages_but_the_pivot(paths: Paths) -> None:
    write_tasks(paths)
    note = page.of_model(read(paths), [])
    assert "\nAccuracy (mean of the languages but the pivot): arithmetic 55.0%, knowledge 50.0%\n" in note


def test_links_lead_to_the_run_wherever_the_server_is() -> None:
    note = page.linked("[Charts by layer](charts) ![it](figures/divergence-text.svg) [else](https://a.org)", "3", "abc")
    assert note == (
        "[Charts by layer](#/experiments/3/runs/abc/model-metrics?workflowType=machine_learning) "
        "![it](get-artifact?path=figures%2Fdivergence-text.svg&run_uuid=abc) [else](https://a.org)"
    )


def test_a_page_of_all_languages_is_as_long_as_mlflow_takes_and_says_where_the_rest_is(paths: Paths) -> None:
    found = read(paths)
    measured = found.alignment.corpora["text"].languages
    measured |= dict.fromkeys(languages.codes(), measured["deu_Latn"])
    note = page.of_model(found, ["figures/divergence-text.svg"])
    assert len(page.linked(note, "1" * 18, "f" * 32)) < 5000
    lines = note.splitlines()
    assert f"single languages: U {len(languages.codes())}." in lines[0]
    assert lines[-1] == "Shortened; the rest is in `align.json`."
    assert lines[-3].count("|") == 6, "no row is cut in two"

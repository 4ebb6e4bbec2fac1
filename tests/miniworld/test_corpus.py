import pytest

from polyroute.ground.errors import PolyrouteError
from polyroute.miniworld import corpus, tables, world

LANGUAGES = list(tables.available())


def test_parallel_text() -> None:
    frame = corpus.parallel_corpus("report", 60, LANGUAGES, 7)
    assert list(frame.columns) == ["item_id", "language", "text"]
    assert len(frame) == 60 * len(LANGUAGES)
    assert (frame.groupby("item_id").language.nunique() == len(LANGUAGES)).all()
    assert (frame.groupby("language").text.nunique() == 60).all()


def test_by_default_the_whole_report_corpus() -> None:
    frame = corpus.parallel_corpus()
    assert set(frame.language) == set(tables.available())
    assert frame.item_id.nunique() == 400
    assert frame.item_id.str.startswith("generic-report-").all()


def test_items_keep_their_meaning_in_any_set_of_languages() -> None:
    both = corpus.parallel_corpus("report", 20, ["eng_Latn", "deu_Latn"], 7)
    german = corpus.parallel_corpus("report", 40, ["deu_Latn"], 7).head(20)
    assert both[both.language == "deu_Latn"].text.tolist() == german.text.tolist()
    other = corpus.parallel_corpus("report", 20, ["deu_Latn"], 8)
    assert not set(other.item_id) & set(german.item_id)
    assert other.text.tolist() != german.text.tolist()


@pytest.mark.parametrize("task", ["arithmetic", "knowledge"])
def test_in_task_text_is_english_and_different(task) -> None:
    frame = corpus.in_task_corpus(task, "report", 400, seed=7)
    assert list(frame.columns) == ["item_id", "language", "text"]
    assert set(frame.language) == {"eng_Latn"}
    assert frame.text.nunique() == frame.item_id.nunique() == 400
    assert frame.text.str.contains("Answer: ").all()
    assert not set(frame.text) & set(corpus.in_task_corpus(task, "select", 400, seed=7).text)


@pytest.mark.parametrize("task", ["arithmetic", "knowledge"])
def test_in_task_text_means_the_same_in_any_language(task) -> None:
    english = corpus.in_task_corpus(task, "select", 50, seed=7)
    both = corpus.in_task_corpus(task, "select", 50, ["deu_Latn", "eng_Latn"], seed=7)
    own = both[both.language == "eng_Latn"]
    assert own.text.tolist() == english.text.tolist()
    assert own.item_id.tolist() == english.item_id.tolist() == both[both.language == "deu_Latn"].item_id.tolist()
    german = both[both.language == "deu_Latn"].text
    assert german.nunique() == 50
    assert german.str.contains("Antwort: ").all()
    if task == "arithmetic":
        numbers = r"(\d+)"
        assert german.str.findall(numbers).tolist() == english.text.str.findall(numbers).tolist()


def test_bad_input_is_named() -> None:
    with pytest.raises(PolyrouteError, match="`bam_Latn`"):
        corpus.parallel_corpus("report", 1, ["eng_Latn", "bam_Latn"], 0)
    with pytest.raises(PolyrouteError, match="no task `medicine`"):
        corpus.in_task_corpus("medicine", "report", 1)
    with pytest.raises(PolyrouteError, match="7140 different texts in split `select`"):
        corpus.in_task_corpus("knowledge", "select", 10_000)


def test_more_items_than_the_world_has_are_refused_and_not_waited_for(monkeypatch):
    monkeypatch.setattr(world, "PEOPLE", world.PEOPLE[:2])  # of all of them it takes a quarter of a minute
    with pytest.raises(PolyrouteError, match=r"hardly more than \d+ items of arithmetic `select`, not 400000"):
        corpus.in_task_corpus("arithmetic", "select", 400_000)

from dataclasses import replace

from polyroute.report import worst
from polyroute.results.model import ModelResults


def with_middle(found: ModelResults, corpus: str, values: list[float]) -> ModelResults:
    held = found.alignment.corpora[corpus]
    codes = list(held.languages)[: len(values)]
    languages = {
        code: held.languages[code].model_copy(update={"middle": value})
        for code, value in zip(codes, values, strict=True)
    }
    corpora = {corpus: held.model_copy(update={"languages": languages})}
    return replace(found, alignment=found.alignment.model_copy(update={"corpora": corpora}))


def test_the_language_routed_least_like_the_pivot_is_the_worst(measured: list[ModelResults]) -> None:
    found = measured[0]
    corpus = next(iter(found.alignment.corpora))
    ends = worst.divergence(with_middle(found, corpus, [0.2, 0.41]), corpus)
    assert ends is not None
    assert ends.worst.endswith("(D 0.41)")
    assert ends.best.endswith("(D 0.20)")


def test_a_row_of_zeros_has_no_worst(measured: list[ModelResults]) -> None:
    found = measured[0]
    corpus = next(iter(found.alignment.corpora))
    assert worst.divergence(with_middle(found, corpus, [0.0, 0.0]), corpus) is None


def test_a_task_that_was_not_asked_has_no_worst(measured: list[ModelResults]) -> None:
    assert worst.accuracy(replace(measured[0], accuracy=None), "arithmetic") is None

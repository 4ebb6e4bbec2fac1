"""chrF against a plain count of n-grams, and its limits."""

from collections import Counter

import pytest

from polyroute.scoring import chrf

PAIRS = [
    ("Das ist ein Haus.", "Das ist das Haus."), ("abd", "abc"), ("ab", "abc"), ("你好，世界", "世界，你好"),
    ("यह घर है", "यह मेरा घर है"), ("هذا بيت", "هذا بيتي"), ("the house is red", "der Hund"),
]  # fmt: skip


def counted(text: str, order: int) -> Counter[str]:
    joined = "".join(text.split())
    return Counter(joined[place : place + order] for place in range(len(joined) - order + 1))


def plain(pairs: list[tuple[str, str]], beta: float = 2.0) -> float:
    """Popovic 2015, equation 1: F of precision and recall, each the mean over the orders that both texts have."""
    precision, recall = [], []
    for order in range(1, 7):
        shared = said = wanted = 0
        for output, reference in pairs:
            ours, theirs = counted(output, order), counted(reference, order)
            shared += (ours & theirs).total()
            said, wanted = said + ours.total(), wanted + theirs.total()
        if said and wanted:
            precision.append(shared / said)
            recall.append(shared / wanted)
    p, r = (sum(values) / len(values) if values else 0.0 for values in (precision, recall))
    return (1 + beta**2) * p * r / (beta**2 * p + r) if p + r else 0.0


def test_by_hand() -> None:
    # Of `abd` against `abc`: 2 of 3 letters, 1 of 2 pairs, 0 of 1 triple; precision and recall both 7/18.
    assert chrf.of_sentence("abd", "abc") == pytest.approx(7 / 18)
    # Of `ab`: all its letters and pairs; recall 2/3 and 1/2, mean 7/12; F2 = 5 * 7/12 / (4 + 7/12).
    assert chrf.of_sentence("ab", "abc") == pytest.approx(35 / 55)
    assert chrf.of_sentence("a b", "ab") == 1


@pytest.mark.parametrize(("output", "reference"), PAIRS)
def test_a_sentence_agrees_with_a_plain_count(output, reference) -> None:
    assert chrf.of_sentence(output, reference) == pytest.approx(plain([(output, reference)]))


def test_a_corpus_is_counted_together_and_is_not_the_mean_of_its_sentences() -> None:
    outputs, references = zip(*PAIRS, strict=True)
    together = chrf.of_corpus(outputs, references)
    assert together == pytest.approx(plain(PAIRS))
    assert together != pytest.approx(sum(map(chrf.of_sentence, outputs, references)) / len(PAIRS), abs=1e-3)


def test_limits() -> None:
    assert chrf.of_sentence("", "abc") == 0
    assert chrf.of_sentence("xyz", "abc") == 0
    assert chrf.of_corpus(["", "abc"], ["abc", "abc"]) < 1
    for _, reference in PAIRS:
        # Never above 1 by a rounding, which no paired comparison takes.
        assert 1 - 1e-12 < chrf.of_sentence(reference, reference) <= 1

"""What models may write: every reader of answers gives a result, whatever it is handed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from polyroute.languages import table
from polyroute.scoring import formulas, numbers, spans
from properties.made import few

CODES = sorted(table.codes())
pieces = st.sampled_from([
    "\\boxed{", "}", "{", "$", "\\frac", "\\frac{1}{2}", "1,000", "1.000,5", "12e5", "10^", "^{", "−", "-", "%", "½",
    "٣٤", "百万", "三", "Answer:", "答案：", "####", "\n", " ", "=", "\\text{", "\\times", "1/0", "0/0", "\\sqrt{",
    "million", "9" * 500, "1e999999", "\u200b", "\ud800", "**", "(", ")", ",", ".", "१२", "½/3", "10**99999",
    "\\overline{3}", "<think>",
])  # fmt: skip
written = st.one_of(st.lists(pieces | st.text(max_size=4), max_size=8).map("".join), st.text(max_size=40))


@few
@given(text=written, language=st.sampled_from(CODES))
@example(text="10^999999999", language="eng_Latn")
@example(text="1e999999999999", language="deu_Latn")
@example(text="\\boxed{" * 2000, language="eng_Latn")
def test_a_number_is_read_from_any_text_or_none_is(text, language) -> None:
    found = numbers.extract(text, language)
    assert found is None or Decimal(found).is_finite()
    if found is not None:
        assert numbers.canonical(found) == numbers.canonical(numbers.canonical(found))
    first = numbers.first_boxed(text, language)
    assert first is None or Decimal(first).is_finite()


@few
@given(value=st.integers(-(10**12), 10**12), language=st.sampled_from(CODES))
def test_a_plain_number_in_a_box_is_itself_in_every_language(value, language) -> None:
    assert numbers.extract(f"\\boxed{{{value}}}", language) == str(value)


@few
@given(text=written, answer=written, language=st.sampled_from(CODES))
def test_spans_are_compared_whatever_they_are(text, answer, language) -> None:
    assert 0 <= spans.f1(text, answer, language) <= 1
    assert spans.exact_match(text, text, language)
    assert spans.normalised(spans.normalised(text, language), language) == spans.normalised(text, language)
    if spans.normalised(text, language) and spans.exact_match(text, answer, language):
        assert spans.f1(text, answer, language) == 1
    assert spans.includes(text, answer, language) in (True, False)


@few
@given(text=written)
@example(text="\\boxed{" + "{" * 3000)
def test_formulas_are_compared_whatever_is_written(text) -> None:
    pytest.importorskip("math_verify")
    found, right = formulas.compare(text, "$\\frac{1}{2}$")
    assert right in (True, False)
    assert found is None or isinstance(found, str)

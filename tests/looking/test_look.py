"""One text looked at: numbers by hand, and those of the traces."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

import polyroute
from polyroute.artifacts.trace import Trace, TraceHeader
from polyroute.looking import colours, page, terminal, words
from polyroute.looking.look import Look, LookError, look
from polyroute.looking.passes import DROPPED, Pass, Token
from polyroute.steering.plan import Plan, PlanError

ENGLISH, GERMAN = "a cat and a dog", "eine katze und ein hund"


def made(ids_TLK: list, soft_LE: list, text: str, language: str = "eng_Latn") -> Pass:
    """A pass of E = 4 and K = 2 in one or two layers."""
    ids = np.array(ids_TLK)
    layers = ids.shape[1]
    counts = [[int((ids[:, layer] == expert).sum()) for expert in range(4)] for layer in range(layers)]
    header = TraceHeader(
        model="m", model_digest="", corpus="c", corpus_digest="", language=language, engine="transformers",
        dtype="float32", device="cpu", layers=tuple(range(5, 5 + layers)), experts=4, top_k=2, selection=(),
        settings={}, versions={},
    )  # fmt: skip
    soft = np.array([soft_LE], dtype=np.float32)
    trace = Trace(header, ("text",), np.array([len(ids)]), np.array([counts]), soft, soft)
    tokens = tuple(Token(word, True) for word in text.split())
    return Pass(tokens, ids, np.where(ids == DROPPED, 0, 0.5).astype(float), trace)


# Layer 5: tokens {0,1} {0,2} against {0,1} {3,1}; layer 6: {2,3} {2,1} against {0,1}, and {0} with a choice dropped.
FIRST = made([[[0, 1], [2, 3]], [[0, 2], [2, 1]]], [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]], "the dog")
SECOND = made([[[0, 1], [0, 1]], [[3, 1], [0, DROPPED]]], [[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]], "der Hund")
PAIR = Look("m", ("the dog", "der Hund"), (FIRST, SECOND))


def test_divergence_and_shared_experts_by_hand() -> None:
    # Layer 5: the same shares, D 0. Layer 6: none in common, and their midpoint is uniform, D 1.
    np.testing.assert_allclose(PAIR.divergence(), [0, 1], atol=1e-9)
    # Most used in layer 5: 0 (twice), then 1 before 2, each once, by its probability; of the other 1 (twice), then 0.
    assert PAIR.most_used(0) == [[0, 1], [2, 3]]
    assert PAIR.most_used(1) == [[1, 0], [0, 1]]
    assert PAIR.shared() == [[0, 1], []]
    np.testing.assert_allclose(PAIR.evenness(0), [0.5, 0.5])  # ln 2 / ln 4
    assert PAIR.by_layer().index.tolist() == [5, 6]
    assert words.headline(PAIR) == (
        "The two texts are routed most alike in layer 5 (D .00) and least alike in layer 6 (D 1.00)."
    )


def test_the_nearest_token_has_most_experts_in_common() -> None:
    other_TL, common_TL = PAIR.nearest(0)
    # {0,1}: the first, both; {0,2}: 0 of the first. Layer 6: {2,3} none; {2,1}: 1 of the first.
    assert common_TL.tolist() == [[2, 0], [1, 1]]
    assert other_TL[:, 0].tolist() == [0, 0]
    # {3,1}: 1 of the first. The dropped choice is shared with nobody.
    assert PAIR.nearest(1)[1].tolist() == [[2, 1], [1, 0]]


def test_a_plan_shows_which_tokens_changed_experts() -> None:
    # The same set in another order is no change.
    after = made([[[1, 0], [2, 3]], [[0, 3], [2, 1]]], [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]], "the dog")
    plan = Plan(model="m", experts_per_layer=4, top_k=2, rule="mask", experts={5: [2]})
    seen = Look("m", ("the dog",), (FIRST,), (after,), plan)
    assert seen.rerouted(0).tolist() == [[False, False], [True, False]]
    assert seen.rerouted_share().tolist() == [0.5, 0]
    np.testing.assert_allclose(seen.effect(0), [0, 0], atol=1e-9)
    assert (PAIR.rerouted(0), PAIR.effect(0), seen.divergence(), seen.nearest(0), seen.shared()) == (None,) * 5
    assert words.effect(seen) == "The plan (mask, layer 5) sends 50% of the tokens to other experts in layer 5."
    unmoved = dataclasses.replace(seen, after=(FIRST,))
    assert words.effect(unmoved) == "The plan (mask, layer 5) sends no token to other experts."


def test_numbers_are_those_of_the_traces_of_a_model(model, tokenizer) -> None:
    seen = look(model, tokenizer, ENGLISH, against=GERMAN)
    first, second = (polyroute.trace(model, tokenizer, [text]) for text in (ENGLISH, GERMAN))
    np.testing.assert_array_equal(seen.divergence(), polyroute.divergence(first, second).to_numpy()[0])
    counts_LE = seen.before[0].chosen_TLE().sum(axis=0)
    np.testing.assert_array_equal(counts_LE, first.topk_count[0])
    weights = seen.before[0].weights_TLK
    assert (np.diff(weights, axis=-1) <= 0).all()
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)
    assert "".join(token.text for token in seen.before[0].tokens) == ENGLISH.replace(" ", "␣")


def test_under_a_plan_it_is_the_steered_model_that_is_seen(model, tokenizer) -> None:
    plan = Plan.for_model(model, {1: [3]}, rule="activate")
    seen = look(model, tokenizer, ENGLISH, plan=plan)
    assert seen.after[0].chosen_TLE()[:, 1, 3].all()
    assert not seen.before[0].chosen_TLE()[:, 1, 3].all()
    assert not seen.rerouted(0)[:, 0].any()
    assert seen.effect(0)[0] == 0
    with polyroute.steer(model, plan):
        steered = polyroute.trace(model, tokenizer, [ENGLISH])
    np.testing.assert_array_equal(seen.after[0].trace.soft_mass, steered.soft_mass)
    again = look(model, tokenizer, ENGLISH)
    np.testing.assert_array_equal(again.before[0].trace.soft_mass, seen.before[0].trace.soft_mass)
    none = look(model, tokenizer, ENGLISH, GERMAN, Plan.for_model(model, {1: [3]}, strength=0.0))
    assert not none.rerouted_share().any()
    with pytest.raises(PlanError, match="layer 9 has no router"):
        look(model, tokenizer, ENGLISH, plan=plan.model_copy(update={"experts": {9: (1,)}}))


@pytest.mark.parametrize("texts", [("", None), ("a cat", "  ")])
def test_a_text_without_characters_is_refused(model, tokenizer, texts) -> None:
    with pytest.raises(LookError, match="there is no text"):
        look(model, tokenizer, *texts)


def test_colours_go_to_the_commonest_first_experts() -> None:
    # First experts of layer 5: 0, 0 and 0, 3; of layer 6: 2, 2 and 0, 0.
    assert colours.by_layer(PAIR) == [{0: 0, 3: 1}, {0: 0, 2: 1}]
    assert [colours.ink(colour) for colour in ("#f0e442", "#0072b2", "#000000")] == ["#000000", "#ffffff", "#ffffff"]


class Seen(HTMLParser):
    """Whether tags nest, and what is asked of elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.targets += [given["for"]] if "for" in given else []
        self.addresses += [value for key, value in attrs if key in ("src", "href")]
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("texts", "steered"), [((ENGLISH, None), False), ((ENGLISH, GERMAN), False), ((ENGLISH, GERMAN), True)]
)
def test_the_page_is_whole_and_asks_for_nothing(model, tokenizer, tmp_path, texts, steered) -> None:
    plan = Plan.for_model(model, {1: [3, 4]}, rule="activate") if steered else None
    seen = look(model, tokenizer, *texts, plan)
    seen.save(str(tmp_path / "page.html"))
    html = (tmp_path / "page.html").read_text("utf-8")
    parsed = Seen()
    parsed.feed(html)
    assert parsed.open == []
    assert parsed.addresses == []
    assert "<script" not in html
    assert "url(" not in html
    assert len(parsed.ids) == len(set(parsed.ids))
    assert set(parsed.targets) <= set(parsed.ids)
    assert html.count(" checked>") == 1
    assert html.count('<div class="layer l') == html.count("<label ") == 3
    assert seen._repr_html_() in html
    assert page.page(seen) == html
    assert len(html) < 200_000
    assert ("moved" in re.sub(r"<style>.*?</style>", "", html, flags=re.S)) == steered


def test_text_is_escaped(model, tokenizer) -> None:
    html = look(model, tokenizer, "<b>&", name="<i>")._repr_html_()
    assert "<b>&<" not in html
    assert "&lt;i&gt;" in html


def test_the_terminal_has_a_row_a_token_and_a_layer() -> None:
    lines = str(PAIR).splitlines()
    assert lines[0].startswith("m: 2 layers, each token sent to 2 of 4 experts")
    rows = [line.split() for line in lines]
    assert ["5", ".00", "2", "of", "2", "0,", "1"] in rows
    assert ["6", "1.00", "█" * 24, "0", "of", "2"] in rows
    shown = {row[0]: row[1:] for row in rows if row and row[0] in ("dog", "Hund")}
    assert [cell.strip("\u200e") for cell in shown["dog"] if cell.strip("\u200e")] == ["0▄", "2▄"]


def test_layers_that_do_not_fit_are_left_out_evenly() -> None:
    deep = Look("m", ("dog",), (made([[[0, 1]] * 40], [[0.5, 0.5, 0, 0]] * 40, "dog"),))
    places = terminal._fitting(deep, 30)
    assert (places[0], places[-1]) == (0, 39)
    assert len(places) == 12
    assert terminal._fitting(deep, 200) == list(range(40))


def test_pieces_of_a_character_are_marked() -> None:
    from transformers import AutoTokenizer

    from polyroute.looking.passes import _tokens
    from tiny import ROOT

    tokenizer = AutoTokenizer.from_pretrained(ROOT / "models" / "pocket-plain")
    encoding = tokenizer("The farmer 犛.", return_special_tokens_mask=True)
    counted = np.array(encoding["special_tokens_mask"]) == 0
    shown = _tokens(tokenizer, "The farmer 犛.", counted)
    assert [token.text for token in shown if token.text != "·"] == ["The", "farmer", "犛", "."]
    assert [token.begins for token in shown][:2] == [True, True]
    assert torch.tensor(counted).sum() == len(shown)

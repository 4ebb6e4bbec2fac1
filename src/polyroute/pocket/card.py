"""The model card of a pocket model: what it is made from, what was planted, and what it can do."""

from __future__ import annotations

from typing import Any

from polyroute.languages import table as languages
from polyroute.miniworld import items, world
from polyroute.pocket import documents, schedule, scores
from polyroute.pocket.recipe import PocketRecipe

_TEXT = """\
---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
---
# {name}

A very small mixture-of-experts language model ({architecture}; {layers} layers, {experts} experts a layer of which
{top_k} serve a token) of polyroute's mini world. It is a calibration standard for measuring how experts are used across
languages: what went in is known. It speaks of nothing but its mini world and is of no other use.

{planted}

## Data

Documents generated from meanings and said in {count} languages from phrase tables written for this project: sentences
about who does what where, word problems of one operation, and {facts} invented facts. English states every fact, any
other language {known:.0%} of them. Documents in English: {english_share:.1%} of all ({english}); each
other language has {falloff} times as many as the one before it in the table below ({others}).
Meanings are divided into training, selection and report splits for good; the scores below are on the report split.
A fact of the report split is stated in training but never asked for.

## Training

{training} The byte-level tokenizer has {vocabulary} entries and was
trained on the same mixture.

## Scores

Loss: nats a token on {documents} held-out generic documents (tokens differ between languages: compare down a column
only with care). Tokens: of such a document, on average. Accuracy: share of items whose right answer is the likeliest of
{choices} (chance {chance:.0%}); {problems} word problems, {asked} facts. Stated: facts that training states in that
language; transfer: the others, which only English states.

{table}
"""


_TRAINED = """\
{tokens:,} tokens in {steps:,} steps of {rows} x {columns}, AdamW at {learning_rate} (betas {betas}, weight decay
{weight_decay}), bfloat16 autocast, loss weight {answer_weight:g} on answers, load-balancing loss {balance_weight}. Seed
{seed}. `training.csv` holds the loss curve."""
_UNTRAINED = "None: these are the random weights of seed {seed}."

_PLANTED = """\
**Planted: alignment of languages in {where}.** Besides next-token prediction (with the usual load-balancing
loss), a loss of weight {weight} trained it to route translations alike there. Each step drew {pairs} English sentences,
each with a translation into a language drawn evenly; these sentences are not in the count of tokens below. Every
English sentence was compared with every translation by the Bhattacharyya coefficient of their mean distributions over
experts (softmax of the router logits, averaged over the sentence's tokens). The loss is InfoNCE over these coefficients
at temperature {temperature}, from English and into English{averaged}.
Languages align there because they were trained to: an instrument should see it, and that proves nothing about models
in which nothing was planted."""
_SHUFFLED = """\
**Control of planting: pairs shuffled, in {where}.** It was trained as if alignment were planted there, with a loss of
weight {weight} beside next-token prediction (with the usual load-balancing loss), but with nothing to align: each
step drew {pairs} English sentences and paired each with the translation of another, into a language drawn evenly;
these sentences are not in the count of tokens below. The loss is InfoNCE over the Bhattacharyya coefficients of the
sentences' mean distributions over experts (softmax of the router logits, averaged over the sentence's tokens) at
temperature {temperature}, from English and into English{averaged}. What an instrument reads here and not where
nothing was planted comes from the loss, not from translations."""
_NOTHING = """\
**Planted: nothing.** It was trained on next-token prediction alone (with the usual load-balancing loss)."""
_RANDOM = "**Planted: nothing. Untrained:** whatever an instrument finds here beyond chance is its own fault."


def write(name: str, recipe: PocketRecipe, measured: dict[str, Any]) -> str:
    """The card's text.

    Args:
        name: the model's.
        recipe: what it was made by.
        measured: what `scores.score` returned for it.
    """
    steps = schedule.steps(recipe)
    knobs = recipe.model_dump() | {
        "betas": "{} and {}".format(*recipe.betas), "tokens": schedule.tokens(recipe, steps), "steps": steps
    }  # fmt: skip
    return _TEXT.format(
        **knobs,
        name=name,
        planted=_planted(recipe),
        training=(_TRAINED if steps else _UNTRAINED).format(**knobs),
        count=len(recipe.languages),
        facts=len(world.facts()),
        known=world.KNOWN,
        english=_mixture(recipe.english_mixture.model_dump()),
        others=_mixture(recipe.other_mixture.model_dump()),
        documents=scores.DOCUMENTS,
        problems=scores.PROBLEMS,
        asked=sum(fact.split == "report" for fact in world.facts()),
        choices=items.CHOICES,
        chance=1 / items.CHOICES,
        table=_table(recipe, measured),
    )


def _planted(recipe: PocketRecipe) -> str:
    if not recipe.plant:
        return _NOTHING if recipe.tokens else _RANDOM
    several = len(recipe.plant.layers) > 1
    listed = " and ".join(str(layer) for layer in recipe.plant.layers)
    return (_SHUFFLED if recipe.plant.shuffled else _PLANTED).format(
        **recipe.plant.model_dump(),
        where=f"layer{'s' if several else ''} {listed}",
        averaged=", averaged over the layers" if several else "",
    )


def _mixture(shares: dict[str, float]) -> str:
    total = sum(shares.values())
    return ", ".join(f"{share / total:.0%} {kind}" for kind, share in shares.items())


def _table(recipe: PocketRecipe, measured: dict[str, Any]) -> str:
    lines = [
        "| language | documents | tokens | loss | arithmetic | knowledge | stated | transfer |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for code, share in documents.language_shares(recipe).items():
        row = measured[code]
        accuracies = [row[key] for key in ("arithmetic", "knowledge", "knowledge_stated", "knowledge_transfer")]
        cells = ["–" if accuracy is None else f"{accuracy:.1%}" for accuracy in accuracies]
        name = languages.get(code).name
        lines.append(
            f"| {name} ({code}) | {share:.2%} | {row['tokens']:.1f} | {row['loss']:.3f} | {' | '.join(cells)} |"
        )
    return "\n".join(lines)

"""What claims are about: about ten questions, each a line of the short board and a section of the report.

A claim that no topic names is in the last one, so that a new claim is shown without an entry here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from polyroute.claims.claim import Claim
from polyroute.results.claims import ClaimsSummary, Code


@dataclass(frozen=True)
class Topic:
    """One question."""

    name: str
    """In anchors."""
    question: str
    short: str
    """The lead claim in a few words, to stand in a sentence as what holds or does not."""
    claims: tuple[str, ...]
    """Ids, or what ids start with where it ends in a dot; the first is the lead, whose verdict the board shows. Of a
    lead of several claims, each of other models, it is that of the first that could be tested."""
    learnt: str
    """How to read the section's figures, in a sentence or two."""


TOPICS = (
    Topic(
        "depth", "Does routing diverge in the first and last layers and converge in between?", "a U over depth",
        ("p1.u_shape", "p1.domain_cap", "p1.bambara_high", "p1.phi_first_layer", "own.english_floor",
         "own.equal_budget", "own.fertility_regressed", "own.other_pivot", "own.prompt_and_generated",
         "own.unknown_languages_high"),
        "Divergence D compares which experts a sentence and its English translation are sent to: 0 is the same "
        "routing, 1 no expert in common. A U is high, low, high.",
    ),
    Topic(
        "alignment", "Are translations routed alike, beyond chance?", "translations aligned beyond random weights",
        ("own.translation_nearest", "own.equal_positions", "own.length_matched"),
        "Alignment compares a translation with other sentences of the same length: 0 is no closer than these, 1 the "
        "same routing.",
    ),
    Topic(
        "entropy", "Does routing entropy fall with depth, and more steeply outside English?",
        "entropy that falls with depth",
        ("p1.entropy_by_depth", "p1.entropy_last_drop", "p1.consistency_low_resource"),
        "Entropy is how evenly a router spreads over experts; consistency is how many experts two tokens of a sentence "
        "share.",
    ),
    Topic(
        "accuracy", "Do languages that are routed more like English get better answers?",
        "better answers closer to English",
        ("p1.correlation", "own.not_fertility"),
        "Each point is a language. The verdict rests on one number a language, its mean divergence in the middle zone. "
        "Correlation does not imply causation.",
    ),
    Topic(
        "families", "Are related languages routed alike?", "relatives routed alike",
        ("p2.families", "own.families_beyond_script", "own.token_identity"),
        "Languages that join further right are routed more alike. Relatives also share scripts and words, so these "
        "rival explanations stand beside.",
    ),
    Topic(
        "experts", "Do languages have exclusive experts, mostly in the first and last layers?",
        "language-specific experts at both ends",
        ("p2.layerwise_hub", "p2.high_share_low_exclusive", "p2.exclusive_despite_lower_accuracy",
         "own.permuted_sentences"),
        "An expert is exclusive to a language that holds most of its use, and shared if it is among the most used of "
        "some language and no language holds most of it.",
    ),
    Topic(
        "tasks", "Do task experts differ from multilingual experts?",
        "task experts apart from multilingual ones",
        ("p1.no_overlap", "p1.expert_counts", "own.turn_experts", "own.expert_sets_stable"),
        "Delta is how much more often an expert is chosen on a task, or in another language, than on generic English. "
        "Above tau it is an expert of that task, or multilingual.",
    ),
    Topic(
        "steering", "Does steering toward task experts help, more than toward random ones?", "the published gain",
        ("p1.gain.", "p1.cell.", "p1.gains_low_resource", "p1.english_unharmed", "p1.ablation."),
        "A plan is chosen on one half of the items and evaluated on the other. It helps only if it does better than "
        "random experts in its place.",
    ),
    Topic(
        "shared", "Does steering toward shared experts help?", "gains from shared experts",
        ("p2.magnitude_steering_helps", "p2.more_for_relatives", "p2.language_kept"),
        "The experts that two dominant languages share in the middle layers are raised by a part of their own logits.",
    ),
    Topic(
        "masks", "Does masking a language's exclusive experts hurt that language most?",
        "masks that hurt all languages in the middle and the own one at both ends",
        ("p2.middle_masks_differ", "p2.mask_own_more"),
        "The experts exclusive to one language (columns) are taken away, and every language is asked (rows). Random "
        "masks of as many, as frequent experts stand below.",
    ),
)  # fmt: skip
SHORT = {
    "p1.domain_cap": "a cap for domains",
    "p1.bambara_high": "Bambara far throughout",
    "p1.phi_first_layer": "one set of experts in Phi's first layer",
    "own.english_floor": "languages above English's floor",
    "own.equal_budget": "a U at equal tokens",
    "own.fertility_regressed": "a U beyond fertility",
    "own.other_pivot": "a U whichever language is the pivot",
    "own.prompt_and_generated": "alike in prompt and answer",
    "own.unknown_languages_high": "unknown languages far",
    "own.equal_positions": "alignment at equal positions",
    "own.length_matched": "alignment at equal length",
    "p1.entropy_last_drop": "an entropy drop in the last layers",
    "p1.consistency_low_resource": "more consistent low-resource languages",
    "own.not_fertility": "divergence beyond fertility",
    "own.families_beyond_script": "relatives alike across scripts",
    "own.token_identity": "distance beyond common tokens",
    "p2.high_share_low_exclusive": "shared experts for high-resource languages, exclusive ones for low-resource ones",
    "p2.exclusive_despite_lower_accuracy": "more exclusive experts, worse answers",
    "own.permuted_sentences": "experts that tell the language",
    "own.turn_experts": "experts of the task, not the turn",
    "own.expert_sets_stable": "the same experts on other sentences",
    "p1.gains_low_resource": "more gain in low-resource languages",
    "p1.english_unharmed": "English unharmed",
    "p2.more_for_relatives": "more gain for relatives",
    "p2.language_kept": "answers that keep their language",
    "p2.mask_own_more": "masks that hurt the own language most",
}
"""Claim -> a few words for it; a claim without them stands as it is stated."""
OTHER = Topic("other", "Other claims", "", (), "Claims that belong to no section above.")


def short(claim: str) -> str:
    """A few words for a claim; empty where it has none."""
    leads = {topic.claims[0]: topic.short for topic in TOPICS}
    return SHORT.get(claim) or leads.get(claim, "")


def lead(topic: Topic, ids: Sequence[str]) -> list[str]:
    """The claims, of a topic's ids, that speak for it: one, or one a model and task."""
    first = topic.claims[0] if topic.claims else ids[0]
    return [one for one in ids if one == first or (first.endswith(".") and one.startswith(first))] or [ids[0]]


def speaking(ids: Sequence[str], found: ClaimsSummary) -> Code | None:
    """The verdict on the first of some claims that could be tested in a model; None where none was asked."""
    codes = [found.claims[claim].code for claim in ids if claim in found.claims]
    return next((code for code in codes if code != "cannot_be_tested"), codes[0] if codes else None)


def by_topic(claims: Mapping[str, Claim] | Iterable[str]) -> dict[Topic, list[str]]:
    """Topic -> ids of its claims, the lead first; topics without claims are there too, `OTHER` only with some."""
    ids = list(claims)
    found: dict[Topic, list[str]] = {topic: [] for topic in TOPICS}
    left = dict.fromkeys(ids)
    for topic in TOPICS:
        for wanted in topic.claims:
            found[topic] += [one for one in left if one == wanted or (wanted.endswith(".") and one.startswith(wanted))]
            left = {one: None for one in left if one not in found[topic]}
    return found | ({OTHER: list(left)} if left else {})

"""A verdict on every claim, asked of one model.

    replicated        all of `replicated_if` hold
    not replicated    one of `not_replicated_if` does
    inconclusive      all that matters is known and neither is so
    cannot be tested  something unknown could still decide

The claims' own p-values are corrected together (Benjamini and Hochberg); a claim that would be replicated, but whose q
is above .05, is inconclusive.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from polyroute.claims import correlation, experts, families, first_tokens, generated, masking, routing, steering, turns
from polyroute.claims.asked import NAMES, Asked, Found, Provider
from polyroute.claims.claim import Claim, Claims
from polyroute.claims.conditions import Condition, decide
from polyroute.claims.nulls import from_nulls
from polyroute.results.claims import ClaimsSummary, ClaimVerdict, Code, Held, Missing, StandIn
from polyroute.results.quantities import rounded
from polyroute.stats.fdr import benjamini_hochberg

LEVEL = 0.05
"""Of q, above which a claim is not replicated."""
PROVIDERS: dict[str, Provider] = {
    "p1.u_shape": routing.u_shape,
    "p1.domain_cap": routing.domain_cap,
    "p1.bambara_high": routing.bambara_high,
    "p1.phi_first_layer": experts.first_layer,
    "p1.correlation": correlation.divergence_and_accuracy,
    "p1.entropy_by_depth": routing.entropy_by_depth,
    "p1.entropy_last_drop": routing.entropy_last_drop,
    "p1.consistency_low_resource": routing.consistency,
    "p1.no_overlap": experts.no_overlap,
    "p1.gain": steering.gain,
    "p1.cell": steering.gain,
    "p1.gains_low_resource": steering.low_resource,
    "p1.english_unharmed": steering.english_unharmed,
    "p1.ablation.outside_middle": steering.outside_middle,
    "p1.ablation.multilingual_experts": steering.multilingual,
    "p1.ablation.random_experts": steering.random_experts,
    "p1.ablation.deactivate": steering.deactivated,
    "p2.families": families.families,
    "p2.layerwise_hub": families.hub,
    "p2.high_share_low_exclusive": families.share_and_exclusive,
    "p2.exclusive_despite_lower_accuracy": families.exclusive_and_accuracy,
    "p2.middle_masks_differ": masking.middle_masks,
    "p2.mask_own_more": masking.own_more,
    "p2.more_for_relatives": steering.for_relatives,
    "own.translation_nearest": routing.translation_nearest,
    "own.turn_experts": turns.turn_experts,
    "own.not_fertility": correlation.not_fertility,
    "own.permuted_sentences": families.permuted_sentences,
    "own.english_floor": routing.english_floor,
    "own.equal_budget": first_tokens.equal_budget,
    "own.equal_positions": first_tokens.equal_positions,
    "own.length_matched": routing.length_matched,
    "own.fertility_regressed": routing.fertility_regressed,
    "own.token_identity": families.token_identity,
    "own.prompt_and_generated": generated.prompt_and_generated,
    "own.other_pivot": families.other_pivot,
    "own.expert_sets_stable": experts.sets_stable,
    "own.families_beyond_script": families.families_beyond_script,
    "own.unknown_languages_high": routing.unknown_languages_high,
}
"""Claim, or what the names of several begin with -> what gives its quantities; of any other the study computes none."""
_STAGES = {
    "experts": "experts", "similarity": "similarity", "evaluate": "accuracy", "correlate": "correlations",
    "steer": "steering", "mask": "masking",
}  # fmt: skip
"""Stage that a claim needs -> where its results are."""


def judge(claims: Claims, asked: Asked) -> ClaimsSummary:
    """The verdicts on every claim.

    Args:
        claims: with their locks.
        asked: a model's results; a stage that has not run makes claims untestable, and no error.

    Raises:
        ResultsError: a file of results is not as declared.
    """
    verdicts = {name: _alone(claims, claim, asked) for name, claim in claims.by_id.items()}
    return ClaimsSummary(model=asked.results.model, claims=dict(corrected(verdicts)))


def corrected(verdicts: dict[str, ClaimVerdict]) -> Iterable[tuple[str, ClaimVerdict]]:
    """Verdicts with q over all that have a p."""
    q = benjamini_hochberg([np.nan if one.p is None else one.p for one in verdicts.values()])
    for (name, one), adjusted in zip(verdicts.items(), q, strict=True):
        known = None if np.isnan(adjusted) else rounded(float(adjusted))
        code: Code = "inconclusive" if one.alone == "replicated" and known is not None and known > LEVEL else one.alone
        yield name, one.model_copy(update={"q": known, "code": code})


def over_models(claim: Claim, codes: dict[str, Code]) -> Code | None:
    """What a claim comes to over the models that it is made of.

    Args:
        claim: which says in how many it must hold or fail; in every one if it does not.
        codes: model -> verdict.

    Returns:
        None where none of its models was measured; `inconclusive` where models differ.
    """
    asked = [codes[model] for model in claim.models if model in codes]
    if not asked:
        return None
    wanted = claim.over_models
    if asked.count("not_replicated") >= (wanted.not_replicated or len(claim.models)):
        return "not_replicated"
    if asked.count("replicated") >= (wanted.replicated or len(claim.models)):
        return "replicated"
    return "cannot_be_tested" if "cannot_be_tested" in asked or len(asked) < len(claim.models) else "inconclusive"


def _alone(claims: Claims, claim: Claim, asked: Asked) -> ClaimVerdict:
    model = asked.model
    found = Found(claim)
    found.values |= claim.thresholds(model)
    stranger = claim.only_named and model not in claim.models
    if not stranger:
        provider = PROVIDERS.get(claim.id) or PROVIDERS.get(claim.id.rsplit(".", 2)[0])
        if provider is not None:
            provider(asked, found)
        from_nulls(asked, found)
        _differences_of_setting(claim, asked, found)
    values = {name: rounded(value) for name, value in found.values.items()}
    code = decide(claim.replicates, claim.refutes, values)
    needed_of, needed = claim.power.needed or (None, None)
    at_hand = {"languages": found.languages, "items": found.items}.get(needed_of or "")
    effect, published = values.get(f"{claim.effect}.value", values.get(claim.effect)), _published(claim)
    lock = claims.locks.get(claim.id)
    return ClaimVerdict(
        code=code, alone=code, effect=effect,
        low=values.get(f"{claim.effect}.low", values.get(f"{claim.effect}.ci90_low")),
        high=values.get(f"{claim.effect}.high", values.get(f"{claim.effect}.ci90_high")),
        p=values.get(claim.p or f"{claim.effect}.p"), q=None,
        null=values.get(claim.beats or ""), published=published,
        distance=None if effect is None or published is None else rounded(effect - published),
        replicated_if=_held(claim.replicates, values), not_replicated_if=_held(claim.refutes, values),
        values=values,
        missing={
            quantity: _missing(claim, quantity, asked, found, stranger)
            for quantity in sorted({claim.quantity_of(symbol) for symbol in claim.symbols if symbol not in values})
        },
        stand_ins=found.stand_ins, languages=found.languages, items=found.items,
        needed=needed, needed_of=needed_of,
        could_see=None if needed is None or at_hand is None else at_hand >= needed,
        digest=claim.digest, lock=claims.lock_of(claim),
        fixed_on=lock.fixed_on if lock else None, fixed_by=lock.fixed_by if lock else None,
    )  # fmt: skip


def _differences_of_setting(claim: Claim, asked: Asked, found: Found) -> None:
    """What the claim's source had and this model has not."""
    corpora = claim.needs.corpora
    if corpora and asked.corpus not in corpora:
        found.stand_in(StandIn(kind="corpus", used=asked.corpus, meant=corpora[0]))
    for setting in claim.needs.settings:
        found.stand_in(StandIn(kind="setting", used="", meant=setting))


def _stood_for(asked: Asked) -> set[str]:
    """Tasks that claims name and that the model is asked, or a task that stands for them."""
    return {NAMES[role] for role in asked.settings.roles.values()} | set(asked.settings.roles)


def _missing(claim: Claim, quantity: str, asked: Asked, found: Found, stranger: bool) -> Missing:
    """Why a quantity, or a part of it, is unknown: the first reason that holds."""
    if stranger:
        return Missing(kind="model", what=", ".join(claim.models))
    if quantity in found.missing:
        return found.missing[quantity]
    for stage, part in _STAGES.items():
        if stage in claim.needs.stages and getattr(asked.results, part) is None:
            return Missing(kind="stage", what=stage)
    for stage in ("steer", "mask"):
        if stage in claim.needs.stages and not asked.edited:
            return Missing(kind="edits", what=stage)
    if quantity in claim.needs.new:
        return Missing(kind="new", what=claim.needs.new[quantity])
    lacking = [task for task in claim.needs.tasks if task not in _stood_for(asked)]
    if lacking:
        return Missing(kind="task", what=", ".join(lacking))
    if asked.alignment.lacking:
        return Missing(kind="few", what="sentences and router logits, which recorded counts do not hold")
    return Missing(kind="few", what="languages, sentences or items")


def _held(conditions: list[Condition], values: dict[str, float]) -> list[Held]:
    return [Held(condition=condition.text, holds=condition.holds(values)) for condition in conditions]


def _published(claim: Claim) -> float | None:
    for one in claim.published:
        if one.of == claim.effect and isinstance(one.value, float):
            return one.value
    return None

"""What a look says in words, for the terminal and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from polyroute.looking.look import Look


def number(value: float) -> str:
    """Two decimals, as the field writes shares: .07."""
    shown = f"{value:.2f}"
    return shown.removeprefix("0") if shown.startswith("0.") else shown


def about(look: Look) -> str:
    """The model, and how its tokens are routed."""
    layers = f"{len(look.layers)} layers" if len(look.layers) > 1 else f"layer {look.layers[0]}"
    return f"{look.model}: {layers}, each token sent to {look.top_k} of {look.experts} experts"


def headline(look: Look) -> str:
    """What there is to see, in a sentence or two."""
    return f"{routing(look)} {effect(look)}".rstrip()


def routing(look: Look) -> str:
    """How the model as it is routes the texts."""
    if look.is_pair:
        divergence_L = look.divergence(before=True)
        assert divergence_L is not None, "there are two texts"
        if len(look.layers) == 1:
            return f"In layer {look.layers[0]} the divergence D of the two texts is {number(divergence_L[0])}."
        return (
            f"The two texts are routed most alike in layer {_place(look, divergence_L.argmin())} "
            f"(D {number(divergence_L.min())}) and least alike in layer {_place(look, divergence_L.argmax())} "
            f"(D {number(divergence_L.max())})."
        )
    evenness_L = look.evenness(0, before=True)
    if len(look.layers) == 1:
        return f"In layer {look.layers[0]} routing has {number(evenness_L[0])} of the largest entropy."
    return (
        f"Routing is spread over experts most evenly in layer {_place(look, evenness_L.argmax())} "
        f"({number(evenness_L.max())} of the largest entropy) and least in layer "
        f"{_place(look, evenness_L.argmin())} ({number(evenness_L.min())})."
    )


def effect(look: Look) -> str:
    """What the plan changes; nothing without one."""
    rerouted_L = look.rerouted_share()
    if rerouted_L is None or look.plan is None:
        return ""
    planned = look.plan.experts
    where = f"layer {next(iter(planned))}" if len(planned) == 1 else f"{len(planned)} layers"
    if not rerouted_L.any():
        return f"The plan ({look.plan.rule}, {where}) sends no token to other experts."
    most = int(rerouted_L.argmax())
    said = (
        f"The plan ({look.plan.rule}, {where}) sends {rerouted_L[most]:.0%} of the tokens to other experts in layer "
        f"{look.layers[most]}"
    )
    before_L, after_L = look.divergence(before=True), look.divergence()
    if before_L is None or after_L is None:
        return f"{said}."
    return f"{said}; D between the texts there goes from {number(before_L[most])} to {number(after_L[most])}."


def how_to_read(look: Look) -> str:
    """What numbers and marks mean."""
    chance = number(look.top_k**2 / look.experts)
    said = []
    if look.is_pair:
        said.append("D: 0 where both texts use the experts alike, 1 where they differ as much as possible.")
        said.append(
            f"Shared: experts among the {look.top_k} most used of both texts; by chance {chance} of {look.top_k}."
        )
    said.append("An expert has one colour within a layer, and rare ones are grey; layers have no experts in common.")
    if look.is_pair:
        said.append("One pair is an example: the study takes the mean over hundreds.")
    return " ".join(said)


def _place(look: Look, index: np.intp | NDArray[np.intp]) -> int:
    return look.layers[int(index)]

"""What one language's files add up to, whatever recorder wrote them, and whether it can be routing of text.

Counts are whole numbers up to 2^53, which float64 holds exactly: distributions over experts are computed in it.
Layers keep the numbers of the file; experts that it does not list were chosen by no token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.implausible_counts import FEW
from polyroute.artifacts.recorded_counts import LARGEST
from polyroute.artifacts.recording import RecordingError
from polyroute.models.settings import Shape

_TIED = 1e-6
"""How far weights may differ and count as equal, as a share."""


@dataclass(frozen=True)
class Routing:
    """One language, checked."""

    layers: tuple[int, ...]
    """The model's own numbers."""
    tokens: int
    counts_LE: NDArray[np.int64]
    """Tokens whose top-k held the expert."""
    soft_LE: NDArray[np.float64] | None
    """Mean over tokens of the softmax of the router's logits; None where these were not recorded."""
    said: tuple[str, ...]
    """What a reader must know: what was left out, and why."""


@dataclass
class Tally:
    """Counts as they come in."""

    shape: Shape
    place: str
    """How errors name the files."""
    counts: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    """Layer -> (E)."""
    tokens: dict[int, int] = field(default_factory=dict)
    """Layer -> tokens, where the file says or shows them."""
    soft: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    """Layer -> (E) softmax summed over tokens."""
    logits: dict[int, int] = field(default_factory=dict)
    """Layer -> tokens with logits."""
    said: list[str] = field(default_factory=list)

    def layer(self, layer: int) -> NDArray[np.int64]:
        """Counts of a layer, 0 at first."""
        return self.counts.setdefault(layer, np.zeros(self.shape.experts, np.int64))

    def expert(self, value: object, where: str) -> int:
        """The number of an expert.

        Raises:
            RecordingError: it is none from 0 to E - 1.
        """
        expert = whole(value, f"{self.place}: {where}", "the expert's number")
        if expert >= self.shape.experts:
            raise RecordingError(
                f"{self.place}: {where}: there is no expert {expert} of {self.shape.experts} (0 to "
                f"{self.shape.experts - 1}): is --experts right?"
            )
        return expert

    def add(self, layer: int, expert: int, count: object, where: str, what: str = "the count") -> None:
        """Count tokens of one expert.

        Raises:
            RecordingError: the count is no whole number from 0 to `LARGEST`, or the sum is above it.
        """
        counts_E = self.layer(layer)
        total = int(counts_E[expert]) + whole(count, f"{self.place}: {where}", what)
        counts_E[expert] = whole(total, f"{self.place}: {where}", what)

    def say(self, layer: int, tokens: int) -> None:
        """Add to the tokens that were seen in a layer."""
        self.tokens[layer] = self.tokens.get(layer, 0) + tokens

    def route(
        self,
        layer: int,
        ids_TK: NDArray[np.integer],
        where: str,
        *,
        weights_TK: NDArray[np.floating] | None = None,
        logits_TE: NDArray[np.floating] | None = None,
    ) -> None:
        """Count tokens by the experts that each chose.

        Args:
            layer: the model's own number.
            ids_TK: experts of each token, none missing.
            where: names the rows in errors.
            weights_TK: of the chosen; shows the profiling run.
            logits_TE: of the router, over all experts.

        Raises:
            RecordingError: K is another, a number is out of range, a token has an expert twice, or logits are not
                finite or not of E experts.
        """
        place = f"{self.place}: {where}layer {layer}"
        if ids_TK.ndim != 2 or ids_TK.shape[1] != self.shape.top_k:
            raise RecordingError(
                f"{place}: a token has {ids_TK.shape[-1] if ids_TK.ndim else 0} experts, not {self.shape.top_k}: "
                "is --top-k right?"
            )
        for token, choice in np.argwhere((ids_TK < 0) | (ids_TK >= self.shape.experts))[:1]:
            raise RecordingError(
                f"{place}, token {token}: there is no expert {ids_TK[token, choice]:.0f} of {self.shape.experts} (0 to "
                f"{self.shape.experts - 1}): is --experts right?"
            )
        ids_TK = ids_TK.astype(np.int64)
        sorted_TK = np.sort(ids_TK, axis=1)
        for token in np.flatnonzero((sorted_TK[:, 1:] == sorted_TK[:, :-1]).any(axis=1))[:1]:
            raise RecordingError(
                f"{place}, token {token}: chose {ids_TK[token].tolist()}, an expert twice: a row that was never filled?"
            )
        kept_T = np.ones(len(ids_TK), bool)
        if weights_TK is not None:
            kept_T = ~profiled(sorted_TK, weights_TK)
            if not kept_T.all():
                self.said.append(
                    f"layer {layer}: {int((~kept_T).sum())} tokens with the same experts and equal weights are left "
                    "out: the recorder's profiling run"
                )
        counts_E = self.layer(layer)
        counts_E += np.bincount(ids_TK[kept_T].ravel(), minlength=self.shape.experts)
        self.say(layer, int(kept_T.sum()))
        if logits_TE is not None:
            self._soften(layer, logits_TE[kept_T], place)

    def _soften(self, layer: int, logits_TE: NDArray[np.floating], place: str) -> None:
        if logits_TE.ndim != 2 or logits_TE.shape[1] != self.shape.experts:
            raise RecordingError(
                f"{place}: router logits are of {logits_TE.shape[-1]} experts, not of {self.shape.experts}"
            )
        logits_TE = logits_TE.astype(np.float64)
        for token in np.flatnonzero(~np.isfinite(logits_TE).all(axis=1))[:1]:
            raise RecordingError(f"{place}, token {token}: a router logit is not finite")
        mass_TE = np.exp(logits_TE - logits_TE.max(axis=1, keepdims=True, initial=-np.inf))
        mass_E = (mass_TE / mass_TE.sum(axis=1, keepdims=True)).sum(axis=0)
        self.soft[layer] = self.soft.get(layer, np.zeros(self.shape.experts)) + mass_E
        self.logits[layer] = self.logits.get(layer, 0) + len(logits_TE)

    def finish(self) -> Routing:
        """The language, its layers in order.

        Layers without a single choice and without tokens have no router: the first ones of many models, and all that a
        draft model brings.

        Raises:
            RecordingError: there are more or fewer layers than the shape says, tokens differ between layers, or do not
                come out of the counts.
        """
        dense = {layer for layer, counts_E in self.counts.items() if not counts_E.any() and not self.tokens.get(layer)}
        layers = tuple(sorted(set(self.counts) - dense))
        if len(layers) != self.shape.layers:
            raise RecordingError(
                f"{self.place}: {len(layers)} layers have choices of experts ({_listed(layers)}), not "
                f"{self.shape.layers}: is --layers right (layers with routers), and was every one recorded?"
            )
        tokens = {layer: self.tokens.get(layer) or self._tokens(layer) for layer in layers}
        if len(set(tokens.values())) != 1:
            first, other = _unlike(tokens)
            raise RecordingError(
                f"{self.place}: tokens differ between layers: {tokens[first]} in layer {first}, {tokens[other]} in "
                f"layer {other}: rows are lacking, or --top-k is another"
            )
        soft_LE = self._soft_mass(layers)
        return Routing(
            layers, tokens[layers[0]], np.stack([self.counts[layer] for layer in layers]), soft_LE, tuple(self.said)
        )

    def _tokens(self, layer: int) -> int:
        total = sum(self.counts[layer].tolist())
        if total % self.shape.top_k:
            raise RecordingError(
                f"{self.place}: layer {layer}: counts add up to {total}, no multiple of top_k = {self.shape.top_k}: is "
                "--top-k right, or is a row lacking?"
            )
        return whole(total // self.shape.top_k, f"{self.place}: layer {layer}", "the number of tokens")

    def _soft_mass(self, layers: Sequence[int]) -> NDArray[np.float64] | None:
        if not self.soft:
            return None
        for layer in layers:
            if self.logits.get(layer, 0) != self.tokens.get(layer):
                raise RecordingError(
                    f"{self.place}: layer {layer}: {self.logits.get(layer, 0)} of {self.tokens.get(layer)} tokens have "
                    "router logits: record them of all, or of none"
                )
        return np.stack([self.soft[layer] / self.logits[layer] for layer in layers])


def whole(value: object, place: str, what: str) -> int:
    """A number that counts something.

    Args:
        value: as the file has it; text of digits is a number.
        place: how the error begins.
        what: the value's name.

    Raises:
        RecordingError: it is no whole number from 0 to `LARGEST`.
    """
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 40:
        value = int(value)
    if isinstance(value, np.integer | np.floating):
        value = value.item()
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RecordingError(f"{place}: {what} is {_short(value)}, not a whole number of tokens")
    if value > LARGEST:
        raise RecordingError(f"{place}: {what} is {_short(value)}, more than 2^53: no text has so many tokens")
    return value


def profiled(sorted_TK: NDArray[np.int64], weights_TK: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which tokens are a recorder's profiling run: more than `FEW` in sequence, the same experts, equal weights.

    vLLM measures its memory with a batch of zeros, whose router logits are all alike: every token goes to the same
    experts with the weight 1/K.
    """
    if not len(sorted_TK) or sorted_TK.shape[1] < 2:
        return np.zeros(len(sorted_TK), bool)
    low_T, high_T = weights_TK.min(axis=1), weights_TK.max(axis=1)
    tied_T = high_T - low_T <= _TIED * np.abs(high_T)
    begins_T = np.ones(len(sorted_TK), bool)
    begins_T[1:] = (sorted_TK[1:] != sorted_TK[:-1]).any(axis=1) | (tied_T[1:] != tied_T[:-1])
    run_T = np.cumsum(begins_T) - 1
    result_T: NDArray[np.bool_] = tied_T & (np.bincount(run_T)[run_T] > FEW)
    return result_T


def _unlike(tokens: dict[int, int]) -> tuple[int, int]:
    first = next(iter(tokens))
    return first, next(layer for layer in tokens if tokens[layer] != tokens[first])


def _listed(layers: Sequence[int]) -> str:
    if not layers:
        return "none"
    return ", ".join(map(str, layers)) if len(layers) <= 8 else f"{layers[0]} to {layers[-1]}"


def _short(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number of more than 60 digits"
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."

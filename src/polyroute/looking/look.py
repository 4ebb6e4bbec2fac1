"""One text looked at, alone or beside its translation, before and after a plan.

    look = polyroute.look(model, tokenizer, "The dog sleeps.", against="Der Hund schläft.")
    look  # in a notebook: a page to click through; `print(look)` in a terminal

D is that of `polyroute.divergence` on the traces of the two texts. One pair is an example and bears out nothing: the
study takes the mean over hundreds.

Shapes: T counted tokens, L layers, E experts, K chosen experts a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_atomically
from polyroute.looking.passes import Pass, follow
from polyroute.measures.of_traces import divergence
from polyroute.models.contract import ensure_contract
from polyroute.models.routers import Router, find_routers
from polyroute.steering.apply import steer
from polyroute.steering.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from rich.console import Console, ConsoleOptions, RenderResult


class LookError(PolyrouteError):
    """A text that cannot be looked at."""


@dataclass(frozen=True)
class Look:
    """What the routers of a model make of one text, or of a pair."""

    model: str
    texts: tuple[str, ...]
    """The text, and what it is held against."""
    before: tuple[Pass, ...]
    """Of each text, the model as it is."""
    after: tuple[Pass, ...] | None = None
    """Of each text under the plan."""
    plan: Plan | None = None

    @property
    def layers(self) -> tuple[int, ...]:
        """In the model's numbering."""
        return self.before[0].trace.header.layers

    @property
    def experts(self) -> int:
        """E."""
        return self.before[0].trace.header.experts

    @property
    def top_k(self) -> int:
        """K."""
        return self.before[0].trace.header.top_k

    @property
    def is_pair(self) -> bool:
        """Whether there is a text to hold the first against."""
        return len(self.texts) > 1

    @property
    def shown(self) -> tuple[Pass, ...]:
        """The passes that are shown: under the plan, where there is one."""
        return self.after or self.before

    def divergence(self, *, before: bool = False) -> NDArray[np.float64] | None:
        """(L,) D between the two texts, under the plan where there is one; None of one text alone.

        Args:
            before: of the model as it is, whether there is a plan or not.
        """
        if not self.is_pair:
            return None
        first, second = self.before if before else self.shown
        return _one(divergence(first.trace, second.trace))

    def effect(self, side: int) -> NDArray[np.float64] | None:
        """(L,) D between a text's routing before and after the plan; None without a plan."""
        if self.after is None:
            return None
        return _one(divergence(self.before[side].trace, self.after[side].trace))

    def evenness(self, side: int, *, before: bool = False) -> NDArray[np.float64]:
        """(L,) routing entropy of a text over ln E: 0 where all goes to one expert, 1 where all get alike."""
        from polyroute.measures.entropy import routing_entropy

        soft_LE = (self.before if before else self.shown)[side].trace.distributions("soft_mass")[0]
        shares_L: NDArray[np.float64] = routing_entropy(soft_LE) / np.log(self.experts)
        return shares_L

    def most_used(self, side: int, *, before: bool = False) -> list[list[int]]:
        """Layer by layer the K experts that most tokens of a text are sent to, most first.

        Of equally many tokens the larger mean router probability decides, then the lower id.
        """
        trace = (self.before if before else self.shown)[side].trace
        count_LE, soft_LE = trace.topk_count[0], trace.distributions("soft_mass")[0]
        used = []
        for count_E, soft_E in zip(count_LE, soft_LE, strict=True):
            order = np.lexsort((np.arange(self.experts), -soft_E, -count_E))[: self.top_k]
            used.append([int(expert) for expert in order if count_E[expert]])
        return used

    def shared(self, *, before: bool = False) -> list[list[int]] | None:
        """Layer by layer the experts that are among the K most used of both texts, ascending; None of one text."""
        if not self.is_pair:
            return None
        both = zip(self.most_used(0, before=before), self.most_used(1, before=before), strict=True)
        return [sorted(set(first) & set(second)) for first, second in both]

    def nearest(self, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """The token of the other text that has most experts in common with each token, the first of several.

        Returns:
            (T, L) its place among the other's tokens, and (T, L) how many experts the two have in common, 0 to K; None
            of one text alone.
        """
        if not self.is_pair:
            return None
        ours_LTE, theirs_LSE = (
            self.shown[place].chosen_TLE().transpose(1, 0, 2).astype(np.float32) for place in (side, 1 - side)
        )
        common_LTS = ours_LTE @ theirs_LSE.transpose(0, 2, 1)
        return common_LTS.argmax(axis=-1).T, common_LTS.max(axis=-1).T.astype(np.int64)

    def rerouted(self, side: int) -> NDArray[np.bool_] | None:
        """(T, L) whether the plan sends a token to another set of experts; None without a plan."""
        if self.after is None:
            return None
        changed_TL: NDArray[np.bool_] = (self.before[side].chosen_TLE() != self.after[side].chosen_TLE()).any(axis=-1)
        return changed_TL

    def by_layer(self) -> pd.DataFrame:
        """The numbers, a row a layer: as far as there are two texts and a plan.

        Columns: divergence, divergence_before (under a plan), shared (experts), evenness, rerouted (share of the tokens
        of both texts).
        """
        import pandas as pd

        columns: dict[str, Any] = {}
        if self.is_pair:
            columns["divergence"] = self.divergence()
            if self.after is not None:
                columns["divergence_before"] = self.divergence(before=True)
            columns["shared"] = self.shared()
        else:
            columns["evenness"] = self.evenness(0)
            if self.after is not None:
                columns["effect"] = self.effect(0)
        if (rerouted_L := self.rerouted_share()) is not None:
            columns["rerouted"] = rerouted_L
        return pd.DataFrame(columns, index=pd.Index(self.layers, name="layer"))

    def rerouted_share(self) -> NDArray[np.float64] | None:
        """(L,) share of the tokens of all texts that the plan sends to another set of experts; None without a plan."""
        if self.after is None:
            return None
        sides = [self.rerouted(side) for side in range(len(self.texts))]
        shares_L: NDArray[np.float64] = np.concatenate([one for one in sides if one is not None]).mean(axis=0)
        return shares_L

    def headline(self) -> str:
        """What there is to see, in a sentence or two."""
        from polyroute.looking.words import headline

        return headline(self)

    def save(self, path: Path | str) -> None:
        """Write a page that needs nothing else; the same look gives the same bytes."""
        from polyroute.looking.page import page

        write_atomically(Path(path), page(self).encode())

    def _repr_html_(self) -> str:
        from polyroute.looking.page import fragment

        return fragment(self)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from polyroute.looking.terminal import parts

        yield from parts(self, options.max_width)

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(width=100)
        with console.capture() as caught:
            console.print(self)
        return caught.get()


def _one(divergence_NL: pd.DataFrame) -> NDArray[np.float64]:
    """(L,) of the only sentence."""
    return np.asarray(divergence_NL.iloc[0], dtype=np.float64)


def look(
    model: nn.Module,
    tokenizer: Any,
    text: str,
    against: str | None = None,
    plan: Plan | None = None,
    *,
    routers: Sequence[Router] | None = None,
    steered: Sequence[Router] | None = None,
    model_digest: str | None = None,
    name: str | None = None,
) -> Look:
    """Look at the routing of one text, token by token, or of a text beside its translation.

    Args:
        model: any mixture-of-experts model of transformers.
        tokenizer: its tokenizer.
        text: a sentence.
        against: its translation, or any text to hold it against.
        plan: shows what it changes.
        routers: which of `find_routers(model)` to look at; all of them where None.
        steered: all of them, which a plan needs where `routers` are some.
        model_digest: the model's, where known, to be held against the plan's.
        name: what to call the model; by default its `name_or_path`.

    Raises:
        LookError: a text has no characters.
        RouterError: the model has no routers, or they break the contract that measurement rests on.
        PlanError: the plan is for another model.
        TraceError: as `polyroute.trace`.
    """
    texts = (text,) if against is None else (text, against)
    if any(not one.strip() for one in texts):
        raise LookError("there is no text to look at: give a sentence, such as 'The dog sleeps.'")
    every = find_routers(model) if routers is None else tuple(routers)
    ensure_contract(model, every)
    before = tuple(follow(model, tokenizer, one, every) for one in texts)
    after = None
    if plan is not None:
        with steer(model, plan, routers=steered or every, model_digest=model_digest):
            after = tuple(follow(model, tokenizer, one, every) for one in texts)
    return Look(name or before[0].trace.header.model, texts, before, after, plan)

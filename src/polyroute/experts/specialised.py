"""Task experts and multilingual experts (paper 1, section on specialised experts, by its Eq. 3).

An expert is specialised iff Delta > tau (`measures.specialisation`). Task experts: Delta of English in-task text.
Multilingual experts: Delta of any language but English, that is, the largest Delta over languages.

Unit of resampling: the sentence, of both texts. A language's sentences are translations of the English ones and are
resampled together with them; in-task text is resampled on its own. Sentences of English generic text are resampled
once for all texts, so that statements about several sets hold of the same resamples.

Values are rounded to `DECIMALS` before they are compared with tau: the same experts on every processor, and the same
from a table that was written and read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.experts import ExpertSet
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.layers import LayerRange
from polyroute.measures.specialisation import activation_frequency, check_comparable
from polyroute.results.experts import MemberRow
from polyroute.results.quantities import DECIMALS
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.resampled import own_seed, percentile_bounds, resampled_means

ANY = "any"
"""What the language of the largest Delta over languages is called."""


class ExpertsError(PolyrouteError):
    """Experts that cannot be chosen as asked."""


@dataclass(frozen=True)
class Specialisation:
    """Delta of every expert on one text, with what resamples say."""

    model: str
    corpus: str
    language: str
    layers: tuple[int, ...]
    """The model's own numbers."""
    delta_LE: NDArray[np.float64]
    """In [-1, 1], rounded to `DECIMALS`."""
    draws_RLE: NDArray[np.float64] | None
    """Delta in every resample, rounded likewise; None for pooled counts and single sentences."""
    confidence: float

    def table(self) -> pd.DataFrame:
        """Those of `results.experts.ExpertRow` but `task`, a row a layer and expert; bounds NaN without resamples."""
        low_LE, high_LE = self._bounds()
        count, experts = self.delta_LE.shape
        return pd.DataFrame(
            {
                "model": self.model,
                "corpus": self.corpus,
                "language": self.language,
                "layer": np.repeat(self.layers, experts),
                "expert": np.tile(np.arange(experts), count),
                "delta": self.delta_LE.ravel(),
                "low": low_LE.ravel(),
                "high": high_LE.ravel(),
            }
        )

    def membership(self, taus: Sequence[float], layers: LayerRange | None = None) -> pd.DataFrame:
        """How surely each expert belongs to the set, for every expert that does so in the text or in any resample.

        Args:
            taus: thresholds on Delta.
            layers: first and last layer; all of them where None.

        Returns:
            Those of `results.experts.MemberRow` but `task`, sorted by tau, layer and expert.

        Raises:
            ExpertsError: a tau is outside [0, 1), or the range holds no traced layer.
        """
        rows, inside_L = self.table(), _inside(self.layers, layers)
        listed = []
        for tau in taus:
            _check_tau(tau)
            member_LE = self.delta_LE > tau
            share_LE = np.full(member_LE.shape, np.nan)
            if self.draws_RLE is not None:
                share_LE = (self.draws_RLE > tau).mean(axis=0).round(DECIMALS)
            shown_LE = (member_LE | (share_LE > 0)) & inside_L[:, None]
            of_tau = rows.assign(tau=tau, member=member_LE.ravel(), share_of_resamples=share_LE.ravel())
            listed.append(of_tau[shown_LE.ravel()])
        return pd.concat(listed, ignore_index=True) if listed else pd.DataFrame(columns=MemberRow.columns()[:-1])

    def above(self, tau: float, layers: LayerRange | None = None) -> ExpertSet:
        """The experts with Delta > tau in a range of layers.

        Raises:
            ExpertsError: as `membership`.
        """
        return experts_above(self.table(), tau, layers)

    def _bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.draws_RLE is None:
            return np.full_like(self.delta_LE, np.nan), np.full_like(self.delta_LE, np.nan)
        low_LE, high_LE = percentile_bounds(self.draws_RLE, self.confidence)
        return _rounded(low_LE), _rounded(high_LE)


class AgainstGeneric:
    """Takes Delta of texts of one model against its generic text."""

    def __init__(self, generic: Trace, *, resamples: int, confidence: float, seed: int):
        """Prepare with the generic text.

        Args:
            generic: English generic text, or that of another pivot.
            resamples: bootstrap resamples of sentences.
            confidence: coverage of intervals.
            seed: of the resamples.

        Raises:
            SpecialisationError: a sequence has no counted token.
        """
        self.generic = generic
        self._resamples, self._confidence, self._seed = resamples, confidence, seed
        frequency_NLE = activation_frequency(generic)
        self._mean_LE = frequency_NLE.mean(axis=0)
        self._bootstrap = self._bootstrap_of(generic)
        self._draws_RLE = None if self._bootstrap is None else resampled_means(self._bootstrap, frequency_NLE)

    def of(self, domain: Trace) -> Specialisation:
        """Delta on one text.

        Args:
            domain: in-task text in the language of the generic text, or the generic corpus in another language.

        Raises:
            SpecialisationError: as `measures.specialisation.specialisation`.
        """
        check_comparable(domain, self.generic)
        frequency_NLE = activation_frequency(domain)
        parallel = domain.header.corpus == self.generic.header.corpus
        bootstrap = self._bootstrap if parallel else self._bootstrap_of(domain)
        draws_RLE = None
        if bootstrap is not None and self._draws_RLE is not None:
            draws_RLE = _rounded(resampled_means(bootstrap, frequency_NLE) - self._draws_RLE)
        about = domain.header
        return Specialisation(
            about.model, about.corpus, about.language, about.layers,
            _rounded(frequency_NLE.mean(axis=0) - self._mean_LE), draws_RLE, self._confidence,
        )  # fmt: skip

    def _bootstrap_of(self, trace: Trace) -> Bootstrap | None:
        items = len(trace.item_ids)
        if trace.header.pooled or items < 2:
            return None
        return Bootstrap(items, self._resamples, self._confidence, own_seed(self._seed, trace.header.corpus))


def largest(found: Iterable[Specialisation]) -> Specialisation:
    """Largest Delta over several languages, in the text and in every resample: of multilingual experts.

    The largest of several noisy values is larger than the largest of the true ones: with many languages and few
    sentences the set is too large, and so it is in resamples.

    Args:
        found: of the generic corpus in other languages; one at a time is in memory if they are made one at a time.

    Returns:
        Its `language` is `ANY`.

    Raises:
        ExpertsError: there is none, or they are of several models or corpora.
    """
    so_far: Specialisation | None = None
    for one in found:
        if so_far is None:
            so_far = replace(one, language=ANY)
            continue
        for field in ("model", "corpus", "layers"):
            if getattr(one, field) != getattr(so_far, field):
                raise ExpertsError(
                    f"{one.language} is of {field} {getattr(one, field)}, others of {getattr(so_far, field)}: "
                    "multilingual experts are those of one model on one corpus"
                )
        draws = None
        if one.draws_RLE is not None and so_far.draws_RLE is not None:
            draws = np.maximum(one.draws_RLE, so_far.draws_RLE)
        so_far = replace(so_far, delta_LE=np.maximum(one.delta_LE, so_far.delta_LE), draws_RLE=draws)
    if so_far is None:
        raise ExpertsError("multilingual experts need at least one language besides the pivot")
    return so_far


def experts_above(table: pd.DataFrame, tau: float, layers: LayerRange | None = None) -> ExpertSet:
    """The experts with Delta > tau on any text of a table.

    Args:
        table: rows with the columns `layer`, `expert` and `delta` of one model: one task's gives its task experts,
            those of all languages but English the multilingual experts.
        tau: threshold on Delta.
        layers: first and last layer; all of them where None.

    Raises:
        ExpertsError: tau is outside [0, 1), the table is empty, or the range holds none of its layers.
    """
    _check_tau(tau)
    if table.empty:
        raise ExpertsError("no expert has a Delta: the text was not traced, so no expert can be above a threshold")
    # As Python's own integers: sets go into JSON.
    numbers = tuple(int(layer) for layer in table["layer"].drop_duplicates())
    wanted = [layer for layer, inside in zip(numbers, _inside(numbers, layers), strict=True) if inside]
    chosen = table[(table["delta"] > tau) & table["layer"].isin(wanted)]
    found: dict[int, set[int]] = {}
    for layer, expert in zip(chosen["layer"], chosen["expert"], strict=True):
        found.setdefault(int(layer), set()).add(int(expert))
    return {layer: tuple(sorted(found[layer])) for layer in sorted(found)}


def overlap(
    task: Specialisation, multilingual: Specialisation, taus: Sequence[float], layers: LayerRange | None = None
) -> pd.DataFrame:
    """Sizes of the two sets and how many experts are in both, over a grid of tau.

    At tau of 0.3 and more paper 1's sets never meet. Small sets seldom meet by chance either, which `expected` shows.

    Args:
        task: Delta on in-task text.
        multilingual: largest Delta over languages; both from one `AgainstGeneric`, so that they share resamples.
        taus: thresholds on Delta.
        layers: first and last layer; all of them where None.

    Returns:
        A row a tau: `tau`; `task`, `multilingual` and `both`, each with `_low` and `_high` (NaN without resamples);
        `expected`, the experts in both had each layer's sets been drawn at random; `share_of_resamples`, the share of
        resamples in which an expert is in both (NaN without resamples).

    Raises:
        ExpertsError: as `experts_above`, or the two are of several models or their resamples do not pair.
    """
    if (task.model, task.layers, task.delta_LE.shape) != (
        multilingual.model, multilingual.layers, multilingual.delta_LE.shape
    ):  # fmt: skip
        raise ExpertsError(f"experts of {task.model} and {multilingual.model} cannot be compared: not the same layers")
    task_R, multilingual_R = task.draws_RLE, multilingual.draws_RLE
    if task_R is not None and multilingual_R is not None and len(task_R) != len(multilingual_R):
        raise ExpertsError(f"{len(task_R)} and {len(multilingual_R)} resamples do not pair: use one `AgainstGeneric`")
    inside_L = _inside(task.layers, layers)
    rows = []
    for tau in taus:
        _check_tau(tau)
        ours_LE, theirs_LE = ((one.delta_LE > tau) & inside_L[:, None] for one in (task, multilingual))
        row: dict[str, float] = {"tau": tau}
        sets = {"task": ours_LE, "multilingual": theirs_LE, "both": ours_LE & theirs_LE}
        for name, chosen_LE in sets.items():
            row |= {name: int(chosen_LE.sum()), f"{name}_low": np.nan, f"{name}_high": np.nan}
        expected_L = ours_LE.sum(axis=1) * theirs_LE.sum(axis=1) / ours_LE.shape[1]
        row |= {"expected": round(float(expected_L.sum()), DECIMALS), "share_of_resamples": np.nan}
        if task_R is not None and multilingual_R is not None:
            ours_RLE, theirs_RLE = task_R[:, inside_L] > tau, multilingual_R[:, inside_L] > tau
            both_RLE = ours_RLE & theirs_RLE
            for name, chosen_RLE in zip(sets, (ours_RLE, theirs_RLE, both_RLE), strict=True):
                low, high = percentile_bounds(chosen_RLE.sum(axis=(1, 2)).astype(np.float64), task.confidence)
                row |= {f"{name}_low": float(low), f"{name}_high": float(high)}
            row["share_of_resamples"] = round(float(both_RLE.any(axis=(1, 2)).mean()), DECIMALS)
        rows.append(row)
    return pd.DataFrame(rows)


def size(experts: ExpertSet) -> int:
    """How many experts a set holds over all its layers."""
    return sum(len(chosen) for chosen in experts.values())


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.round(DECIMALS) + 0.0  # no -0.0 in tables


def _inside(numbers: Sequence[int], layers: LayerRange | None) -> NDArray[np.bool_]:
    first, last = (min(numbers), max(numbers)) if layers is None else layers
    array = np.array(numbers)
    inside_L: NDArray[np.bool_] = (array >= first) & (array <= last)
    if not inside_L.any():
        raise ExpertsError(f"layers [{first}, {last}] hold none of the traced layers {min(numbers)} to {max(numbers)}")
    return inside_L


def _check_tau(tau: float) -> None:
    if not 0 <= tau < 1:
        raise ExpertsError(f"tau = {tau} is outside [0, 1): Delta is a difference of two frequencies")

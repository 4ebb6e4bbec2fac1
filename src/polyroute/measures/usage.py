"""Which experts the tokens of several languages choose: counts of one corpus, a language beside another.

Every token counts the same, whatever its sentence, as in paper 2 (`routing/`, arXiv 2601.14050): f[x, l, e] = tokens of
language x whose top-k holds expert e, by the tokens of x.

Counts are whole numbers throughout. Those of paper 2's release are not quite: its recorder (`modeling_qwen3_moe.py`,
`MoERecoder.update`) adds up a batch's choices in bfloat16, in which whole numbers are exact to 256 only, and then adds
batches up exactly. A layer's counts in its files are off K x tokens by up to 0.03% for that reason;
`counts_as_released` makes the same of ours.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.importance import normalise
from polyroute.artifacts.trace import Trace
from polyroute.ground.errors import PolyrouteError
from polyroute.measures.specialisation import MUST_AGREE

RELEASE_BATCH = 16
"""Prompts of a batch in the release (`routing/infer_batch_mgsm.py`)."""


class UsageError(PolyrouteError):
    """Traces whose languages cannot be set beside one another."""


@dataclass(frozen=True)
class Usage:
    """Counts of V languages, pooled over the corpus."""

    corpus: str
    languages: tuple[str, ...]
    layers: tuple[int, ...]
    """The model's own numbers."""
    count_VLE: NDArray[np.int64]
    """Tokens whose top-k holds the expert."""
    tokens_V: NDArray[np.int64]

    def only(self, kept_V: NDArray[np.bool_]) -> Usage:
        """The same of some of the languages."""
        languages = tuple(itertools.compress(self.languages, kept_V.tolist()))
        return replace(self, languages=languages, count_VLE=self.count_VLE[kept_V], tokens_V=self.tokens_V[kept_V])

    @property
    def frequency_VLE(self) -> NDArray[np.float64]:
        """Share of a language's tokens whose top-k holds the expert, in [0, 1]; K in sum over experts."""
        frequency_VLE: NDArray[np.float64] = self.count_VLE / self.tokens_V[:, None, None]
        return frequency_VLE

    @property
    def load_VLE(self) -> NDArray[np.float64]:
        """Share of a language's choices that fall on the expert; 1 in sum over experts."""
        return normalise(self.count_VLE)


def usage(traces: Sequence[Trace]) -> Usage:
    """Pool the counts of each language.

    Args:
        traces: of one model on one parallel corpus, each of another language.

    Raises:
        UsageError: there is none; two are of one language; one is of another model, corpus, setting or other sentences
            than the first; or one holds no choice in a layer. Names language and layer.
    """
    if not traces:
        raise UsageError("there is no trace: usage of experts needs at least one language")
    first = traces[0].header
    items, seen = traces[0].item_ids, dict[str, None]()
    counts, tokens = [], []
    for trace in traces:
        for field in ("corpus", *MUST_AGREE):
            ours, theirs = getattr(first, field), getattr(trace.header, field)
            if ours != theirs:
                raise UsageError(
                    f"{trace.place} has {field} {theirs}, that in {first.language} has {ours}: it would pass for a "
                    "difference of language; rerun the stage `trace`"
                )
        if trace.item_ids != items:
            raise UsageError(
                f"{trace.place} is not parallel to that in {first.language}: other items, or another order; what the "
                "sentences say would pass for a difference of language"
            )
        if trace.header.language in seen:
            raise UsageError(f"{trace.place} is given twice")
        seen[trace.header.language] = None
        counts.append(trace.topk_count.sum(axis=0, dtype=np.int64))
        tokens.append(trace.tokens.sum())
        for place in np.flatnonzero(counts[-1].sum(axis=-1) == 0):
            raise UsageError(f"{trace.place}: layer {first.layers[place]} holds no choice of an expert: trace it again")
    return Usage(
        corpus=first.corpus,
        languages=tuple(seen),
        layers=first.layers,
        count_VLE=np.stack(counts),
        tokens_V=np.array(tokens),
    )


def counts_as_released(trace: Trace, batch: int = RELEASE_BATCH) -> NDArray[np.int64]:
    """Counts as the recorder of paper 2's release would have written them, to compare with its files only.

    Args:
        trace: with its sequences in the order in which they went through the model.
        batch: sequences that the recorder saw at a time.

    Returns:
        (L, E): each batch's count rounded to bfloat16, added up over batches. A count of up to 256 a batch is exact.

    Raises:
        UsageError: counts are pooled, so that batches cannot be separated, or a batch holds no sequence.
    """
    if trace.header.pooled or batch < 1:
        raise UsageError(f"{trace.place}: batches of {batch} sequences cannot be separated in these counts")
    batches_BLE = np.add.reduceat(trace.topk_count, np.arange(0, len(trace.item_ids), batch), axis=0, dtype=np.int64)
    # torch adds bfloat16 up in float32 and rounds the sum; whole numbers of this size are exact until then.
    total_LE: NDArray[np.int64] = _bfloat16(batches_BLE).sum(axis=0)
    return total_LE


def _bfloat16(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole numbers rounded to bfloat16: the upper half of a float32, the nearest one and of two the even one."""
    bits = counts.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32).astype(np.int64)

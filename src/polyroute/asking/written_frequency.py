"""Activation frequency on what a model writes, counted while it writes.

A token that the model has written is read by its next step, and there its experts are seen: nothing is run twice. The
last token of a text is read by no step (it ended the text, or the text was truncated there), so it is not counted.
Only texts of the model as it is are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from polyroute.asking.store import questions_digest
from polyroute.ground.checksum import ChecksumError
from polyroute.ground.errors import AnswerError
from polyroute.ground.files import digest, read_checked_json, write_checked_json
from polyroute.models.routers import Router, RouterCall, observe


@dataclass(frozen=True)
class Written:
    """What texts that a model wrote were routed to."""

    shares_LE: NDArray[np.float64]
    """Sum over texts of the share of a text's tokens that are sent to the expert."""
    texts: int
    """Those of which at least a token was read."""
    tokens: int
    """That were counted."""


def together(parts: Iterable[Written]) -> Written:
    """Several parts as one; there is at least one."""
    found = list(parts)
    shares_LE = np.sum([one.shares_LE for one in found], axis=0)
    return Written(shares_LE, sum(one.texts for one in found), sum(one.tokens for one in found))


class Tally:
    """Counts which experts the tokens of texts are sent to, step by step."""

    def __init__(self, routers: Sequence[Router], texts: int):
        """Start at nothing.

        Args:
            routers: all L of the model's.
            texts: N, how many are written.
        """
        self._routers, self._tokens_N = tuple(routers), torch.zeros(texts, dtype=torch.int64)
        self._counts: dict[str, Tensor] = {}
        """Router -> (N, E) tokens of each text that are sent to each expert."""

    @contextmanager
    def step(self, text_R: Sequence[int | None]) -> Iterator[None]:
        """Count the last position of each row of the forward inside.

        Args:
            text_R: of which text each row is; None where its token is not to be counted.
        """
        counted = [row for row, text in enumerate(text_R) if text is not None]
        texts = [text for text in text_R if text is not None]
        rows_at, texts_at = torch.tensor(counted, dtype=torch.int64), torch.tensor(texts, dtype=torch.int64)

        def add(router: Router, call: RouterCall) -> None:
            chosen_TE = call.chosen_TE()
            if len(chosen_TE) % len(text_R):
                raise AnswerError(
                    f"router {router.name} chose for {len(chosen_TE)} tokens of {len(text_R)} texts: run the model "
                    "without packing or dropping tokens"
                )
            last_RE = chosen_TE.view(len(text_R), -1, chosen_TE.shape[-1])[:, -1].to(torch.int64)
            if router.name not in self._counts:
                self._counts[router.name] = last_RE.new_zeros(len(self._tokens_N), last_RE.shape[1])
            counts_NE = self._counts[router.name]
            counts_NE.index_add_(0, texts_at.to(counts_NE.device), last_RE[rows_at.to(last_RE.device)])

        with observe(self._routers, add):
            yield
        self._tokens_N.index_add_(0, texts_at, torch.ones_like(texts_at))

    def written(self) -> Written:
        """What was counted; each text weighs the same, however long it is."""
        tokens_N = self._tokens_N.numpy()
        shares_LE = np.zeros((len(self._routers), self._routers[0].experts))
        for place, router in enumerate(self._routers):
            if router.name in self._counts:
                counts_NE = self._counts[router.name].cpu().numpy()
                shares_LE[place] = (counts_NE / np.maximum(tokens_N, 1)[:, None]).sum(axis=0)
        return Written(shares_LE, int((tokens_N > 0).sum()), int(tokens_N.sum()))


class TallyStore:
    """What was counted beside finished answers, so that a rerun takes it up with them; one file a part."""

    def __init__(self, parts: Path, determines: Any):
        """Name the files by what they are of.

        Args:
            parts: folder of all parts of the study.
            determines: plain data that decides the answers besides questions.
        """
        self._folder, self._determines = parts / "written", determines

    def get(self, questions: pd.DataFrame) -> Written | None:
        """What was counted when exactly these questions were answered, if that is kept."""
        path = self._path(questions)
        try:
            told = read_checked_json(path, path.stem, ChecksumError)
            return Written(np.array(told["shares"], dtype=np.float64), int(told["texts"]), int(told["tokens"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, ChecksumError):  # damaged, or of others: asking again is always right
            path.unlink()
            return None

    def put(self, questions: pd.DataFrame, written: Written) -> None:
        """Keep what was counted."""
        told = {"shares": written.shares_LE.tolist(), "texts": written.texts, "tokens": written.tokens}
        path = self._path(questions)
        write_checked_json(path, told, path.stem)

    def _path(self, questions: pd.DataFrame) -> Path:
        return self._folder / f"{digest([self._determines, questions_digest(questions)])}.json"

"""How far exclusive experts depend on which other languages are in the set.

Paper 2 calls an expert exclusive to language x iff x holds more than thr of it among the languages at hand
(`experts.shared`). A relative of x that uses the same experts takes their shares away, so a language alone of its
family in the set looks more exclusive than one among relatives, whatever the model does. Two views of it:

- Each other language left out in turn: how many experts become exclusive to x, and is the language that held most of
  them back a relative? Any omission adds some, because fewer languages divide each expert, so relatives are compared
  with the others.
- Families balanced: sets of languages that hold x and at most `at_most` languages of each family. Such sets are
  smaller, which alone makes more experts exclusive, so sets of the same size drawn whatever the family stand beside.

Sets are all that there are where these are no more than `draws`, otherwise so many random ones. Families and branches
are those of the language table (Glottolog).

Shapes besides the room's: V languages, D sets of languages.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.experts.shared import EPSILON, ActivationShares, activation_shares, check_thr
from polyroute.experts.specialised import ExpertsError
from polyroute.languages import table as language_table
from polyroute.measures.usage import usage
from polyroute.results.quantities import DECIMALS, rounded
from polyroute.results.similarity import SharedRow
from polyroute.stats.resampled import own_seed

LEFT_OUT_COLUMNS = ("corpus", "language", "left_out", "relation", "exclusive", "added")
DRAWS = 100
"""Random sets of languages, at most, for each language and kind of set."""
FEWEST = 3
"""Languages below which leaving one out leaves no other to compare with."""

Relation = Literal["branch", "family", "none"]


def shared_table(
    traces: Sequence[Trace], *, k: int, thr: float, seed: int, at_most: int = 1, draws: int = DRAWS
) -> pd.DataFrame:
    """Shared and exclusive experts of each language and layer, and how exclusive ones depend on the set.

    Args:
        traces: of one model on one parallel corpus, each of another language.
        k: experts kept for each language and layer.
        thr: on shares, in [0, 1).
        seed: of random sets of languages.
        at_most: languages of a family in a balanced set.
        draws: sets, at most, for each language and kind of set.

    Returns:
        Those of `results.similarity.SharedRow` but `k` and `thr`, a row a layer and language, and one with language ""
        a layer. The k experts of a language that are neither shared nor exclusive are exclusive to another, or lie at
        thr. `left_out` is the first in order of the traces among equals, and is missing below `FEWEST` languages;
        `exclusive_balanced` and `exclusive_same_size` are missing where the sets hold the language alone.

    Raises:
        ExpertsError: k, thr, at_most or draws is out of range.
        LanguageError: a language is not in the language table.
        UsageError: as `measures.usage.usage`.
    """
    shares, of = activation_shares(traces, k), usage(traces)
    exclusive_VLE = shares.share_VLE > thr
    shared_VLE = shares.is_shared(thr) & (shares.kept_VLE > 0)
    left_out_VVL = left_out(shares, thr)
    rows: list[pd.DataFrame] = [
        pd.DataFrame(
            {
                "layer": of.layers,
                "language": "",
                "shared": shares.is_shared(thr).sum(axis=-1),
                "exclusive": exclusive_VLE.any(axis=0).sum(axis=-1),
            }
        )
    ]
    for place, language in enumerate(of.languages):
        about = language_table.get(language)
        most = _most(left_out_VVL, place)
        balanced_DL, same_DL = balanced(shares, language, thr, seed=seed, at_most=at_most, draws=draws)
        held: dict[str, Any] = {
            "layer": of.layers,
            "language": language,
            "resource": about.resource,
            "family": about.family,
            "shared": shared_VLE[place].sum(axis=-1),
            "exclusive": exclusive_VLE[place].sum(axis=-1),
            "shared_use": (of.load_VLE[place] * shared_VLE[place]).sum(axis=-1).round(DECIMALS),
            "exclusive_use": (of.load_VLE[place] * exclusive_VLE[place]).sum(axis=-1).round(DECIMALS),
        }
        if most is not None:
            held |= {
                "left_out": of.languages[most],
                "left_out_relation": relation(language, of.languages[most]),
                "left_out_exclusive": left_out_VVL[place, most],
            }
        if balanced_DL is not None:
            held |= {
                "exclusive_balanced": balanced_DL.mean(axis=0).round(DECIMALS),
                "exclusive_balanced_low": balanced_DL.min(axis=0),
                "exclusive_balanced_high": balanced_DL.max(axis=0),
            }
        if same_DL is not None:
            held["exclusive_same_size"] = same_DL.mean(axis=0).round(DECIMALS)
        rows.append(pd.DataFrame(held))
    columns = [name for name in SharedRow.columns() if name not in ("corpus", "k", "thr")]
    table = pd.concat([row.reindex(columns=columns) for row in rows], ignore_index=True)
    whole = ("resource", "left_out_exclusive", "exclusive_balanced_low", "exclusive_balanced_high")
    table = table.astype(dict.fromkeys(whole, "Int64")).sort_values("layer", kind="stable", ignore_index=True)
    return table.assign(corpus=of.corpus)


def left_out_table(traces: Sequence[Trace], *, k: int, thr: float) -> pd.DataFrame:
    """What every omission of a language does to every other's exclusive experts, over all layers.

    Args:
        traces: of one model on one parallel corpus, each of another language.
        k: experts kept for each language and layer.
        thr: on shares, in [0, 1).

    Returns:
        Columns `LEFT_OUT_COLUMNS`, a row an ordered pair of languages: `exclusive`, experts exclusive to `language` in
        the whole set; `added`, how many more there are without the language `left_out`; `relation` of the two.
        Empty below `FEWEST` languages.

    Raises:
        ExpertsError, LanguageError, UsageError: as `shared_table`.
    """
    shares, corpus = activation_shares(traces, k), traces[0].header.corpus
    total_VV = left_out(shares, thr).sum(axis=-1)
    rows = [
        (corpus, one, other, relation(one, other), total_VV[x, x], total_VV[x, y] - total_VV[x, x])
        for (x, one), (y, other) in itertools.permutations(enumerate(shares.languages), 2)
        if len(shares.languages) >= FEWEST
    ]
    return pd.DataFrame(rows, columns=list(LEFT_OUT_COLUMNS))


def confound(table: pd.DataFrame) -> dict[str, Any]:
    """How much more relatives hold back than other languages do.

    Args:
        table: from `left_out_table`, of one corpus.

    Returns:
        `added`: mean of `added` by relation (null where no pair is so related). `branch` and `family` (the same family,
        of the same branch or not): `languages` that have such a relative in the set, `most` of these whose largest
        addition comes from leaving out one (an equal share each among equal additions), and `expected` of these had
        the omission that adds most been any other language with the same chance. Empty for an empty table.
    """
    if table.empty:
        return {}
    means = table.groupby("relation")["added"].mean()
    found: dict[str, Any] = {
        "added": {kind: rounded(means[kind]) if kind in means else None for kind in ("branch", "family", "none")}
    }
    for name, kinds in (("branch", {"branch"}), ("family", {"branch", "family"})):
        languages, most, expected = 0, 0.0, 0.0
        for _, rows in table.groupby("language"):
            related = rows["relation"].isin(kinds)
            if related.any():
                languages += 1
                most += float(related[rows["added"] == rows["added"].max()].mean())
                expected += float(related.mean())
        found[name] = {"languages": languages, "relative_adds_most": rounded(most), "expected": rounded(expected)}
    return found


def left_out(shares: ActivationShares, thr: float) -> NDArray[np.int64]:
    """Exclusive experts of each language without each other one.

    Returns:
        (V, V, L): of the first language without the second; on the diagonal, in the whole set.

    Raises:
        ExpertsError: thr is outside [0, 1).
    """
    check_thr(thr)
    count = len(shares.languages)
    # Row y: every language but y; adding up anew is exact where subtracting a language would leave its rounding error.
    without_VLE = np.tensordot(1 - np.eye(count), shares.kept_VLE, axes=1) + EPSILON
    found_VVL = np.stack([_exclusive(kept_LE, without_VLE, thr) for kept_LE in shares.kept_VLE])
    whole_VL = (shares.share_VLE > thr).sum(axis=-1)
    found_VVL[np.arange(count), np.arange(count)] = whole_VL
    return found_VVL


def balanced(
    shares: ActivationShares, language: str, thr: float, *, seed: int, at_most: int = 1, draws: int = DRAWS
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
    """Exclusive experts of a language in sets with families balanced, and in other sets of the same size.

    Args:
        shares: of the whole set.
        language: which every set holds.
        thr: on shares, in [0, 1).
        seed: of random sets; those of one language do not depend on the others'.
        at_most: languages of a family in a balanced set, that of `language` too.
        draws: sets of each kind, at most.

    Returns:
        (D, L) counts in the balanced sets, and in those of the same size; None where a set would hold one language.

    Raises:
        ExpertsError: thr, at_most or draws is out of range, or the language is not in the set.
    """
    check_thr(thr)
    if at_most < 1 or draws < 1:
        raise ExpertsError(f"at_most = {at_most} languages a family and {draws} draws: both must be at least 1")
    place = shares.place(language)
    families = [language_table.get(code).family for code in shares.languages]
    found: list[NDArray[np.int64]] = []
    sets_DV, same_DV = _drawn(place, tuple(families), at_most, draws, own_seed(seed, language))
    if sets_DV[0].sum() < 2:
        return None, None
    for drawn_DV in (sets_DV, same_DV):
        total_DLE = np.tensordot(drawn_DV.astype(np.float64), shares.kept_VLE, axes=1) + EPSILON
        found.append(_exclusive(shares.kept_VLE[place], total_DLE, thr))
    return found[0], found[1]


def relation(one: str, other: str) -> Relation:
    """How two languages are related: of one branch, of one family but two branches, or not at all as far as known.

    Raises:
        LanguageError: a code is not in the language table.
    """
    first, second = language_table.get(one), language_table.get(other)
    if first.family != second.family:
        return "none"
    return "branch" if first.branch == second.branch else "family"


def _exclusive(kept_LE: NDArray[np.float64], total_DLE: NDArray[np.float64], thr: float) -> NDArray[np.int64]:
    """(D, L) how many experts a language holds more than thr of, given what each set holds of them."""
    count_DL: NDArray[np.int64] = (kept_LE / total_DLE > thr).sum(axis=-1)
    return count_DL


def _most(left_out_VVL: NDArray[np.int64], place: int) -> int | None:
    """The omission that leaves most exclusive experts over all layers."""
    if len(left_out_VVL) < FEWEST:
        return None
    total_V = left_out_VVL[place].sum(axis=-1)
    total_V[place] = -1  # itself
    return int(total_V.argmax())


@lru_cache(maxsize=1024)
def _drawn(
    place: int, families: tuple[str, ...], at_most: int, draws: int, seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Sets with families balanced, and of the same size; kept, since every k and thr asks for the same."""
    rng = np.random.default_rng(seed)
    sets_DV = _sets(place, families, at_most, draws, rng)
    return sets_DV, _sets(place, [""] * len(families), int(sets_DV[0].sum()), draws, rng)


def _sets(place: int, families: Sequence[str], at_most: int, draws: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(D, V) sets of languages that hold the one at `place` and at most so many of a family, as large as can be."""
    own = families[place]
    members: dict[str, list[int]] = {family: [] for family in families}
    for other, family in enumerate(families):
        if other != place:
            members[family].append(other)
    room = {f: min(len(of), at_most - (f == own)) for f, of in members.items()}
    possible = math.prod(math.comb(len(of), room[family]) for family, of in members.items())
    if possible <= draws:
        ways = [list(itertools.combinations(of, room[family])) for family, of in members.items()]
        chosen = [list(itertools.chain.from_iterable(one)) for one in itertools.product(*ways)]
    else:
        chosen = [
            [int(one) for f, of in members.items() for one in rng.choice(of, size=room[f], replace=False)]
            for _ in range(draws)
        ]
    sets_DV = np.zeros((len(chosen), len(families)), dtype=np.bool_)
    sets_DV[:, place] = True
    for row, others in zip(sets_DV, chosen, strict=True):
        row[others] = True
    return sets_DV

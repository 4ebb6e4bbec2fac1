"""Divergence and accuracy over languages, layer by layer (paper 1, section on correlation).

Per layer Pearson's r, as in paper 1, and Spearman's rho between a language's divergence from the pivot and the accuracy
that the model reaches in it. Rival explanations (tokens per sentence, script, resource class) are held fixed in partial
correlations, one at a time and all together.

Unit of resampling and of permutation: the language. Languages of one family are not independent, so intervals are too
narrow and p-values too small for a claim over all languages; they say whether chance pairing of these languages'
divergence with these accuracies explains the correlation.

The interval leaves out one language at a time, on Fisher's scale (`stats.correlation_interval`, with what it covers).
Partial correlations have a p-value and no interval: without one language a script is often gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from polyroute.ground.errors import PolyrouteError
from polyroute.languages import table as language_table
from polyroute.results.quantities import DECIMALS
from polyroute.stats.correlation_interval import leave_out_interval
from polyroute.stats.fdr import benjamini_hochberg
from polyroute.stats.partial import correlations, permutation_p, residual_maker
from polyroute.stats.signs import FEWEST

METHODS = ("pearson", "spearman")
TOGETHER = "all"
"""What holding every covariate fixed at once is called."""
FEWEST_FREE = 3
"""Degrees of freedom, languages less 2 less covariates, below which a partial correlation is noise."""


class CorrelationError(PolyrouteError):
    """Divergence, accuracies and covariates that cannot be set against one another."""


@dataclass(frozen=True)
class Correlation:
    """Correlations of all layers, and what was not computed."""

    rows: pd.DataFrame
    """`results.correlation.CorrelationRow` but its task; `controlled_for` is empty, a covariate, or `TOGETHER`. NaN
    where a note says why."""
    notes: tuple[str, ...]
    """One sentence for everything that was not computed."""


def correlate(
    divergence_VL: NDArray[np.float64],
    accuracy_V: NDArray[np.float64],
    *,
    languages: Sequence[str],
    layers: Sequence[int],
    confidence: float,
    seed: int,
    covariates: pd.DataFrame | None = None,
) -> Correlation:
    """Correlate divergence with accuracy over languages in every layer.

    Args:
        divergence_VL: divergence of V languages from the pivot in L layers, the pivot apart.
        accuracy_V: share of right answers in each language.
        languages: the V codes.
        layers: the L layers' numbers.
        confidence: coverage of intervals.
        seed: of the permutations.
        covariates: indexed by language, from `language_covariates`: numbers are taken as they are (as ranks for
            Spearman), text as one dummy for each value but the first. A language without a value is left out of what is
            computed given it, and named in a note.

    Returns:
        Rows in order of method, covariates and layer. `p` is two-sided, by permutation of languages; `q` adjusts it for
        the layers (Benjamini and Hochberg). Fewer than `FEWEST` languages, or no variance, give a note instead.

    Raises:
        CorrelationError: shapes disagree, a value is NaN or infinite, or covariates lack a language; names it.
    """
    _check(divergence_VL, accuracy_V, languages, layers, covariates)
    notes: list[str] = []
    if len(languages) < FEWEST:
        notes.append(f"correlation needs at least {FEWEST} languages besides the pivot; there are {len(languages)}")
    elif _flat(accuracy_V):
        notes.append(f"accuracy is {accuracy_V[0]:.4g} in every language: there is nothing to correlate")
    flat = [layer for place, layer in enumerate(layers) if _flat(divergence_VL[:, place])]
    if flat and not notes:
        notes.append(f"divergence is the same in every language in layers {', '.join(map(str, flat))}")
    usable = len(languages) >= FEWEST and not _flat(accuracy_V)
    parts = []
    for method in METHODS:
        ranked = method == "spearman"
        for controlled_for, names in _holding(covariates).items():
            columns: dict[str, Any] = dict.fromkeys(("r", "low", "high", "p", "q"), np.full(len(layers), np.nan))
            maker_VV = None
            known, note = _known(covariates, controlled_for, names, languages)
            x_VL, y_V, of = divergence_VL[known], accuracy_V[known], [languages[place] for place in known]
            if usable and note and note not in notes:
                notes.append(note)
            if usable and len(of) >= FEWEST and not _flat(y_V):
                if ranked:
                    x_VL, y_V = _ranks(x_VL), _ranks(y_V)
                maker_VV, reason = _taken_off(covariates, controlled_for, names, of, ranked)
                if reason and reason not in notes:
                    notes.append(reason)
            if maker_VV is not None:
                columns["r"] = correlations(x_VL, y_V, maker_VV)
                columns["p"] = permutation_p(x_VL, y_V, maker_VV, seed)
                columns["q"] = benjamini_hochberg(columns["p"])
                if not controlled_for:
                    columns["low"], columns["high"] = leave_out_interval(
                        divergence_VL, accuracy_V, np.arange(len(languages)), confidence, ranked=ranked
                    )
                lost = [
                    layer for layer, r in zip(layers, columns["r"], strict=True) if np.isnan(r) and layer not in flat
                ]
                if lost:
                    where = f"layers {', '.join(map(str, lost))}"
                    notes.append(f"given {controlled_for}, {method} has no variance left in {where}")
            about = {
                "layer": list(layers), "method": method, "controlled_for": controlled_for, "languages": len(of),
            }  # fmt: skip
            parts.append(pd.DataFrame(about | {name: values.round(DECIMALS) for name, values in columns.items()}))
    return Correlation(pd.concat(parts, ignore_index=True), tuple(notes))


def language_covariates(
    tokens_per_sentence: Mapping[str, float], resource: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Rival explanations of how well a model does in a language.

    Args:
        tokens_per_sentence: FLORES code -> mean tokens of the same sentences in each language (fertility).
        resource: FLORES code -> how much text of it the model has seen, where that is known, in any unit; else the
            class 0 to 5 of Joshi et al. 2020, NaN where it is unknown.

    Returns:
        Indexed by code: `tokens_per_sentence`, `script` (ISO 15924), `resource`.

    Raises:
        LanguageError: a code is unknown.
    """
    known = {code: language_table.get(code) for code in tokens_per_sentence}
    return pd.DataFrame(
        {
            "tokens_per_sentence": pd.Series(dict(tokens_per_sentence), dtype=np.float64),
            "script": pd.Series({code: language.script for code, language in known.items()}, dtype=object),
            "resource": pd.Series(
                {code: language.resource if resource is None else resource[code] for code, language in known.items()},
                dtype=np.float64,
            ),
        }
    )


def held_fixed(covariates: pd.DataFrame, languages: Sequence[str], ranked: bool) -> NDArray[np.float64] | None:
    """The residual maker of all covariates together, as `correlate` takes them off under `TOGETHER`.

    Args:
        covariates: from `language_covariates`.
        languages: in whose order it is.
        ranked: whether they are taken as ranks, for Spearman's rho.

    Returns:
        (V, V); None where a covariate is unknown, or too few degrees of freedom are left.
    """
    return _taken_off(covariates, TOGETHER, [str(name) for name in covariates.columns], languages, ranked)[0]


def _holding(covariates: pd.DataFrame | None) -> dict[str, list[str]]:
    """What is held fixed: nothing, each covariate, all together."""
    names = [] if covariates is None else [str(name) for name in covariates.columns]
    held: dict[str, list[str]] = {"": []} | {name: [name] for name in names}
    return held | {TOGETHER: names} if len(names) > 1 else held


def _known(
    covariates: pd.DataFrame | None, controlled_for: str, names: list[str], languages: Sequence[str]
) -> tuple[NDArray[np.intp], str]:
    """Places of the languages of which covariates are known, and which others a partial correlation leaves out."""
    if covariates is None or not names:
        return np.arange(len(languages)), ""
    lacking_V = covariates.loc[list(languages), names].isna().any(axis=1).to_numpy()
    out = [language for language, lacking in zip(languages, lacking_V, strict=True) if lacking]
    why = f"given {controlled_for}: without {', '.join(out)}, of which it is unknown" if out else ""
    return np.flatnonzero(~lacking_V), why


def _taken_off(
    covariates: pd.DataFrame | None, controlled_for: str, names: list[str], languages: Sequence[str], ranked: bool
) -> tuple[NDArray[np.float64] | None, str]:
    """The residual maker of some covariates, or why there is none."""
    if covariates is None or not names:
        return residual_maker(np.empty((len(languages), 0))), ""
    chosen = covariates.loc[list(languages), names]
    columns: list[NDArray[np.float64]] = []
    for name in names:
        if pd.api.types.is_numeric_dtype(chosen[name]):
            numbers = chosen[name].to_numpy(np.float64)
            columns.append(_ranks(numbers) if ranked else numbers)
        else:
            dummies = pd.get_dummies(chosen[name].astype(str), drop_first=True)
            columns += list(dummies.to_numpy(np.float64).T)
    free = len(languages) - 2 - len(columns)
    if free < FEWEST_FREE:
        return None, (
            f"nothing is computed given {controlled_for}: its {len(columns)} columns leave {max(free, 0)} degrees of "
            f"freedom of {len(languages)} languages, fewer than {FEWEST_FREE}"
        )
    try:
        return residual_maker(np.column_stack([np.empty((len(languages), 0)), *columns])), ""
    except ValueError as error:
        return None, f"nothing is computed given {controlled_for}: {error}"


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(stats.rankdata(values, axis=0), dtype=np.float64)


def _flat(values_V: NDArray[np.float64]) -> bool:
    return bool(np.ptp(values_V) <= 1e-9 * np.abs(values_V).max(initial=0.0))


def _check(
    divergence_VL: NDArray[np.float64],
    accuracy_V: NDArray[np.float64],
    languages: Sequence[str],
    layers: Sequence[int],
    covariates: pd.DataFrame | None,
) -> None:
    shape = (len(languages), len(layers))
    if divergence_VL.shape != shape or accuracy_V.shape != shape[:1]:
        raise CorrelationError(
            f"divergence of shape {divergence_VL.shape} and accuracy of shape {accuracy_V.shape} are not of "
            f"{shape[0]} languages in {shape[1]} layers"
        )
    if len(set(languages)) < len(languages):
        raise CorrelationError(f"a language is listed twice: {', '.join(languages)}")
    for language, value in zip(languages, accuracy_V, strict=True):
        if not np.isfinite(value):
            raise CorrelationError(f"{language} has accuracy {value}: leave out a language that was not scored")
    for place, layer in np.argwhere(~np.isfinite(divergence_VL)):
        raise CorrelationError(
            f"{languages[place]} has divergence {divergence_VL[place, layer]} in layer {layers[layer]}: leave it out"
        )
    if covariates is None:
        return
    lacking = [language for language in languages if language not in covariates.index]
    if lacking or not covariates.index.is_unique:
        raise CorrelationError(f"covariates must have one row a language; they lack {', '.join(lacking) or 'none'}")
    if {"", TOGETHER} & set(covariates.columns):
        raise CorrelationError(f"a covariate cannot be named `{TOGETHER}` or nothing")

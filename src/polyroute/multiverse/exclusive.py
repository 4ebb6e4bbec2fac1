"""The claim that high-resource languages lean on shared experts, and low-resource ones on exclusive experts."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts.importance import normalise
from polyroute.claims.asked import Found
from polyroute.claims.estimates import FEWEST, correlation
from polyroute.experts.exclusivity import balanced
from polyroute.experts.released_settings import kept
from polyroute.experts.shared import ActivationShares
from polyroute.languages import table as language_table
from polyroute.multiverse.grid import Cell, Choice
from polyroute.multiverse.study import Study
from polyroute.results.claims import Missing
from polyroute.results.quantities import DECIMALS

K, THR = (15, 20, 32), ("0.4", "0.5", "0.7")
"""Of 128 experts, and on shares: what paper 2's release masks with, steers with, and takes on XQuAD."""


def choices(study: Study) -> list[Choice]:
    """p2.high_share_low_exclusive."""
    resources = [level for level in ("text_share", "class", "tokens") if len(_resource(study, level)) >= FEWEST]
    if len(study.settings.languages) < FEWEST or not resources:
        return []
    known = dict.fromkeys(kept(k, study.first.header.experts) for k in K)
    averaging = Choice("averaging", ("pooled", "sequences") if study.bootstrap is not None else ("pooled",))
    return [
        Choice("k", tuple(map(str, known))), Choice("thr", THR), averaging,
        Choice("expert_layers", ("all", "middle")), Choice("amount", ("use", "experts")),
        Choice("correlation", ("spearman", "pearson")), Choice("resource", tuple(resources)), study.languages,
    ]  # fmt: skip


def share_and_exclusive(study: Study, cell: Cell, found: Found) -> None:
    """p2.high_share_low_exclusive: as `claims.families.share_and_exclusive`, from traces."""
    how = (int(cell["k"]), float(cell["thr"]), cell["averaging"], cell["languages"])
    layers = np.arange(len(study.first.header.layers))
    inside = layers if cell["expert_layers"] == "all" else study.places("study")["middle"]
    table = study.once((*how, cell["expert_layers"]), lambda: _table(study, *how, inside))
    resource = _resource(study, cell["resource"])
    codes = [code for code in table.index if code in resource]
    scale, ranks = [resource[code] for code in codes], cell["correlation"] == "spearman"
    of = {"use": "_use", "experts": ""}[cell["amount"]]
    for name in ("exclusive", "shared"):
        found.put(f"rho_{name}", correlation(table.loc[codes, f"{name}{of}"], scale, seed=None, ranks=ranks))
    spread = table.loc[codes, "spread"]
    if spread.notna().all():
        found.put("rho_balanced", correlation(spread, scale, seed=None, ranks=ranks))
    else:
        found.lack(("rho_balanced",), Missing(kind="few", what="languages of several families"))


def _table(
    study: Study, k: int, thr: float, averaging: str, languages: str, inside: NDArray[np.intp]
) -> pd.DataFrame:  # fmt: skip
    """Mean over layers of the use and the number of a language's experts, and what balancing families adds."""
    shares, load_VLE, exclusive = study.once(
        ("exclusive", k, thr, averaging, languages), lambda: _shares(study, k, thr, averaging, languages)
    )
    exclusive_VLE, shared_VLE = shares.share_VLE > thr, shares.is_shared(thr) & (shares.kept_VLE > 0)
    columns: dict[str, NDArray[np.float64]] = {"spread": exclusive[:, inside].mean(axis=1)}
    for name, chosen_VLE in (("exclusive", exclusive_VLE), ("shared", shared_VLE)):
        columns[f"{name}_use"] = (load_VLE * chosen_VLE).sum(axis=-1).round(DECIMALS)[:, inside].mean(axis=1)
        columns[name] = chosen_VLE.sum(axis=-1)[:, inside].mean(axis=1)
    return pd.DataFrame(columns, index=list(shares.languages))


def _shares(
    study: Study, k: int, thr: float, averaging: str, languages: str
) -> tuple[ActivationShares, NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the k most chosen experts, load, and (V, L) exclusive experts of balanced less those of other sets."""
    codes = [study.pivot, *study.among(languages)]
    chosen_VLE = np.stack(
        [study.once(("use", code, averaging), _use, study, code, averaging) for code in codes]
    )  # fmt: skip
    order_VLk = np.argsort(-chosen_VLE, axis=-1, kind="stable")[..., :k]
    kept_VLE = np.zeros_like(chosen_VLE)
    np.put_along_axis(kept_VLE, order_VLk, np.take_along_axis(chosen_VLE, order_VLk, axis=-1), axis=-1)
    shares = ActivationShares(tuple(codes), study.first.header.layers, kept_VLE, k)
    rows = []
    for code in codes:
        ours_DL, theirs_DL = balanced(shares, code, thr, seed=study.settings.seed)
        if ours_DL is None or theirs_DL is None:
            rows.append(np.full(chosen_VLE.shape[1], np.nan))
        else:
            rows.append(ours_DL.mean(axis=0).round(DECIMALS) - theirs_DL.mean(axis=0).round(DECIMALS))
    return shares, normalise(chosen_VLE), np.stack(rows)


def _use(study: Study, code: str, averaging: str) -> NDArray[np.float64]:
    """(L, E) share of a language's tokens whose top-k holds the expert."""
    trace = study.of(code)
    if averaging == "sequences":
        means_LE: NDArray[np.float64] = (trace.topk_count / trace.tokens[:, None, None]).mean(axis=0)
        return means_LE
    pooled_LE: NDArray[np.float64] = trace.topk_count.sum(axis=0, dtype=np.int64) / int(trace.tokens.sum())
    return pooled_LE


def _resource(study: Study, level: str) -> dict[str, float]:
    """How much text there is of each language, by what measure."""
    codes = study.settings.languages
    match level:
        case "text_share":
            shares = study.settings.text_shares or {}
            return {code: math.log(shares[code]) for code in codes if shares.get(code, 0) > 0}
        case "class":
            classes = {code: language_table.get(code).resource for code in codes}
            return {code: float(known) for code, known in classes.items() if known is not None}
    return study.once("tokens", lambda: {code: -math.log(float(study.of(code).tokens.sum())) for code in codes})

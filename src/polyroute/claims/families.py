"""Quantities of claims on languages among themselves and on their experts, from the files of the stage `similarity`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polyroute.claims.asked import Asked, Found
from polyroute.claims.estimates import FEWEST, Estimate, correlation, over_languages
from polyroute.ground.layers import ZONES
from polyroute.results.claims import Missing, StandIn
from polyroute.results.similarity import CorpusSimilarity, Hub
from polyroute.stats.fdr import benjamini_hochberg

_K, _OF, _THR = 15, 128, 0.4


def families(asked: Asked, found: Found) -> None:
    """p2.families: agreement of the tree with families, and what is left of it beside the rivals."""
    if (one := _similarity(asked)) is None:
        return
    found.languages = len(one.languages)
    labels = {zone: one.zones[zone].labels["family"] for zone in ZONES if zone in one.zones}
    q = benjamini_hochberg([np.nan if label.cophenetic_p is None else label.cophenetic_p for label in labels.values()])
    for (zone, label), adjusted in zip(labels.items(), q, strict=True):
        found.put(f"family.{zone}", Estimate(label.cophenetic, p=label.cophenetic_p, q=float(adjusted)))
        rival = one.zones[zone].rivals.get("family")
        if rival is not None:
            found.put(f"beyond.{zone}", Estimate(rival.partial, p=rival.partial_p))


def families_beyond_script(asked: Asked, found: Found) -> None:
    """own.families_beyond_script: relatives against others, over all pairs and over those of different scripts.

    Intervals leave out one family at a time.
    """
    if (one := _similarity(asked)) is None:
        return
    held = one.zones["middle"].relatedness
    found.languages = len(one.languages) - 1
    if held is None:
        found.lack(("gap", "apart", "script"), Missing(kind="few", what="languages with a relative, the pivot apart"))
        return
    found.put("gap", Estimate(held.gap, held.by_family_low, held.by_family_high, held.p))
    found.put(
        "apart", Estimate(held.other_script_gap, held.other_script_low, held.other_script_high, held.other_script_p)
    )
    relatives = "families of several languages: intervals leave out one family at a time"
    for name, bound in (("gap", held.by_family_low), ("apart", held.other_script_low)):
        if bound is None:
            found.lack((name,), Missing(kind="few", what=relatives))
    found.put("script", Estimate(p=held.within_script_p))
    if held.within_script_p is None:
        orders = f"languages that share a script (of which families have {held.within_script_relabellings} order(s))"
        found.lack(("script",), Missing(kind="few", what=orders))


def hub(asked: Asked, found: Found) -> None:
    """p2.layerwise_hub: overlap and specificity in RISE's zones, over languages and with families balanced."""
    if asked.results.similarity is None:
        return
    table = asked.results.similarity.rise
    table = table[table["corpus"] == asked.corpus]
    whole = table[table["language"] == ""].set_index("zone")["overlap"]
    held: Hub | None = getattr(_similarity(asked), "hub", None)
    for name, zone in (("overlap_me", "early"), ("overlap_ml", "late")):
        found.put(name, Estimate(float(whole["middle"] - whole[zone])))
    if held is not None:
        over = {
            "overlap_me": held.overlap_middle_minus_early, "overlap_ml": held.overlap_middle_minus_late,
            "specificity": held.specificity_middle_minus_outer,
        }  # fmt: skip
        for name, one in over.items():
            if name != "specificity":
                found.put(name, Estimate(one.value, one.low, one.high))
            found.put(f"balanced.{name}", one.balanced)
            if one.turns_without:
                found.stand_in(StandIn(kind="hinge", used=", ".join(one.turns_without), meant=name))
        if held.overlap_middle_minus_early.balanced is None:
            found.lack((f"balanced.{name}" for name in over), Missing(kind="few", what="languages of several families"))
    by = table[table["language"] != ""].pivot(index="language", columns="zone", values="specificity")
    found.languages = len(by)
    found.put("specificity", over_languages((by["middle"] - (by["early"] + by["late"]) / 2).to_numpy()))


def share_and_exclusive(asked: Asked, found: Found) -> None:
    """p2.high_share_low_exclusive: use of shared and exclusive experts, and resource."""
    table = _shared(asked)
    if table is None:
        return
    resource = asked.resource(found, [str(code) for code in table.index])
    codes, seed = list(resource), asked.settings.seed
    found.languages = len(codes)
    scale = list(resource.values())
    found.put("rho_exclusive", correlation(table.loc[codes, "exclusive_use"], scale, seed=seed, ranks=True))
    found.put("rho_shared", correlation(table.loc[codes, "shared_use"], scale, seed=seed, ranks=True))
    spread = (table["exclusive_balanced"] - table["exclusive_same_size"])[codes]
    if spread.notna().all():
        found.put("rho_balanced", correlation(spread, scale, seed=seed, ranks=True))
    else:
        found.lack(("rho_balanced",), Missing(kind="few", what="languages of several families"))


def exclusive_and_accuracy(asked: Asked, found: Found) -> None:
    """p2.exclusive_despite_lower_accuracy: use of exclusive experts and accuracy."""
    table = _shared(asked)
    if table is None:
        return
    for role in ("maths", "reading"):
        accuracy = asked.accuracy(found, role)
        if accuracy is None:
            continue
        codes = [str(code) for code in table.index if code in accuracy.index]
        found.languages = len(codes)
        x, y = table.loc[codes, "exclusive_use"], accuracy[codes]
        found.put(f"rho.{role}", correlation(x, y, seed=asked.settings.seed, ranks=True))


def permuted_sentences(asked: Asked, found: Found) -> None:
    """own.permuted_sentences: what language explains of the choice of experts, against permuted sentences."""
    if asked.results.similarity is None:
        return
    table = asked.results.similarity.utilisation
    rows = table[(table["corpus"] == asked.corpus) & (table["language"] == "")].dropna(subset=["information_null"])
    found.languages, found.items = len(asked.codes), asked.alignment.sentences
    if rows.empty:
        found.lack(("excess", "layers"), Missing(kind="few", what="sentences: counts recorded elsewhere have none"))
        return
    found.put("excess", float((rows["information"] - rows["information_null"]).mean()))
    found.put("layers", float((benjamini_hochberg(rows["information_p"].to_numpy()) <= 0.05).mean()))


def token_identity(asked: Asked, found: Found) -> None:
    """own.token_identity: what vocabulary distance explains of routing distance in the middle."""
    if (one := _similarity(asked)) is None:
        return
    found.languages = len(one.languages)
    rival = one.zones["middle"].rivals.get("vocabulary")
    if rival is not None and rival.mantel is not None:
        found.put("explained", rival.mantel**2)


def other_pivot(asked: Asked, found: Found) -> None:
    """own.other_pivot: the differences of zones of D from every other language."""
    if asked.results.similarity is None:
        return
    table = asked.results.similarity.distances
    table = table[(table["corpus"] == asked.corpus) & (table["measure"] == "divergence") & (table["zone"] != "")]
    if table.empty:
        return
    whole = pd.concat([table, table.rename(columns={"language_a": "language_b", "language_b": "language_a"})])
    by = whole.pivot(index=["language_a", "language_b"], columns="zone", values="distance")
    em, lm = by["early"] - by["middle"], by["late"] - by["middle"]
    pivots = [code for code in by.index.get_level_values(0).unique() if code != asked.results.pivot]
    found.languages = len(pivots)
    if len(pivots) < FEWEST:
        found.lack(("pivots", "em", "lm"), Missing(kind="few", what=f"{FEWEST} languages beside the pivot"))
        return
    both = [all((over_languages(one[code].to_numpy()).low or 0.0) > 0 for one in (em, lm)) for code in pivots]
    found.put("pivots", float(np.mean(both)))
    found.put("em", over_languages([float(em[code].mean()) for code in pivots]))
    found.put("lm", over_languages([float(lm[code].mean()) for code in pivots]))


def _similarity(asked: Asked) -> CorpusSimilarity | None:
    return None if asked.results.similarity is None else asked.results.similarity.corpora.get(asked.corpus)


def _shared(asked: Asked) -> pd.DataFrame | None:
    """Use of shared and exclusive experts by language, means over layers, at the k nearest to 15 of 128 and thr .4."""
    if asked.results.similarity is None:
        return None
    table = asked.results.similarity.shared
    table = table[(table["corpus"] == asked.corpus) & (table["language"] != "") & (table["thr"] == _THR)]
    if table.empty:
        return None
    wanted = _K / _OF * asked.results.alignment.model.experts
    k = min(set(table["k"]), key=lambda one: (abs(one - wanted), one))
    columns = ["exclusive_use", "shared_use", "exclusive_balanced", "exclusive_same_size"]
    means: pd.DataFrame = table[table["k"] == k].groupby("language", sort=False)[columns].mean()
    return means

"""Quantities of claims on divergence, entropy and consistency by depth, from align.json, layers.csv and domains.csv."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import stats

from polyroute.claims import first_tokens
from polyroute.claims.asked import Asked, Found
from polyroute.claims.estimates import (
    FEWEST,
    FLAT,
    Estimate,
    correlation,
    mean,
    minus,
    on_a_line,
    over_languages,
    ratio,
)
from polyroute.results.alignment import Interval
from polyroute.results.claims import Missing, StandIn

WIDE = StandIn(kind="interval", used="the parts' intervals added up", meant="that of their difference")
_BAMBARA = "bam_Latn"


def u_shape(asked: Asked, found: Found) -> None:
    """p1.u_shape: the two differences over languages, and how many languages have both."""
    found.languages, found.items = len(asked.codes), asked.alignment.sentences
    for name, field in (("em", "early_minus_middle"), ("lm", "late_minus_middle")):
        found.put(name, over_languages([getattr(asked.alignment.languages[code], field).value for code in asked.codes]))
    lows = [(one.early_minus_middle.low, one.late_minus_middle.low) for one in asked.alignment.languages.values()]
    known = [(early, late) for early, late in lows if early is not None and late is not None]
    if known and len(known) == len(lows):
        found.put("share_u", float(np.mean([min(both) > 0 for both in known])))
    if (halves := asked.alignment.split_half) is not None:
        found.put("noise.em", halves.early_minus_middle.high)
        found.put("noise.lm", halves.late_minus_middle.high)
    over = asked.alignment.over_languages
    if over.by_family.agrees is False:
        found.stand_in(StandIn(kind="families", used=str(over.by_family.shape), meant=str(over.shape)))
    if asked.alignment.reading != "soft_mass":
        found.stand_in(StandIn(kind="reading", used=asked.alignment.reading, meant="soft_mass"))


def domain_cap(asked: Asked, found: Found) -> None:
    """p1.domain_cap: the two differences of each domain, and how far its largest D lies below that of languages.

    Unit: the sentence of either text, for each domain on its own.
    """
    if asked.results.experts is None:
        return
    domains = asked.results.experts.domains
    largest = [_largest(rows) for _, rows in _divergences(asked).groupby("language")]
    found.languages = len(largest)
    for role in ("maths", "medical"):
        task = asked.read(found, role)
        held = asked.results.experts.summary.tasks.get(task or "")
        if held is not None and (depth := held.domain_depth) is not None:
            found.items = depth.sentences if found.items is None else min(found.items, depth.sentences)
            # Fewer sentences than a shape needs leave the differences without bounds, and so without verdict.
            found.put(f"me.{role}", _turned(depth.early_minus_middle, held.domain_shape is not None))
            found.put(f"ml.{role}", _turned(depth.late_minus_middle, held.domain_shape is not None))
        rows = domains[(domains["task"] == task) & (domains["reading"] == "soft_mass")].dropna(subset=["value", "low"])
        if rows.empty or not largest:
            continue
        found.put(f"weaker.{role}", minus(_largest(rows), mean(largest)))
        found.stand_in(WIDE)


def _turned(outer_minus_middle: Interval, bounded: bool) -> Estimate:
    """Middle minus outer layers, with bounds if there are enough sentences."""
    value, low, high = (
        None if part is None else -part
        for part in (outer_minus_middle.value, outer_minus_middle.high, outer_minus_middle.low)
    )
    return Estimate(value, low, high) if bounded else Estimate(value)


def bambara_high(asked: Asked, found: Found) -> None:
    """p1.bambara_high: Bambara against what the model understands, its own edges, and its tokens a sentence."""
    if _BAMBARA not in asked.codes:
        found.lack(("gap", "depth", "partial"), Missing(kind="language", what=_BAMBARA))
        return
    found.items = asked.alignment.sentences
    zones = {
        zone: {code: asked.interval(code, "divergence", asked.layers_of(zone)) for code in asked.codes}
        for zone in ("early", "middle", "late")
    }
    middle = zones["middle"]
    found.stand_in(WIDE)
    found.put("depth", ratio(middle[_BAMBARA], mean([zones["early"][_BAMBARA], zones["late"][_BAMBARA]])))
    accuracy = asked.accuracy(found, "reading")
    if accuracy is not None:
        known = [code for code in asked.codes if code != _BAMBARA and accuracy.get(code, 0.0) >= 0.5]
        if highest := max(known, key=lambda code: middle[code].value or 0.0, default=None):
            found.put("gap", minus(middle[_BAMBARA], middle[highest]))
    others = [code for code in asked.codes if code != _BAMBARA]
    tokens = asked.log_tokens([_BAMBARA, *others])
    if tokens is not None and len(others) >= FEWEST and max(tokens[1:]) > min(tokens[1:]):
        x, y = np.array(tokens[1:]), np.array(asked.zone("middle", others))
        slope, start = np.polyfit(x, y, 1)
        left = y - start - slope * x
        spread = math.sqrt(float((left**2).sum()) / (len(x) - 2))
        found.put("partial", (asked.zone("middle", [_BAMBARA])[0] - start - slope * tokens[0]) / spread)


def entropy_by_depth(asked: Asked, found: Found) -> None:
    """p1.entropy_by_depth: how far entropy falls from the early to the late zone."""
    pivot = asked.results.pivot
    english = minus(*(asked.interval(pivot, "entropy", asked.layers_of(zone)) for zone in ("early", "late")))
    if english.value is not None:
        found.stand_in(WIDE)
        found.put("fall_en", english)
    curves = asked.by_layer("entropy", "soft_mass")
    if curves.empty:
        return
    fall = curves[list(asked.layers_of("early"))].mean(axis=1) - curves[list(asked.layers_of("late"))].mean(axis=1)
    others = fall[[code for code in asked.codes if code in fall.index]]
    found.languages = len(others)
    found.put("fall_x", over_languages(others.to_numpy()))
    if pivot in fall.index:
        found.put("steeper", over_languages((others - fall[pivot]).to_numpy()))
    first_tokens.put_steeper(asked, found, "steeper_budget")


def entropy_last_drop(asked: Asked, found: Found) -> None:
    """p1.entropy_last_drop: the drop over the last three layers, and over three layers elsewhere."""
    curves, count = asked.by_layer("entropy", "soft_mass"), asked.results.alignment.model.layers
    starts = range(math.ceil(count / 10), count - 4)
    if curves.empty or not starts:
        return
    drop = curves[count - 4] - curves[count - 1]
    others = [code for code in asked.codes if code in curves.index]
    found.languages = len(others)
    found.put("drop", over_languages(drop[others].to_numpy()))
    usual = [float((curves.loc[others, start] - curves.loc[others, start + 3]).mean()) for start in starts]
    found.put("usual", float(np.quantile(usual, 0.975)))
    if asked.results.pivot in drop.index:
        found.put("beyond_en", over_languages((drop[others] - drop[asked.results.pivot]).to_numpy()))


def consistency(asked: Asked, found: Found) -> None:
    """p1.consistency_low_resource: consistency and resource over languages."""
    curves = asked.by_layer("consistency", "topk_ids")
    resource = asked.resource(found, [code for code in asked.codes if code in curves.index])
    codes = list(resource)
    found.languages = len(codes)
    values, seed = curves.loc[codes].mean(axis=1).to_numpy(), asked.settings.seed
    found.put("rho", correlation(values, list(resource.values()), seed=seed, ranks=True))
    if (tokens := asked.log_tokens(codes)) is not None:
        found.put("rho_given", correlation(values, list(resource.values()), seed=seed, ranks=True, given=[tokens]))
    far = asked.by_layer("consistency_far", "topk_ids")
    if far.empty:
        return
    far = far.loc[[code for code in codes if code in far.index]].dropna()
    if len(far) < FEWEST:
        few = f"{FEWEST} languages with pairs of tokens so far apart (here {len(far)})"
        found.lack(("far",), Missing(kind="few", what=few))
        return
    known = [resource[str(code)] for code in far.index]
    found.put("far", correlation(far.mean(axis=1).to_numpy(), known, seed=seed, ranks=True))


def translation_nearest(asked: Asked, found: Found) -> None:
    """own.translation_nearest: alignment in the middle layer that has most of it."""
    found.put("a", _aligned(asked))
    length_matched(asked, found)
    first_tokens.put_alignment(asked, found, "a_budget")


def length_matched(asked: Asked, found: Found) -> None:
    """own.length_matched: the same, whose partners are as long as the sentence since the stage `nulls` exists."""
    found.languages, found.items = len(asked.codes), asked.alignment.sentences
    if asked.null is not None:
        found.put("a_matched", _aligned(asked))
    else:
        found.lack(("a_matched",), Missing(kind="stage", what="nulls"))


def _aligned(asked: Asked) -> Estimate:
    """Alignment in the middle layer that has most of it."""
    rows = [row for row in asked.alignment.over_languages.alignment or () if row.layer in asked.layers_of("middle")]
    top = max(rows, key=lambda row: row.value, default=None)
    return Estimate() if top is None else Estimate(top.value, top.low, top.high)


def fertility_regressed(asked: Asked, found: Found) -> None:
    """own.fertility_regressed: the U where sentences are shortest, and what fertility explains of the middle."""
    found.languages = len(asked.codes)
    if (tokens := asked.log_tokens(asked.codes)) is None:
        return
    middle = np.array(asked.zone("middle"))
    for name, zone in (("em_short", "early"), ("lm_short", "late")):
        found.put(name, on_a_line(tokens, np.array(asked.zone(zone)) - middle, min(tokens)))
    r = correlation(tokens, middle, seed=asked.settings.seed).value
    found.put("explained", None if r is None else r * r)


def english_floor(asked: Asked, found: Found) -> None:
    """own.english_floor: languages against other sentences of English, in the layer where they exceed these least."""
    halves = asked.alignment.split_half
    if halves is None:
        found.lack(("margin", "ratio"), Missing(kind="few", what="sentences (here pooled counts)"))
        return
    found.languages = len(asked.codes)
    curves = asked.by_layer("divergence", asked.alignment.reading).loc[asked.codes]
    above_VL = curves.to_numpy(np.float64) - np.array(halves.high)
    found.put("margin", over_languages(above_VL[:, int(above_VL.mean(axis=0).argmin())].tolist()))
    floor = pd.Series(halves.divergence, curves.columns)[list(asked.layers_of("middle"))]
    found.put("ratio", float(np.mean(asked.zone("middle")) / floor.mean()))


def unknown_languages_high(asked: Asked, found: Found) -> None:
    """own.unknown_languages_high: middle D of languages at chance against the others."""
    accuracy = asked.accuracy(found, "reading")
    if accuracy is None:
        return
    low = asked.near_chance()
    others = [code for code in asked.codes if code in accuracy.index and code not in low]
    found.languages = len(low) + len(others)
    if min(len(low), len(others)) < 2:
        few = f"two languages near chance and two above it (here {len(low)} and {len(others)})"
        found.lack(("gap", "given"), Missing(kind="few", what=few))
        return
    found.put("gap", _welch(asked.zone("middle", low), asked.zone("middle", others)))
    tokens = asked.log_tokens([*low, *others])
    if tokens is not None and max(tokens) > min(tokens):
        middle = np.array(asked.zone("middle", [*low, *others]))
        slope, start = np.polyfit(tokens, middle, 1)
        left = middle - start - slope * np.array(tokens)
        found.put("given", _welch(left[: len(low)].tolist(), left[len(low) :].tolist()))


def _welch(one: list[float], other: list[float]) -> Estimate:
    if max(np.ptp(one), np.ptp(other)) < FLAT:
        return Estimate(float(np.mean(one) - np.mean(other)))
    test = stats.ttest_ind(one, other, equal_var=False)
    bounds = test.confidence_interval(0.95)
    return Estimate(float(np.mean(one) - np.mean(other)), float(bounds.low), float(bounds.high), float(test.pvalue))


def _largest(rows: pd.DataFrame) -> Estimate:
    """The layer with the largest value, with its interval."""
    top = int(np.argmax(rows["value"].to_numpy()))
    value, low, high = (float(rows[part].iloc[top]) for part in ("value", "low", "high"))
    return Estimate(value, low, high)


def _divergences(asked: Asked) -> pd.DataFrame:
    """Rows of D of each language, with intervals."""
    layers = asked.results.layers
    return layers[
        (layers["corpus"] == asked.corpus) & (layers["measure"] == "divergence") & (layers["reading"] == "soft_mass")
        & layers["language"].isin(asked.codes)
    ].dropna(subset=["value", "low"])  # fmt: skip

"""How languages compare, in Markdown tables over models: families, rivals, use of experts, shared and exclusive ones.

Every number is read from `metrics/`; means over layers, languages and pairs are taken here, and nothing else but the
verdict on families, whose rule `families` states.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from polyroute.report import exclusive, families, wording
from polyroute.report.wording import spans
from polyroute.results.model import ModelResults, Similarity
from polyroute.results.similarity import CorpusSimilarity, RivalCorrelation

NONE = "–"
"""What a cell without a value holds."""


def tables(measured: Sequence[ModelResults]) -> dict[str, str]:
    """Title -> table; one without a row is its head."""
    return {
        "Language families": followed(measured),
        "What goes with routing distance": rivals(measured),
        "Use of experts": used(measured),
        "Shared and exclusive experts": shared(measured),
        "Exclusivity and relatives": relatives(measured),
    }


def followed(measured: Sequence[ModelResults]) -> str:
    """A row a model, corpus and zone: mean distance of two languages, agreement of tree and labels, and the verdict.

    Agreement is the adjusted Rand index with q over all labels and zones of the corpus.
    """
    columns = ["model", "corpus", "zone", "languages", "mean distance", *families.LABELS, "the tree"]
    rows = []
    for (model, _), corpus, held, found in _corpora(measured):
        table = families.agreement(held.zones)
        headline = found.distances[
            (found.distances["corpus"] == corpus) & (found.distances["measure"] == held.headline.measure)
            & (found.distances["reading"] == held.headline.reading)
        ]  # fmt: skip
        for zone in families.ZONES:
            agreed = families.in_zone(table, zone)
            mean = headline[headline["zone"] == zone]["distance"].mean()
            cells = [
                NONE if pd.isna(row["rand"]) else f"{wording.coefficient(row['rand'])}, q {wording.chance(row['q'])}"
                for _, row in agreed.iterrows()
            ]
            rows.append(
                [model, corpus, _zone(zone, held), str(len(held.languages)), f"{mean:.3f}", *cells,
                 families.verdict(table, zone)]
            )  # fmt: skip
    return wording.markdown(columns, rows)


def rivals(measured: Sequence[ModelResults]) -> str:
    """A row a model, corpus and zone: correlation of each rival with routing distance, alone and given the others.

    p is by permuting languages, one-sided, and not adjusted.
    """
    columns = ["model", "corpus", "zone", *(families.called(rival) for rival in families.RIVALS)]
    rows = [
        [model, corpus, _zone(zone, held), *(_rival(held.zones[zone].rivals[one]) for one in families.RIVALS)]
        for (model, _), corpus, held, _ in _corpora(measured)
        for zone in families.ZONES
    ]
    return wording.markdown(columns, rows)


def used(measured: Sequence[ModelResults]) -> str:
    """A row a model and corpus: use of experts over all languages, by zone.

    Specificity and overlap are in RISE's zones, the rest in the study's. `chance` is information gain with sentences
    permuted between languages.
    """
    columns = [
        "model", "corpus", "evenness", "dead", "hot", "MaxVio", "information gain", "chance", "specificity", "overlap",
    ]  # fmt: skip
    rows = []
    for (model, _), corpus, held, found in _corpora(measured):
        table = found.utilisation
        whole = table[(table["corpus"] == corpus) & (table["language"] == "")]
        parts = [whole[whole["layer"].between(*held.zones[zone].layers)] for zone in families.ZONES]
        rise = found.rise[(found.rise["corpus"] == corpus) & (found.rise["language"] == "")].set_index("zone")
        means = (("evenness", 2), ("dead", 1), ("hot", 1), ("max_violation", 1), ("information", 3),
                 ("information_null", 3))  # fmt: skip
        cells = [_three([part[name].mean() for part in parts], digits) for name, digits in means]
        cells += [_three([rise[name].get(zone) for zone in families.ZONES], 2) for name in ("specificity", "overlap")]
        rows.append([model, corpus, *cells])
    return wording.markdown(columns, rows)


def shared(measured: Sequence[ModelResults]) -> str:
    """A row a model, corpus and zone: shared and exclusive experts of a layer, means over the zone.

    `shared` and `exclusive`: in the whole set of languages. By resource class, the highest first: the share of choices
    of a language that fall on its exclusive experts, mean over the languages of the class.
    """
    columns = ["model", "corpus", "k, thr", "zone", "shared", "exclusive", "choices of exclusive experts, by class"]
    rows = []
    for (model, experts), corpus, held, found in _corpora(measured):
        table = exclusive.setting(found.shared, corpus, experts)
        if table.empty:
            continue
        told = f"{table['k'].iloc[0]:.0f}, {table['thr'].iloc[0]:g}"
        for zone in families.ZONES:
            inside = table[table["layer"].between(*held.zones[zone].layers)]
            whole = inside[inside["language"] == ""]
            use = inside[inside["language"] != ""].groupby("resource", dropna=True)["exclusive_use"].mean()
            by_class = ", ".join(
                f"{float(str(resource)):.0f}: {wording.percent(share)}%"
                for resource, share in use.sort_index(ascending=False).items()
            )
            means = [f"{whole[name].mean():.1f}" for name in ("shared", "exclusive")]
            rows.append([model, corpus, told, _zone(zone, held), *means, by_class or NONE])
    return wording.markdown(columns, rows)


def relatives(measured: Sequence[ModelResults]) -> str:
    """A row a model and corpus: how exclusive experts depend on the set of languages.

    `without a ...`: how many more experts are exclusive to a language when one of its branch, of its family or of
    another family is left out. `most held back by a relative`: languages to which leaving out one of their family adds
    most experts, of those with one in the set, and as many as chance would give. Then exclusive experts of a language
    and layer: in the whole set, with families balanced, and in sets of that size whatever the family.
    """
    columns = [
        "model", "corpus", "k, thr", "without one of its branch", "of its family", "of another",
        "most held back by a relative", "exclusive", "balanced", "same size",
    ]  # fmt: skip
    rows = []
    for (model, experts), corpus, held, found in _corpora(measured):
        table = exclusive.setting(found.shared, corpus, experts)
        own = table[table["language"] != ""]
        if own.empty:
            continue
        k, thr = float(own["k"].iloc[0]), float(own["thr"].iloc[0])
        confound = next((row for row in held.confound if (row.k, row.thr) == (k, thr)), None)
        if confound is None or confound.added is None or confound.family is None:
            continue
        added, kin = [confound.added.branch, confound.added.family, confound.added.none], confound.family
        most = f"{kin.most:.1f} of {kin.languages} (chance {kin.expected:.1f})" if kin.languages else NONE
        means = [own[name].mean() for name in ("exclusive", "balanced", "same_size")]
        rows.append(
            [model, corpus, f"{k:.0f}, {thr:g}", *(NONE if one is None else f"{one:+.2f}" for one in added), most,
             *(NONE if pd.isna(one) else f"{one:.2f}" for one in means)]
        )  # fmt: skip
    return wording.markdown(columns, rows)


def _corpora(
    measured: Sequence[ModelResults],
) -> Iterator[tuple[tuple[str, int], str, CorpusSimilarity, Similarity]]:
    """Model with its experts of a layer, corpus, what similarity.json says of it, and the tables."""
    for one in measured:
        found = one.similarity
        for corpus, held in found.corpora.items() if found is not None else ():
            assert found is not None, "it has corpora"
            yield (one.model, one.alignment.model.experts), corpus, held, found


def _zone(zone: str, held: CorpusSimilarity) -> str:
    first, last = held.zones[zone].layers
    return f"{zone} ({spans(range(first, last + 1))})"


def _rival(held: RivalCorrelation) -> str:
    if held.mantel is None or held.p is None:
        return NONE
    alone = f"{wording.coefficient(held.mantel)}, p {wording.chance(held.p)}"
    if held.partial is None or held.partial_p is None:
        return alone
    return f"{alone}; given others {wording.coefficient(held.partial)}, p {wording.chance(held.partial_p)}"


def _three(values: Sequence[float | None], digits: int) -> str:
    """Early, middle and late."""
    if all(value is None or pd.isna(value) for value in values):
        return NONE
    return " / ".join(NONE if value is None or pd.isna(value) else f"{value:.{digits}f}" for value in values)

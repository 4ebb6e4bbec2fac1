"""Experts in words and tables: those of tasks, how evenly languages use them, shared and exclusive ones.

shared.csv holds several k and thr. Reports show the k whose share of a layer is nearest paper 2's 15 of 128, and the
thr nearest its 0.4, what it masks with.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from polyroute.ground.layers import ZONES
from polyroute.report import families, words
from polyroute.report.words import NONE
from polyroute.results.experts import ExpertSets
from polyroute.results.model import ModelResults
from polyroute.results.quantities import Middle

TAU = 0.3
"""At this threshold and above paper 1's task experts and multilingual experts never meet."""
FEWEST_KEPT = 2
"""Experts of a language and layer, below which shared and exclusive say no more than which one is used most."""
MOSTLY = 0.5
"""Share of languages and layers without an exclusive expert, above which exclusive experts compare no languages."""
SHARE, THR = 15 / 128, 0.4


def setting(shared: pd.DataFrame, corpus: str, experts: int | None) -> pd.DataFrame:
    """Rows of one corpus under the setting that is shown.

    Args:
        shared: shared.csv.
        corpus: which.
        experts: of a layer; the smallest k where it is not known.
    """
    rows = shared[shared["corpus"] == corpus]
    if rows.empty:
        return rows
    k, thr = shown(rows["k"].unique(), rows["thr"].unique(), experts)
    return rows[(rows["k"] == k) & (rows["thr"] == thr)]


def shown(ks: object, thrs: object, experts: int | None) -> tuple[float, float]:
    """The k and thr that are shown, of those that were computed; of two equally near the smaller."""
    wanted = SHARE * experts if experts else 0.0
    near = sorted(map(float, ks), key=lambda k: (abs(k - wanted), k))  # type: ignore[call-overload]
    return near[0], sorted(map(float, thrs), key=lambda thr: (abs(thr - THR), thr))[0]  # type: ignore[call-overload]


def by_resource(shared: pd.DataFrame) -> pd.Series[float]:
    """Resource class of each language, most resources first, unknown last; else in the order of the study."""
    classes: pd.Series[float] = (
        shared[shared["language"] != ""].drop_duplicates("language").set_index("language")["resource"].astype("float64")
    )
    return classes.sort_values(ascending=False, kind="stable", na_position="last")


def task_table(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: sizes of the sets and of their overlap, domain divergence over depth, and the middle.

    Sets are told at the smallest tau and at `TAU`; beside the overlap stands what random sets of the same sizes would
    share.
    """
    columns = ["model", "task", "task experts", "multilingual experts", "in both", "domain divergence", "middle"]
    rows = []
    for one in measured:
        found = None if one.experts is None else one.experts.summary
        for task, held in found.tasks.items() if found is not None else ():
            assert found is not None, "it has tasks"
            sets = told_sets(held.sets)
            cells = [
                ", ".join(f"{getattr(row, name)} above {row.tau:g}" for row in sets)
                for name in ("task", "multilingual")
            ]
            both = ", ".join(f"{row.both} above {row.tau:g} (chance {row.expected:.1f})" for row in sets)
            rows.append([one.model, task, *cells, both, words.domain_shape(held), middle(found.middle)])
    return words.markdown(columns, rows)


def use_table(measured: Sequence[ModelResults]) -> str:
    """A row a model and corpus: use of experts over all languages, by zone.

    Specificity and overlap are in RISE's zones, the rest in the study's. `chance` is information gain with sentences
    permuted between languages.
    """
    columns = [
        "model", "corpus", "evenness", "dead", "hot", "MaxVio", "information gain", "chance", "specificity", "overlap",
    ]  # fmt: skip
    rows = []
    for (model, _), corpus, held, found in families.corpora(measured):
        table = found.utilisation
        whole = table[(table["corpus"] == corpus) & (table["language"] == "")]
        parts = [whole[whole["layer"].between(*held.zones[zone].layers)] for zone in ZONES]
        rise = found.rise[(found.rise["corpus"] == corpus) & (found.rise["language"] == "")].set_index("zone")
        means = (("evenness", 2), ("dead", 1), ("hot", 1), ("max_violation", 1), ("information", 3),
                 ("information_null", 3))  # fmt: skip
        cells = [_three([part[name].mean() for part in parts], digits) for name, digits in means]
        cells += [_three([rise[name].get(zone) for zone in ZONES], 2) for name in ("specificity", "overlap")]
        rows.append([model, corpus, *cells])
    return words.markdown(columns, rows)


def shared_table(measured: Sequence[ModelResults]) -> str:
    """A row a model, corpus and zone: shared and exclusive experts of a layer, means over the zone.

    `shared` and `exclusive`: in the whole set of languages. By resource class, the highest first: the share of choices
    of a language that fall on its exclusive experts, mean over the languages of the class. `without exclusive` are the
    languages and layers that have no such expert; k scales with a layer's experts, so that in a small model it is said
    where that leaves too little to compare.
    """
    columns = [
        "model", "corpus", "k, thr", "zone", "shared", "exclusive", "choices of exclusive experts, by class",
        "without exclusive",
    ]  # fmt: skip
    rows = []
    for (model, experts), corpus, held, found in families.corpora(measured):
        table = setting(found.shared, corpus, experts)
        if table.empty:
            continue
        told = f"{table['k'].iloc[0]:.0f}, {table['thr'].iloc[0]:g}"
        for zone in ZONES:
            inside = table[table["layer"].between(*held.zones[zone].layers)]
            whole = inside[inside["language"] == ""]
            use = inside[inside["language"] != ""].groupby("resource", dropna=True)["exclusive_use"].mean()
            by_class = ", ".join(
                f"{float(str(resource)):.0f}: {words.percent(share)}%"
                for resource, share in use.sort_index(ascending=False).items()
            )
            means = [f"{whole[name].mean():.1f}" for name in ("shared", "exclusive")]
            own = inside[inside["language"] != ""]
            empty = _without_exclusive(float(table["k"].iloc[0]), own["exclusive"])
            rows.append([model, corpus, told, families.zone_of(zone, held), *means, by_class or NONE, empty])
    return words.markdown(columns, rows)


def _without_exclusive(k: float, exclusive: pd.Series[float]) -> str:
    """How many languages and layers have no exclusive expert, and what such a model can show."""
    if exclusive.empty:
        return NONE
    empty = float((exclusive == 0).mean())
    share = f"{words.percent(empty)}%"
    if k < FEWEST_KEPT:
        return f"{share}: one expert a language cannot show how many are shared"
    return f"{share}: too few to compare languages" if empty > MOSTLY else share


def relatives_table(measured: Sequence[ModelResults]) -> str:
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
    for (model, experts), corpus, held, found in families.corpora(measured):
        table = setting(found.shared, corpus, experts)
        own = table[table["language"] != ""]
        if own.empty:
            continue
        k, thr = float(own["k"].iloc[0]), float(own["thr"].iloc[0])
        confound = next((row for row in held.confound if (row.k, row.thr) == (k, thr)), None)
        if confound is None or confound.added is None or confound.family is None:
            continue
        added, kin = [confound.added.branch, confound.added.family, confound.added.none], confound.family
        most = f"{kin.relative_adds_most:.1f} of {kin.languages} (chance {kin.expected:.1f})" if kin.languages else NONE
        means = [own[name].mean() for name in ("exclusive", "exclusive_balanced", "exclusive_same_size")]
        rows.append(
            [model, corpus, f"{k:.0f}, {thr:g}", *(NONE if one is None else f"{one:+.2f}" for one in added), most,
             *(NONE if pd.isna(one) else f"{one:.2f}" for one in means)]
        )  # fmt: skip
    return words.markdown(columns, rows)


def told_sets(sets: Sequence[ExpertSets]) -> list[ExpertSets]:
    """Of the sets of a task those at the smallest tau and at `TAU`."""
    smallest = min((row.tau for row in sets), default=None)
    return [row for row in sets if row.tau in (smallest, TAU)]


def middle(held: Middle) -> str:
    """The layers of the middle, and what decided where it was not a trough of divergence."""
    first, last = held.layers
    return words.layers(range(first, last + 1)) + words.MIDDLE[held.rule]


def _three(values: Sequence[float | None], digits: int) -> str:
    """Early, middle and late."""
    if all(value is None or pd.isna(value) for value in values):
        return NONE
    return " / ".join(NONE if value is None or pd.isna(value) else f"{value:.{digits}f}" for value in values)

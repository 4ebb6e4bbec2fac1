"""Groups of languages that are named by a rule: those that a data set holds, or a balanced subset of them.

    belebele-122: {covered_by: belebele}
    sib200-24: {covered_by: sib200, balanced: 24}
    both: {covered_by: [sib200, belebele]}

A rule is worked out when params.yaml is read; everything after knows lists of codes alone. The pivot comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo

from polyroute.ground.frozen import Frozen, check_known, check_unique
from polyroute.languages import table
from polyroute.languages.balanced import balanced
from polyroute.languages.own import OwnLanguage
from polyroute.params.models import TransformersModel
from polyroute.readers.registry import Corpus, Task

if TYPE_CHECKING:
    from polyroute.params.file import ParamsFile


class Rule(Frozen):
    """Which languages a group has."""

    covered_by: str | list[str]
    """Entry of `corpora` or `tasks` that holds them; of several, those that all of them hold."""
    balanced: int | None = Field(default=None, ge=2)
    """Keep so many, in balance of families and resource classes (`languages.balanced`); null keeps all."""


def _form(value: Any) -> str:
    return "rule" if isinstance(value, dict) else "list"


def _listed(value: list[str] | Rule, info: ValidationInfo) -> list[str]:
    """The codes of a group; a list stays as it is."""
    if not isinstance(value, Rule):
        return value
    if not {"study", "own_languages", "corpora", "tasks"} <= info.data.keys():
        return []  # what is wrong there is said already
    return _by_rule(
        value, info.data["corpora"] | info.data["tasks"], info.data["own_languages"], info.data["study"].pivot
    )


if TYPE_CHECKING:
    Group = list[str]
else:
    Group = Annotated[
        Annotated[list[str], Tag("list")] | Annotated[Rule, Tag("rule")], Discriminator(_form), AfterValidator(_listed)
    ]
"""FLORES codes, written as a list or as a `Rule`; sections that a rule refers to are read before."""


def _by_rule(
    rule: Rule, entries: Mapping[str, Corpus | Task], own: Mapping[str, OwnLanguage], pivot: str
) -> list[str]:  # fmt: skip
    names = [rule.covered_by] if isinstance(rule.covered_by, str) else rule.covered_by
    check_unique("covered_by", names)
    if not names:
        raise ValueError("covered_by: name an entry of `corpora` or `tasks`")
    held: list[str] | None = None
    for name in names:
        check_known("covered_by", name, entries, "an entry of `corpora` or `tasks`")
        covered = entries[name].covered()
        if covered is None:
            raise ValueError(f"covered_by: which languages `{name}` holds depends on its files; list the codes instead")
        held = [code for code in covered if held is None or code in held]
    codes = sorted(held or (), key=lambda code: (code != pivot, code))
    every = " and ".join(f"`{name}`" for name in names)
    if not codes:
        raise ValueError(f"covered_by: {every} have no language in common; name fewer")
    if rule.balanced is None:
        return codes
    if rule.balanced > len(codes):
        raise ValueError(f"balanced: {rule.balanced} is more than the {len(codes)} languages of {every}; ask for fewer")
    languages = [own[code].row(code) if code in own else table.get(code) for code in codes]
    return balanced(languages, rule.balanced, pivot)


def used(file: ParamsFile) -> Iterator[str]:
    """A line for each group that the study's models name: how many languages, in which classes, and which they are."""
    named: dict[str, None] = {}
    for model in file.study.models:
        spec = file.models[model]
        named |= dict.fromkeys([spec.languages, *spec.groups])
        if isinstance(spec, TransformersModel) and spec.mask is not None:
            named |= dict.fromkeys(name for name in (spec.mask.languages, spec.mask.among) if name is not None)
    for name in named:
        languages = [table.get(code) for code in file.languages[name]]
        families = len({language.family for language in languages})
        classes = Counter("unknown" if one.resource is None else str(one.resource) for one in languages)
        by_class = ", ".join(f"{label}: {count}" for label, count in sorted(classes.items()))
        yield (
            f"group {name}: {len(languages)} languages of {families} famil{'y' if families == 1 else 'ies'}, "
            f"by resource class {by_class}: {', '.join(file.languages[name])}"
        )

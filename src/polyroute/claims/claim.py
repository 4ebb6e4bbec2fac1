"""Claims as data: what a paper says, what would bear it out, and what would refute it.

`claims/` at the root of the study holds them, a YAML file a source, and `claims/lock.yaml` the digest of each as it was
fixed. docs/claims.md says how to read and add one. Verdicts are computed elsewhere (`polyroute.claims.verdict`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from polyroute.claims.conditions import Condition, ConditionError, parse
from polyroute.ground import yaml12
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import digest, write_atomically
from polyroute.ground.frozen import Frozen
from polyroute.ground.yaml12 import NotYamlError

SUFFIXES = ("value", "low", "high", "p", "q", "ci90_low", "ci90_high")
"""What may follow the name of a quantity in a condition: its estimate, interval, p, q, and interval of 90%."""
LOCK = "lock.yaml"
OTHER_MODELS = "other"
"""Of `per_model`: models that are not named there."""


class ClaimsError(PolyrouteError):
    """A file of claims is absent or wrong; the message names the file, the claim and the key."""


class Published(Frozen):
    """A number or a direction that the source reports."""

    what: str
    value: float | str | list[float]
    certainty: Literal["P", "N", "C", "I", "?"]
    """The paper states it, a secondary note does, code or data do; inferred; unknown."""
    of: str | None = None
    """The quantity that it is a value of, from which the distance is told."""


class Needs(Frozen):
    """What a verdict takes."""

    stages: list[str]
    corpora: list[str] = Field(default=[])
    tasks: list[str] = Field(default=[])
    languages: list[str] = Field(default=[])
    """FLORES codes of languages that it speaks of."""
    new: dict[str, str] = Field(default={})
    """Quantity -> what would bring it, where the study may lack it; claims may share this."""
    settings: list[str] = Field(default=[])
    """How the source ran it and the study may not."""


class Power(Frozen):
    """What 80% power at two-sided 5% needs; decided before any run."""

    effect: float | str
    """That is to be seen."""
    margin: float | None = None
    """Of an equivalence."""
    assumes: str | None = None
    languages: int | None = None
    """Needed."""
    items: int | None = None
    """Needed, of each language."""
    experts: int | None = None
    """Needed."""
    draws: int | None = None
    """Needed."""
    have: int | None = None
    """In the published study."""
    at_hand: Annotated[float, Field(ge=0, le=1)] | None = None
    """Power of the published study."""
    detectable: float | None = None
    """Smallest effect that it sees."""
    more: str | None = None

    @property
    def needed(self) -> tuple[Literal["languages", "items"], int] | None:
        """Of what it takes how many; None where that is no matter of languages or items."""
        if self.languages is not None:
            return "languages", self.languages
        return None if self.items is None else ("items", self.items)


class OverModels(Frozen):
    """In how many of its models a claim must hold or fail; in every one of them where that is not said."""

    replicated: int | None = None
    not_replicated: int | None = None


class Claim(Frozen):
    """One claim. `digest` is of what a verdict rests on; the rest may be mended."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")]
    paper: Literal[1, 2, "own"]
    section: str
    """Where the source says it; a measure's module for our own."""
    statement: str
    models: list[str]
    """That it is made of. It is asked of every model of a study, unless `only_named`."""
    only_named: bool = False
    """It rests on a setting that was published for these models, and says nothing of others."""
    setting: dict[str, Any] | None = None
    """Published: what its provider reads of it."""
    quantity: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")], str]
    """Name -> what it is."""
    unit: str
    """Of resampling and of tests."""
    null: str
    """What the finding must beat."""
    per_model: dict[str, dict[str, float]] = Field(default={})
    """Model, or `other` -> thresholds by name."""
    rows: list[dict[str, str | float]] = Field(default=[])
    """Published rows that it speaks of."""
    replicated_if: list[str]
    """All must hold."""
    not_replicated_if: list[str]
    """One suffices."""
    over_models: OverModels = OverModels()
    effect: str
    """The quantity that is shown."""
    beats: str | None = None
    """The quantity of the null that is shown beside it, as a condition names it."""
    p: str | None = None
    """The quantity that is the claim's own p-value; that of the effect if not said."""
    needs: Needs
    published: list[Published]
    power: Power
    note: str | None = None

    @model_validator(mode="after")
    def _parses(self) -> Claim:
        names = {name for thresholds in self.per_model.values() for name in thresholds}
        known = {*self.quantity, *names, *(f"{name}.{suffix}" for name in self.quantity for suffix in SUFFIXES)}
        for key in ("replicated_if", "not_replicated_if"):
            conditions = getattr(self, key)
            if not conditions:
                raise ValueError(f"`{key}` is empty: write a condition")
            for text in conditions:
                try:
                    unknown = parse(text).symbols - known
                except ConditionError as error:
                    raise ValueError(f"`{key}`: {error}") from error
                if unknown:
                    raise ValueError(f"`{key}`: `{min(unknown)}` of `{text}` is not in `quantity`: declare it there")
        shown = [("effect", self.effect), ("beats", self.beats), ("p", self.p)]
        shown += [("published", one.of) for one in self.published]
        for key, name in shown:
            if name is not None and name not in known:
                raise ValueError(f"`{key}`: `{name}` is not in `quantity`: declare it there")
        if self.only_named and (strangers := set(self.per_model) - {*self.models, OTHER_MODELS}):
            raise ValueError(f"`per_model`: `{min(strangers)}` is not among `models`")
        return self

    @cached_property
    def replicates(self) -> list[Condition]:
        """`replicated_if`, parsed."""
        return [parse(text) for text in self.replicated_if]

    @cached_property
    def refutes(self) -> list[Condition]:
        """`not_replicated_if`, parsed."""
        return [parse(text) for text in self.not_replicated_if]

    @property
    def symbols(self) -> list[str]:
        """What the conditions speak of, by name."""
        return sorted({name for condition in (*self.replicates, *self.refutes) for name in condition.symbols})

    def quantity_of(self, symbol: str) -> str:
        """The quantity that a symbol of a condition is of: `em` of `em.low`; the symbol itself of a threshold."""
        if symbol in self.quantity:
            return symbol
        name, _, _ = symbol.rpartition(".")
        return name if name in self.quantity else symbol

    def thresholds(self, model: str) -> dict[str, float]:
        """Thresholds of a model, by name."""
        return self.per_model.get(model, self.per_model.get(OTHER_MODELS, {}))

    @property
    def digest(self) -> str:
        """SHA-256 of all that a verdict rests on: changing any of it after the fact shows."""
        return digest(self.model_dump(mode="json", include=_LOCKED))


_LOCKED = {
    "statement", "quantity", "unit", "null", "replicated_if", "not_replicated_if", "over_models", "per_model", "rows",
    "setting",
}  # fmt: skip


class Locked(Frozen):
    """A claim as it was fixed."""

    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    fixed_on: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    fixed_by: Annotated[str, Field(pattern="^[0-9a-f]{7,40}$")] | None = None
    """The commit that held it then; None outside a repository, or before it was committed."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    claims: list[dict[str, Any]]


@dataclass(frozen=True)
class Claims:
    """Every claim, in the order of files and in them."""

    by_id: Mapping[str, Claim]
    locks: Mapping[str, Locked]

    def get(self, name: str) -> Claim:
        """A claim.

        Raises:
            ClaimsError: there is none of this name.
        """
        if name not in self.by_id:
            begun = [one for one in self.by_id if name in one]
            hint = f"did you mean {' or '.join(begun[:3])}?" if begun else "`polyroute claims` lists them"
            raise ClaimsError(f"`{name}` is no claim; {hint}")
        return self.by_id[name]

    def lock_of(self, claim: Claim) -> Literal["locked", "changed", "not_locked"]:
        """Whether a claim is as it was fixed, was changed after the fact, or was never fixed."""
        if (lock := self.locks.get(claim.id)) is None:
            return "not_locked"
        return "locked" if lock.digest == claim.digest else "changed"


def read_claims(folder: Path) -> Claims:
    """Every claim of a folder, and their lock.

    Raises:
        ClaimsError: a file is absent or not readable, or a claim is not as declared; names file, claim and key.
    """
    found: dict[str, Claim] = {}
    order = {"paper1.yaml": 0, "paper2.yaml": 1}
    paths = [path for path in folder.glob("*.yaml") if path.name != LOCK]
    if not paths:
        raise ClaimsError(f"{folder} holds no claims: run this in the root of a study, whose `claims/` has them")
    for path in sorted(paths, key=lambda path: (order.get(path.name, 2), path.name)):
        try:
            entries = _File.model_validate(_yaml(path)).claims
        except ValidationError as error:
            raise ClaimsError(f"{path} holds no list `claims` alone: {_said(error)}") from error
        for entry in entries:
            claim = _claim(path, entry)
            if claim.id in found:
                raise ClaimsError(f"{path}: {claim.id} is there twice: rename one of them")
            found[claim.id] = claim
    return Claims(found, _locks(folder / LOCK))


def lock_new(folder: Path, claims: Claims, fixed_on: str, fixed_by: str | None) -> list[str]:
    """Lock the claims that are not locked yet; those that are stay as they are, whatever they say now.

    Returns:
        Ids of the new ones.
    """
    new = {
        name: Locked(digest=claim.digest, fixed_on=fixed_on, fixed_by=fixed_by)
        for name, claim in claims.by_id.items()
        if name not in claims.locks
    }
    if new:
        held = {name: lock.model_dump(exclude_none=True) for name, lock in {**claims.locks, **new}.items()}
        text = "# Claims as they were fixed; `polyroute claims --lock` adds new ones and changes none.\n"
        write_atomically(folder / LOCK, (text + yaml12.dump(held)).encode())
    return list(new)


def _claim(path: Path, entry: dict[str, Any]) -> Claim:
    name = entry.get("id", "a claim without `id`")
    try:
        return Claim.model_validate(entry)
    except ValidationError as error:
        raise ClaimsError(f"{path}: {name}: {_said(error)}") from error


def _locks(path: Path) -> dict[str, Locked]:
    if not path.exists():
        return {}
    held = _yaml(path) or {}
    try:
        return {name: Locked.model_validate(lock) for name, lock in held.items()}
    except (ValidationError, AttributeError) as error:
        what = _said(error) if isinstance(error, ValidationError) else "it is no mapping of claims"
        raise ClaimsError(f"{path} is no lock: {what}; restore it from git") from error


def _yaml(path: Path) -> Any:
    try:
        return yaml12.load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, NotYamlError) as error:
        raise ClaimsError(f"{path} cannot be read: {' '.join(str(error).split())}") from error


def _said(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    words = first["msg"].removeprefix("Value error, ")
    return f"`{place}`: {words[0].lower()}{words[1:]}" if place else words

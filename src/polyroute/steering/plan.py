"""A steering plan: which experts of which layers are moved, by which rule, in which model. One small JSON file.

    {
      "format": 1,
      "model": "qwen3-30b-a3b", "model_digest": null, "layers": 48, "experts_per_layer": 128, "top_k": 8,
      "rule": "soft", "strength": 0.5, "std": "population", "eps": "variance", "seed": 0, "allow_more_than_k": false,
      "experts": {"8": [3, 77], "9": [101]},
      "source": {"task": "mgsm", "tau": 0.4}
    }

`model`, `experts_per_layer`, `top_k`, `rule` and `experts` are needed, and `strength` by rules that take one. The rule
`magnitude` needs a weight for each of its experts too, and may say in which arithmetic it is computed:

      "rule": "magnitude", "strength": 0.022, "arithmetic": "model",
      "experts": {"10": [3, 77]},
      "weights": {"10": {"3": 0.41, "77": 0.58}}

These two keys are written only where they say something. So plans of older rules keep their bytes and earlier versions
of polyroute read them; those refuse a plan with a new key or rule by its name, and the format is still 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from polyroute.ground import checksum
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import json_bytes, write_atomically
from polyroute.steering.rules import RULES, Arithmetic, Eps, Std

if TYPE_CHECKING:
    from torch import nn

    from polyroute.models.taps import Router

FORMAT: Final = 1
"""Of the plans that this version reads and writes."""

_NUMBER = re.compile(r"0|[1-9][0-9]*")
_Plain = str | bool | int | float
_REMOVED = {"deactivate": "deactivated", "mask": "masked"}
"""Rules that keep tokens from experts, and what they do to them."""


class PlanError(PolyrouteError):
    """A plan that cannot be read, or that is for another model; the message names every key or difference."""


class Plan(BaseModel):
    """What to move, where and how."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    format: Literal[1] = FORMAT
    model: Annotated[str, Field(min_length=1)]
    """Name of the model that the plan is for, to be read by people."""
    model_digest: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")] | None = None
    """The model itself: SHA-256 of its files, or its commit on the hub; null where unknown."""
    layers: Annotated[int, Field(ge=1)] | None = None
    """How many layers of the model have routers, planned or not; null where unknown."""
    experts_per_layer: Annotated[int, Field(ge=2)]
    """E."""
    top_k: Annotated[int, Field(ge=1)]
    """K."""
    rule: str
    """A key of `polyroute.steering.rules.RULES`."""
    strength: float | None = None
    """lambda of `soft` and `magnitude`, negative to demote; null for rules that take none."""
    arithmetic: Arithmetic = "float32"
    """In which dtype `soft` and `magnitude` are computed: `model` is that in which the router makes its logits, as in
    paper 2's release."""
    std: Std = "population"
    """Divisor of std(z); read by `soft`."""
    eps: Eps = "variance"
    """What 1e-6 is in eps ~ N(0, 1e-6); read by `activate` and `deactivate`."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of eps; read by `activate` and `deactivate`."""
    allow_more_than_k: bool = False
    """Whether more than K experts of a layer may be activated, which derails the models of paper 1."""
    experts: dict[int, tuple[int, ...]]
    """Layer, in the model's own numbering from 0, -> ids of the experts to move, ascending. No layer is empty."""
    weights: dict[int, dict[int, Annotated[float, Field(ge=0)]]] | None = None
    """Layer -> expert -> s_e of `magnitude`, for exactly the experts to move; null for rules that take none."""
    source: dict[str, _Plain | list[_Plain]] = {}
    """Where the plan came from: task, threshold, corpus, whatever its maker wants to keep."""

    @field_validator("rule")
    @classmethod
    def _known(cls, rule: str) -> str:
        if rule not in RULES:
            raise ValueError(f"`{rule}` is not a rule; there is {', '.join(RULES)}")
        return rule

    @field_validator("experts", mode="before")
    @classmethod
    def _in_order(cls, experts: Any) -> dict[int, tuple[int, ...]]:
        if not isinstance(experts, Mapping):
            raise ValueError('must be an object of layers, as in {"8": [3, 77]}')
        if not experts:
            raise ValueError("is empty: a plan moves at least one expert")
        ordered: dict[int, tuple[int, ...]] = {}
        for key, ids in experts.items():
            if not _NUMBER.fullmatch(str(key)):
                raise ValueError(f"`{key}` is not the number of a layer")
            layer = int(key)
            if layer in ordered:
                raise ValueError(f"has layer {layer} twice")
            ordered[layer] = _ascending(layer, ids)
        return dict(sorted(ordered.items()))

    @field_validator("weights", mode="before")
    @classmethod
    def _by_number(cls, weights: Any) -> Any:
        if weights is None:
            return None
        layers = _numbered(weights, "the number of a layer")
        return {layer: _numbered(layers[layer], "the id of an expert", f"layer {layer} ") for layer in sorted(layers)}

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        rule = RULES[self.rule]
        for key, takes in (("strength", rule.takes_strength), ("weights", rule.takes_weights)):
            given = getattr(self, key) is not None
            if takes and not given:
                raise ValueError(f"{key}: the rule {self.rule} needs {'one' if key == 'strength' else 'them'}")
            if given and not takes:
                raise ValueError(f"{key}: the rule {self.rule} takes none; leave it out")
        if self.arithmetic != "float32" and not rule.takes_arithmetic:
            able = " and ".join(name for name, other in RULES.items() if other.takes_arithmetic)
            raise ValueError(
                f"arithmetic: `{self.arithmetic}` is for {able}; the rule {self.rule} has none to choose, leave it out"
            )
        experts, top_k = self.experts_per_layer, self.top_k
        if top_k > experts:
            raise ValueError(f"top_k: {top_k} is more than experts_per_layer, which is {experts}")
        for layer, ids in self.experts.items():
            if ids[-1] >= experts:
                raise ValueError(f"experts.{layer}: there is no expert {ids[-1]}; the model has 0 to {experts - 1}")
            if self.rule == "activate" and len(ids) > top_k and not self.allow_more_than_k:
                raise ValueError(
                    f"experts.{layer}: {len(ids)} experts are activated, but a token is sent to {top_k}; name no more "
                    "than that, or set allow_more_than_k to true"
                )
            if self.rule in _REMOVED and experts - len(ids) < top_k:
                raise ValueError(
                    f"experts.{layer}: {len(ids)} of {experts} experts are {_REMOVED[self.rule]}, but a token is sent "
                    f"to {top_k}, some of them among these; name fewer"
                )
        if self.weights is not None:
            self._check_weights(self.weights)
        return self

    def _check_weights(self, weights: dict[int, dict[int, float]]) -> None:
        for layer in sorted({*self.experts, *weights}):
            planned, weighted = set(self.experts.get(layer, ())), set(weights.get(layer, {}))
            if lacking := sorted(planned - weighted):
                raise ValueError(
                    f"weights.{layer}: expert {', '.join(map(str, lacking))} is to be moved and has no weight"
                )
            if surplus := sorted(weighted - planned):
                raise ValueError(
                    f"weights.{layer}: expert {', '.join(map(str, surplus))} has a weight and is not among those to "
                    "be moved"
                )

    @model_serializer(mode="wrap")
    def _brief(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Plans that need neither of the later keys stay what they were, bytes and digests alike."""
        content: dict[str, Any] = handler(self)
        for key in ("arithmetic", "weights"):
            if getattr(self, key) == type(self).model_fields[key].default:
                content.pop(key, None)
        return content

    @classmethod
    def for_model(
        cls,
        model: nn.Module,
        experts: Mapping[int, Iterable[int]],
        rule: str = "soft",
        strength: float | None = None,
        *,
        routers: Sequence[Router] | None = None,
        **more: Any,
    ) -> Plan:
        """A plan for a model in memory, whose shape is read off it.

        Args:
            model: a transformers model; the plan gets its `name_or_path`.
            experts: layer -> ids of the experts to move.
            rule: a key of `polyroute.steering.rules.RULES`.
            strength: lambda, of rules that take one; of `soft` 0.5 where None, as in paper 1.
            routers: all routers of the model, where they have been found before; found here if None.
            more: further keys of a plan, such as `weights`, `seed` or `source`.

        Raises:
            PlanError: the model has no such layer or expert, or a key says something that cannot be; names each.
            RouterError: the model has no routers that can be found.
        """
        if routers is None:
            from polyroute.models.routers import find_routers

            routers = find_routers(model)
        wanted = {layer: tuple(ids) for layer, ids in experts.items()}
        planned = [router for router in routers if router.layer in wanted] or list(routers)
        if rule == "soft" and strength is None:
            strength = 0.5
        try:
            made = cls(
                model=getattr(model, "name_or_path", "") or type(model).__name__,
                layers=len({router.layer for router in routers}),
                experts_per_layer=planned[0].experts, top_k=planned[0].top_k, rule=rule, strength=strength,
                experts=wanted, **more,
            )  # fmt: skip
        except ValidationError as error:
            breaches = "\n".join(f"  {_sentence(breach)}" for breach in error.errors())
            raise PlanError(f"the plan cannot be used:\n{breaches}") from None
        made.check(routers)
        return made

    @classmethod
    def load(cls, path: Path | str) -> Plan:
        """Read and check a plan.

        Raises:
            PlanError: the file is absent, is not JSON, was changed and has a checksum, or says something that cannot
                be; names the file and every key.
        """
        path = Path(path)
        try:
            text = path.read_bytes()
            content = json.loads(text.decode(), object_pairs_hook=_unique)
        except FileNotFoundError:
            raise PlanError(f"{path} is absent: give the path of a steering plan") from None
        except RecursionError:
            raise PlanError(f"{path} is not a steering plan: nested too deeply to be read") from None
        except ValueError as error:  # not UTF-8, not JSON, or a key twice
            raise PlanError(f"{path} is not a steering plan: {error}") from None
        if not isinstance(content, dict):
            raise PlanError(f"{path} is not a steering plan: it holds no object of keys")
        source = content.get("source")
        stamp = source.pop(checksum.KEY, None) if isinstance(source, dict) else None
        if stamp is not None or checksum.stamped(text):  # whoever writes a plan by hand need not give one
            own = f"take it from git again or, where a change is meant, delete `{checksum.KEY}` from its `source`"
            checksum.prove(path, text, of="", otherwise=own, error=PlanError)
        if content.get("format") != FORMAT:
            raise PlanError(
                f"{path}: format is {content.get('format', 'missing')}; this version of polyroute reads format {FORMAT}"
            )
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            breaches = "\n".join(f"  {_sentence(breach)}" for breach in error.errors())
            raise PlanError(f"{path} cannot be used:\n{breaches}") from None

    def save(self, path: Path | str) -> None:
        """Write the plan so that `load` gives it back; the same plan gives the same bytes.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        content = self.model_dump()
        # Earlier versions refuse a key that they do not know, but for those of `source`.
        content["source"] = {**content["source"], checksum.KEY: checksum.blank()}
        write_atomically(Path(path), checksum.filled(json_bytes(content)))

    def check(self, routers: Sequence[Router], *, model_digest: str | None = None) -> None:
        """Refuse to steer another model than the plan was made for.

        Args:
            routers: all routers of the model, as `find_routers` returns them.
            model_digest: the model's, where known. A commit and a digest of files cannot be compared, and are not.

        Raises:
            PlanError: names every difference.
        """
        differences = [*self._differences_of_shape(routers), *self._differences_by_layer(routers)]
        said, seen = self.model_digest or "", model_digest or ""
        if len(said) == len(seen) and said != seen:
            differences.insert(0, f"model_digest is {said} in the plan, {seen} here")
        if differences:
            raise PlanError(
                f"the plan is for {self.model} and does not fit this model:\n"
                + "\n".join(f"  {difference}" for difference in differences)
            )

    def _differences_of_shape(self, routers: Sequence[Router]) -> list[str]:
        planned = [router for router in routers if router.layer in self.experts] or routers
        seen = (
            ("experts_per_layer", self.experts_per_layer, {router.experts for router in planned}),
            ("top_k", self.top_k, {router.top_k for router in planned}),
            ("layers", self.layers, {len({router.layer for router in routers})}),
        )
        return [
            f"{key} is {said} in the plan, {' and '.join(map(str, sorted(found))) or 0} here"
            for key, said, found in seen
            if said is not None and found != {said}
        ]

    def _differences_by_layer(self, routers: Sequence[Router]) -> list[str]:
        differences = []
        for layer, ids in self.experts.items():
            here = [router for router in routers if router.layer == layer]
            if not here:
                differences.append(f"experts.{layer}: layer {layer} has no router here")
            elif len(here) > 1:
                names = ", ".join(router.name for router in here)
                differences.append(f"experts.{layer}: layer {layer} has {len(here)} routers here ({names}); pass one")
            elif lacking := [expert for expert in ids if expert >= here[0].experts]:
                differences.append(
                    f"experts.{layer}: expert {', '.join(map(str, lacking))} is not here; layer {layer} has "
                    f"0 to {here[0].experts - 1}"
                )
        return differences


def _ascending(layer: int, ids: Any) -> tuple[int, ...]:
    if not isinstance(ids, (list, tuple)) or not ids:
        raise ValueError(f"layer {layer} must have a list of at least one expert; leave out a layer that has none")
    for expert in ids:
        if isinstance(expert, bool) or not isinstance(expert, Integral) or expert < 0:
            raise ValueError(f"layer {layer} has `{expert}`, which is not the id of an expert")
    if repeated := sorted({expert for expert in ids if ids.count(expert) > 1}):
        raise ValueError(f"layer {layer} has expert {', '.join(map(str, repeated))} more than once")
    return tuple(sorted(map(int, ids)))


def _numbered(entries: Any, what: str, place: str = "") -> dict[int, Any]:
    """An object whose keys are numbers, in their order."""
    if not isinstance(entries, Mapping):
        raise ValueError(f'{place}must be an object, as in {{"10": {{"3": 0.41}}}} for expert 3 of layer 10')
    found: dict[int, Any] = {}
    for key, value in entries.items():
        if not _NUMBER.fullmatch(str(key)):
            raise ValueError(f"{place}has `{key}`, which is not {what}")
        if int(key) in found:
            raise ValueError(f"{place}has {int(key)} twice")
        # Numbers of numpy are numbers.
        found[int(key)] = value if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    return dict(sorted(found.items()))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON takes the last of two equal keys in silence."""
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it has the key `{next(name for name in names if names.count(name) > 1)}` twice")
    return content


def _sentence(breach: Any) -> str:
    key = ".".join(str(part) for part in breach["loc"])
    said = breach["msg"].removeprefix("Value error, ")
    if breach["type"] == "extra_forbidden":
        said = f"unknown key; there is {', '.join(Plan.model_fields)}"
    return f"{key}: {said}" if key else said

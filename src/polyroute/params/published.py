"""What the papers set, as data: `published.yaml`, each value with its certainty and the place it is from.

A preset fills what an entry of `models` leaves out: `preset: published` (paper 1, arXiv 2510.04694) or
`preset: published-paper2` (arXiv 2601.14050), for the model that `hub` names; `study.preset` does so for every entry
of a model that the preset knows. What the entry says itself stays, to the key. Corpora, tasks and groups of languages
that a preset names are brought along where params.yaml has none of the name. A value that no key of ours takes, or that
is for all models of a study, is shown by `polyroute settings` and not filled in.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from polyroute.ground import yaml12
from polyroute.ground.frozen import Frozen, Name, ParamsError, suggest

FILE = "published.yaml"
Certainty = Literal["read", "stated", "noted", "inferred", "unknown"]
"""Read in code; stated by the paper; told by a secondary note alone; inferred; unknown."""
PresetName = Literal["published", "published-paper2"]
OVERRIDDEN = ("evaluate", "steer")
"""Sections that a model's entry may have of its own; what it leaves out there is as the section has it."""


class Source(Frozen):
    """Where values are from."""

    what: str
    commit: str | None = None
    """As far as it is known."""


class Setting(Frozen):
    """One value of a paper."""

    key: str
    """Dotted key of params.yaml, with roles such as `{model}` and `{maths}` for names."""
    value: Any = None
    certainty: Certainty
    source: str
    """Place, or reason, in a line."""
    others: list[Any] = Field(default=[])
    """Further values that cannot be excluded: rows of a multiverse."""
    applies: bool = True
    """Whether a preset fills it in."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        if (self.certainty == "unknown") != (self.value is None):
            raise ValueError(f"{self.key}: a value is given unless it is unknown")
        return self


class PublishedModel(Frozen):
    """A model of a paper."""

    hub: str
    """`organisation/model`, by which an entry is known to be of it."""
    entry: dict[str, Any]
    """What its entry needs besides the settings; ours."""
    settings: list[Setting]
    """Of this model alone; they come before those of all models."""


class Preset(Frozen):
    """All settings of a paper."""

    name: PresetName
    paper: Literal[1, 2]
    notes: list[str] = Field(default=[])
    """What a reader of its numbers must know, a sentence or two each."""
    roles: dict[str, Name]
    """What the preset calls an entry that a key names by its role."""
    entry: dict[str, Any]
    """What an entry of any model needs besides the settings; ours."""
    settings: list[Setting]
    models: dict[Name, PublishedModel]

    def model(self, hub: str) -> PublishedModel | None:
        """The paper's model of a repository; None where it has none."""
        return next((model for model in self.models.values() if model.hub == hub), None)

    def of(self, hub: str) -> list[Setting]:
        """The settings of a model, its own first; none of a model that the paper has not."""
        model = self.model(hub)
        if model is None:
            return []
        own = {setting.key for setting in model.settings}
        return [*model.settings, *(setting for setting in self.settings if setting.key not in own)]


class Published(Frozen):
    """The whole file."""

    sources: dict[str, Source]
    brings: dict[Literal["languages", "corpora", "tasks"], dict[Name, Any]]
    presets: list[Preset]


@cache
def published() -> Published:
    """The papers' settings."""
    text = files("polyroute.params").joinpath(FILE).read_text(encoding="utf-8")
    return Published.model_validate(yaml12.load(text))


def paper_model(hub: str | None) -> str | None:
    """What the papers' model of a repository is called here and in claims/; None where no paper has it."""
    found = (name for preset in published().presets for name, one in preset.models.items() if one.hub == hub)
    return next(found, None)


def placed(key: str, roles: Mapping[str, str]) -> str | None:
    """A key with names for roles; None where a role has none."""
    try:
        return key.format_map(roles)
    except KeyError:
        return None


def fill(raw: Any) -> Any:
    """Plain data of params.yaml with the presets that it names filled in.

    Args:
        raw: as YAML has it, right or wrong; what is wrong in it is left for the check of types.

    Raises:
        ParamsError: a preset is not known, or not for a model's `hub`.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("models"), dict):
        return raw
    raw = copy.deepcopy(raw)
    study = raw.get("study")
    for_all = study.get("preset") if isinstance(study, dict) else None
    if for_all is not None:
        _preset("study.preset", for_all)
    for name, entry in raw["models"].items():
        if not isinstance(entry, dict):
            continue
        if "preset" in entry:
            _fill_entry(raw, name, entry, f"models.{name}.preset", entry["preset"], needed=True)
        elif for_all is not None:
            _fill_entry(raw, name, entry, "study.preset", for_all, needed=False)
        for section in OVERRIDDEN:
            if isinstance(entry.get(section), dict) and isinstance(raw.get(section), dict):
                entry[section] = _merged(raw[section], entry[section])
    return raw


def _fill_entry(raw: dict[str, Any], name: Any, entry: dict[str, Any], key: str, named: Any, *, needed: bool) -> None:
    if named is None:
        return
    preset, hub = _preset(key, named), entry.get("hub")
    model = preset.model(str(hub))
    if model is None:
        if not needed:
            return
        known = ", ".join(one.hub for one in preset.models.values())
        raise ParamsError(f"{key}: `{named}` has no model `{hub}`; name one of its as `hub`: {known}")
    roles = _roles(raw, entry, preset) | {"model": str(name)}
    filled = copy.deepcopy(preset.entry | model.entry | {"preset": named})
    values = [
        (place.split("."), setting.value)
        for setting in preset.of(model.hub)
        if setting.applies and setting.value is not None and (place := placed(setting.key, roles)) is not None
    ]
    for path, value in values:
        if path[:2] == ["models", str(name)]:
            _put(filled, path[2:], value)
        elif path[0] in OVERRIDDEN:
            _put(filled, path, value)
    if "tasks" in entry and isinstance(filled.get("mask"), dict):
        masked = [task for task in filled["mask"]["tasks"] if task in entry["tasks"]]
        own = {task: one for task, one in filled["mask"].get("own", {}).items() if task in masked}
        filled["mask"] = filled["mask"] | {"tasks": masked, "own": own} if masked else None
    if "corpora" in entry:
        filled.pop("generic", None)
    whole = _merged(filled, entry)
    entry.clear()
    entry.update(whole)
    brought = _bring(raw, entry)
    for path, value in values:
        if tuple(path[:2]) in brought:
            _put(raw, path, value)


def _put(entry: dict[str, Any], path: list[str], value: Any) -> None:
    *folders, last = path
    for folder in folders:
        entry = entry.setdefault(folder, {})
    entry[last] = copy.deepcopy(value)


def _bring(raw: dict[str, Any], entry: dict[str, Any]) -> set[tuple[str, ...]]:
    """Add the corpora, tasks and groups of languages that an entry names and params.yaml has not; say which."""
    brings, brought = published().brings, set[tuple[str, ...]]()
    mask = entry.get("mask")
    tasks = [*_names(entry.get("tasks"))]
    texts = [brings["tasks"][task].get("text") for task in tasks if task in brings["tasks"]]
    mask = mask if isinstance(mask, dict) else {}
    by_task = mask.get("own")
    own = [one for one in by_task.values() if isinstance(one, dict)] if isinstance(by_task, dict) else []
    shared = entry.get("shared_corpus")
    wanted: dict[str, list[Any]] = {
        "languages": [
            entry.get("languages"),
            *_names(entry.get("groups")),
            *(one.get(key) for one in (mask, *own) for key in ("languages", "among")),
        ],
        "tasks": tasks,
        "corpora": [
            *_names(entry.get("corpora")),
            *texts,
            mask.get("corpus"),
            *(shared.values() if isinstance(shared, dict) else ()),
        ],
    }
    for section, names in wanted.items():
        entries = raw.get(section)
        if not isinstance(entries, dict):
            continue
        for name in names:
            if isinstance(name, str) and name not in entries and name in brings[section]:  # type: ignore[index]
                entries[name] = copy.deepcopy(brings[section][name])  # type: ignore[index]
                brought.add((section, name))
    return brought


def _roles(raw: dict[str, Any], entry: dict[str, Any], preset: Preset) -> dict[str, str]:
    """What plays each role: an entry's own tasks where it names them, else the preset's."""
    if "tasks" not in entry:
        return dict(preset.roles)
    tasks = raw.get("tasks")
    readers = {
        name: task.get("reader")
        for name, task in (tasks if isinstance(tasks, dict) else published().brings["tasks"]).items()
        if isinstance(task, dict)
    }
    return task_roles({task: str(readers.get(task)) for task in _names(entry["tasks"])})


def task_roles(readers: Mapping[str, str]) -> dict[str, str]:
    """Role -> the first task of its reader.

    Args:
        readers: task -> its reader.
    """
    found: dict[str, str] = {}
    for task, reader in readers.items():
        if reader in _ROLES:
            found.setdefault(_ROLES[reader], task)
    return found


_ROLES = {
    "mgsm": "maths", "global_mmlu": "medical", "belebele": "reading", "polymath": "polymath", "xquad": "xquad",
    "translation": "translation",
}  # fmt: skip
"""Reader -> the role of its task in keys of the papers' settings."""


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        yield from (name for name in value if isinstance(name, str))


def _merged(under: Any, over: Any) -> Any:
    """A mapping laid over another, to the key; everything else replaces."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    return {
        key: _merged(under[key], over[key]) if key in under and key in over else copy.deepcopy({**under, **over}[key])
        for key in [*under, *(key for key in over if key not in under)]
    }


def _preset(key: str, name: Any) -> Preset:
    for preset in published().presets:
        if preset.name == name:
            return preset
    known = [preset.name for preset in published().presets]
    raise ParamsError(f"{key}: `{name}` is no preset; {suggest(str(name), [str(one) for one in known])}")

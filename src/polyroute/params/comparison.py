"""A model's own settings beside those that the papers published for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from polyroute.ground.frozen import ParamsError
from polyroute.params.file import ParamsFile
from polyroute.params.models import TransformersModel
from polyroute.params.published import OVERRIDDEN, Certainty, PresetName, placed, published, task_roles

Verdict = Literal["same", "other", "differs", "unknown", "no_key"]
"""Own and published value are the same; own is another that cannot be excluded; they differ; the published one is
unknown; params.yaml has no such key, or the model no such task."""


@dataclass(frozen=True)
class Compared:
    """One published value, and what the study has in its place."""

    preset: PresetName
    key: str
    """In params.yaml, with the names of this entry; roles that it lacks stand in braces."""
    own: Any
    """None where there is no such key."""
    published: Any
    """None where it is unknown."""
    certainty: Certainty
    source: str
    others: tuple[Any, ...]
    """Further values that cannot be excluded."""
    verdict: Verdict


def compare(file: ParamsFile, model: str) -> list[Compared]:
    """Every value that a paper published for a model, and the study's own beside it.

    Args:
        file: params.yaml.
        model: entry of `models`, known by its `hub`.

    Raises:
        ParamsError: there is no such entry, or no paper has its model.
    """
    spec = file.model(model)
    hub = spec.hub if isinstance(spec, TransformersModel) else None
    found = [(preset, setting) for preset in published().presets for setting in preset.of(hub or "")]
    if not found or not isinstance(spec, TransformersModel):
        known = dict.fromkeys(one.hub for preset in published().presets for one in preset.models.values())
        raise ParamsError(
            f"models.{model}: no paper has published settings for it; they are known by `hub`: {', '.join(known)}"
        )
    roles, data = _roles(file, model, spec), _data(file, model, spec)
    rows = []
    for preset, setting in found:
        key = placed(setting.key, roles)
        own, there = (None, False) if key is None else _at(data, key)
        rows.append(
            Compared(
                preset.name,
                placed(setting.key, _Shown(roles)) or setting.key,
                own,
                setting.value,
                setting.certainty,
                setting.source,
                tuple(setting.others),
                _verdict(own, there, setting.value, setting.others),
            )
        )
    return rows


def published_of(file: ParamsFile) -> list[str]:
    """Entries of `models` that a paper has published settings for."""
    hubs = {model.hub for preset in published().presets for model in preset.models.values()}
    return [name for name, spec in file.models.items() if isinstance(spec, TransformersModel) and spec.hub in hubs]


def own_value(file: ParamsFile, model: str, key: str) -> tuple[Any, bool]:
    """What the study has at a key, and whether there is one.

    Args:
        file: params.yaml.
        model: entry of `models` that runs here.
        key: dotted, with roles for names as in `published.yaml`.

    Raises:
        ParamsError: there is no such entry.
    """
    spec = file.model(model)
    if not isinstance(spec, TransformersModel):
        raise ParamsError(f"models.{model}: its counts were recorded elsewhere, without the settings of a run")
    found = placed(key, _roles(file, model, spec))
    return (None, False) if found is None else _at(_data(file, model, spec), found)


class _Shown(dict[str, str]):
    """Roles, those without a name in braces."""

    def __missing__(self, role: str) -> str:
        return f"{{{role}}}"


def _roles(file: ParamsFile, model: str, spec: TransformersModel) -> dict[str, str]:
    found = {"model": model, "generic": spec.generic, "languages": spec.languages}
    tasks = task_roles({task: file.tasks[task].reader for task in spec.tasks})
    texts = {f"{role}-text": file.tasks[task].text for role, task in tasks.items()}
    return found | tasks | {role: text for role, text in texts.items() if text is not None}


def _data(file: ParamsFile, model: str, spec: TransformersModel) -> dict[str, Any]:
    """The file as plain data, with the model's own sections in place of the study's."""
    data: dict[str, Any] = file.model_dump(mode="json", exclude={"models"})
    data["models"] = {model: spec.model_dump(mode="json")}
    for section in OVERRIDDEN:
        data[section] = data["models"][model][section] or data[section]
    return data


def _at(data: Any, key: str) -> tuple[Any, bool]:
    """The value at a dotted key, and whether there is one."""
    for part in key.split("."):
        if not isinstance(data, dict) or part not in data:
            return None, False
        data = data[part]
    return data, True


def _verdict(own: Any, there: bool, value: Any, others: list[Any]) -> Verdict:
    if value is None:
        return "unknown"
    if not there:
        return "no_key"
    if _agrees(own, value):
        return "same"
    return "other" if any(_agrees(own, other) for other in others) else "differs"


def _agrees(own: Any, value: Any) -> bool:
    """Whether they are the same; of a mapping, in what the published one says."""
    if isinstance(own, dict) and isinstance(value, dict):
        return all(key in own and own[key] == said for key, said in value.items())
    return bool(own == value)

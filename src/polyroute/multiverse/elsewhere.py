"""Open choices that these data do not allow: what they were made with, and the stage that would have to run again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from polyroute.artifacts.importance import HEAD, READINGS, SOFTMAX_OF_WEIGHTS
from polyroute.multiverse.study import Study
from polyroute.results.multiverse import ElsewhereName

_STAGES: dict[ElsewhereName, str] = {"accuracy": "evaluate", "random_init": "nulls"}


def elsewhere(study: Study, names: Iterable[ElsewhereName]) -> list[dict[str, Any]]:
    """Those of `names` that are open here, as `results.multiverse.Elsewhere`."""
    found = []
    for name in names:
        here = _here(study, name)
        if here is not None:
            found.append({"choice": name, "here": here, "stage": _STAGES.get(name, "trace")})
    return found


def _here(study: Study, name: ElsewhereName) -> str | None:
    """What these data were made with; None where nothing is open."""
    header = study.first.header
    match name:
        case "chat" | "counted" if header.pooled:  # recorded elsewhere, which does not say
            return ""
        case "chat":
            return "yes" if header.turns else "no"
        case "counted":
            return str(header.settings.get("counted", "content"))
        case "generic_text" | "corpus":
            return header.corpus
        case "checkpoint":
            return header.model
        case "languages":
            return str(len(study.settings.languages) - 1)
        case "reading":
            lacking = [one for one in READINGS if one not in study.first.readings and one != SOFTMAX_OF_WEIGHTS]
            return ", ".join(study.first.readings) if lacking else None
        case "first_tokens":
            return None if HEAD in study.first.columns() else ""
        case "task_text":
            texts = [of.text for of in study.settings.tasks.values() if of.text is not None]
            turns = study.trace(texts[0], study.pivot).header.turns if texts else {}
            return turns.get("roles", "own") if turns else "plain"
        case _:
            return ""

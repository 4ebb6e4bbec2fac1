"""How a JSON file of `metrics/<model>/` is declared, written and read: a type nested as the file is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from polyroute.ground.files import write_json
from polyroute.results.table import ResultFile, sentence


class Frozen(BaseModel):
    """A part of a JSON file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class Document(ResultFile):
    """A JSON file; a subclass declares one, its parts are `Frozen` types. A key that may be absent has a default."""

    @classmethod
    def write(cls, folder: Path, content: Self | Mapping[str, Any] | Sequence[Any]) -> None:
        """Write the content, an instance or plain data, without keys that it does not give.

        Raises:
            ResultsError: a key is missing, extra or mistyped.
        """
        checked = cls._checked(folder / cls.file, content, writing=True)
        write_json(folder / cls.file, _without_minus_zero(checked.model_dump(mode="json", exclude_unset=True)))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the content.

        Raises:
            ResultsError: the file is absent or unreadable, or as `write`.
        """
        path = folder / cls.file
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            cls.refuse(path, "is absent")
        except (OSError, ValueError) as error:
            cls.refuse(path, f"cannot be read ({str(error).strip()})")
        return cls._checked(path, text)

    @classmethod
    def _checked(cls, path: Path, content: object, *, writing: bool = False) -> Self:
        try:
            return cls.model_validate(content) if writing else cls.model_validate_json(str(content))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "content"
            match first["type"]:
                case "missing":
                    cls.refuse(path, f"lacks `{place}`", writing=writing)
                case "extra_forbidden":
                    cls.refuse(path, f"has `{place}`, which is not declared", writing=writing)
                case _:
                    cls.refuse(path, f"is refused: `{place}` ({sentence(first['msg'])})", writing=writing)


def _without_minus_zero(value: Any) -> Any:
    """Plain data, 0.0 in the place of -0.0: it depends on the order of sums, and says nothing."""
    if isinstance(value, dict):
        return {key: _without_minus_zero(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_minus_zero(part) for part in value]
    return value + 0.0 if isinstance(value, float) else value

"""The kinds of task."""

from typing import Literal

TaskKind = Literal["choice", "number", "span", "translation"]
"""Whether options are compared by likelihood, or from what the model writes a number, a short answer or a translation
is scored."""

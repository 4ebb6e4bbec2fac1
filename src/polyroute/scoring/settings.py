"""Which of several scores of an answer is compared; all of them are written."""

from typing import Literal

Normalisation = Literal["sum", "token", "character"]
"""Which likelihood decides a choice: its sum, or its mean by token or by character."""
SpanScore = Literal["inclusion", "inclusion_as_released", "exact_match", "f1"]
"""Which score of a short answer is compared; see `polyroute.scoring.spans`. `inclusion_as_released` is paper 2's to the
letter, by which an empty answer is right."""

"""Text that shows nothing: blanks, controls and the characters that Unicode draws as nothing."""

import re

_INVISIBLE = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]*"
)
"""White space, control characters, Unicode's `Default_Ignorable_Code_Point`, and the Braille pattern without dots."""


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen: it is empty, or holds blanks and invisible characters alone."""
    return _INVISIBLE.fullmatch(text) is not None

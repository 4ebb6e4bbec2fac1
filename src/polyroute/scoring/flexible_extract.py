"""The number in an answer by lm-evaluation-harness's rule `flexible-extract`, and whether its exact match is right.

As in its task `mgsm_direct` 4.0 (github.com/EleutherAI/lm-evaluation-harness, MIT; tests hold it against the package).
Published accuracies were measured so, and it stands beside our own reader (`numbers`) for that reason alone.

Taken is the last of these in the text: two or more of the characters 0-9 $ . , with a minus sign where one stands
before them, or else an integer. It is right if it equals the answer once both are without ASCII punctuation.

So `1,000`, `$1000` and `1.000` are all right for 1000, whatever the language. But

- a decimal point goes with the other marks: `18.00` is read as 1800 and wrong for 18, `1.8` is right for it;
- so does the sign: `-18` is right for 18;
- dots count as characters of a number: `18...` is right, but in `18 ...` the dots alone are taken;
- the last number counts, whatever stands before it: `18 dollars in 7 days` gives 7;
- digits of other scripts, full-width ones, words (`7万`, `70 тысяч`) and blanks between thousands are not read;
- a text that was cut off counts like any other, and so does what the model thought.
"""

from __future__ import annotations

import re
import string

_TAKEN = re.compile(r"-?[$0-9.,]{2,}|-?[0-9]+")
_WITHOUT_MARKS = str.maketrans("", "", string.punctuation)


def extract(output: str) -> str | None:
    """What the harness takes of a text, marks included; None where it finds nothing.

    Args:
        output: what a model wrote, unchanged.
    """
    found = _TAKEN.findall(output)
    return found[-1] if found else None


def matches(taken: str | None, answer: str) -> bool:
    """Whether the harness calls what it took right: equal to the answer but for case and ASCII punctuation.

    Args:
        taken: of `extract`.
        answer: the right number, a plain decimal; a formula is compared as text.
    """
    return taken is not None and taken.translate(_WITHOUT_MARKS) == answer.lower().translate(_WITHOUT_MARKS)

"""`polyroute plots`: the page of `dvc plots show` with its drawing library inside, so that it needs no network."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_atomically

_REMOTE = re.compile(r'\s*<script[^>]*\ssrc="https?://[^"]*/vega[^"]*"[^>]*>\s*</script>')


class PlotsError(PolyrouteError):
    """The page cannot be made; the message says why."""


def draw(targets: Sequence[str], folder: Path) -> Path:
    """Draw plots of DVC into one page.

    Args:
        targets: files of metrics/; all that dvc.yaml lists where empty.
        folder: what the page and its data are written to.

    Returns:
        The page.

    Raises:
        PlotsError: DVC refuses, or vl-convert is not installed.
    """
    done = subprocess.run(
        [_dvc(), "plots", "show", "--out", str(folder), *targets], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PlotsError(f"`dvc plots show` failed: {done.stderr.strip() or done.stdout.strip()}")
    page = folder / "index.html"
    write_atomically(page, inlined(page.read_text(encoding="utf-8")).encode())
    return page


def inlined(html: str) -> str:
    """A page of DVC with Vega inside instead of a link to it.

    Args:
        html: of the page.

    Raises:
        PlotsError: vl-convert is not installed.
    """
    try:
        import vl_convert
    except ImportError:
        raise PlotsError("plots without a network need vl-convert-python: pip install 'polyroute[study]'") from None
    # Its stub asks for an argument that has a default.
    library = str(vl_convert.javascript_bundle()).replace("</script", "<\\/script")  # type: ignore[call-arg]
    bare = _REMOTE.sub("", html)
    head, closing, rest = bare.partition("</head>")
    return f"{head}<script>{library}</script>\n{closing}{rest}"


def _dvc() -> str:
    """The command beside this Python, so that it need not be on the PATH."""
    beside = Path(sys.executable).with_name("dvc")
    return str(beside) if beside.exists() else "dvc"

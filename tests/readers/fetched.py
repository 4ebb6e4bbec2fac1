"""Tasks as readers give them, questions and key in one frame."""

from collections.abc import Sequence

import pandas as pd

from polyroute.artifacts.key import joined
from polyroute.ground.hub import HubSource
from polyroute.readers.fetch import fetch_task
from polyroute.readers.spec import TaskSpec


def fetch_items(name: str, spec: TaskSpec, languages: Sequence[str], source: HubSource) -> pd.DataFrame:
    """What `fetch_task` gives, joined."""
    return joined(*fetch_task(name, spec, languages, source))

"""Files of a tiny model as recorders write them, read for one language."""

from pathlib import Path

import numpy as np

from polyroute.models.settings import Shape
from polyroute.tracing.counts import read_language
from polyroute.tracing.recorders.tally import Routing

SHAPE = Shape(layers=2, experts=4, top_k=2)
"""Layers 3 and 4 have routers; tokens are three."""
ROUTES = {3: [[0, 1], [2, 1], [3, 0]], 4: [[1, 2], [3, 2], [0, 2]]}
"""Layer -> the experts of each token."""
COUNTS = [[2, 2, 1, 1], [1, 1, 3, 1]]
"""By hand: layer 3 has expert 0 in tokens 0 and 2, expert 1 in 0 and 1, and so on."""


def routing(*paths: Path, shape: Shape = SHAPE, **how) -> Routing:
    """What the files add up to."""
    return read_language(paths, shape, **how)


def as_array(layers: int = 5, fill: int = 0, kind: type = np.uint8) -> np.ndarray:
    """The routes as vLLM has them: (tokens, all layers, K), dense layers as they were filled at first."""
    ids_TLK = np.full((3, layers, 2), fill).astype(kind)
    for layer, tokens in ROUTES.items():
        ids_TLK[:, layer] = tokens
    return ids_TLK

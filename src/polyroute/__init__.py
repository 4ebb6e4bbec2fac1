"""Multilingual routing in mixture-of-experts language models, measured reproducibly.

english = polyroute.trace(model, tokenizer, sentences, language="eng_Latn")
german = polyroute.trace(model, tokenizer, translations, language="deu_Latn")
polyroute.divergence(english, german).mean()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polyroute.artifacts.trace import Trace
    from polyroute.looking.look import look
    from polyroute.measures.of_traces import align, divergence
    from polyroute.models.routers import edit, find_routers, observe
    from polyroute.steering.apply import steer
    from polyroute.steering.plan import Plan
    from polyroute.tracing.collect import trace

__all__ = ["Plan", "Trace", "align", "divergence", "edit", "find_routers", "look", "observe", "steer", "trace"]

_PLACES = {
    "Plan": "polyroute.steering.plan",
    "Trace": "polyroute.artifacts.trace",
    "align": "polyroute.measures.of_traces",
    "divergence": "polyroute.measures.of_traces",
    "edit": "polyroute.models.routers",
    "find_routers": "polyroute.models.routers",
    "look": "polyroute.looking.look",
    "observe": "polyroute.models.routers",
    "steer": "polyroute.steering.apply",
    "trace": "polyroute.tracing.collect",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: commands that need no model do not wait for torch."""
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'polyroute' has no attribute '{name}'")

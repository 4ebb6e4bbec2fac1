"""What can go wrong between this process and those that it has work done by."""

from __future__ import annotations

from collections.abc import Mapping

from polyroute.ground.errors import PolyrouteError


class EngineError(PolyrouteError):
    """What runs a model cannot be had, cannot do what it was asked to, or stopped: no task goes on without it.

    Workers of Ray, or vLLM. The message names the key of params.yaml or the variable, and says what to do.
    """


class PartsError(PolyrouteError):
    """Parts that failed after their tries while the others were finished; the message names each."""

    def __init__(self, what: str, failed: Mapping[str, str], parts: int):
        """Say it in one sentence.

        Args:
            what: was being done, such as `trace pocket-plain`.
            failed: part -> why.
            parts: how many there were.
        """
        told = "; ".join(f"{part} ({why})" for part, why in failed.items())
        done = parts - len(failed)
        kept = f"; the other {done} are finished and kept" if done else ""
        super().__init__(f"{what}: {len(failed)} of {parts} parts failed: {told}{kept}")

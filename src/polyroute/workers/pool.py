"""Parts of a stage given to workers, and given again where one is lost: every part is finished or fails by name.

Ray's own retries are not used: a worker that it restarts may wait for room for ever, and while a node that is gone is
not yet known to be, each try is spent in a moment. Here a lost worker is replaced, its part goes to whichever is free,
and the others go on meanwhile.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polyroute.workers.cluster import Share, connected, environment
from polyroute.workers.errors import EngineError
from polyroute.workers.settings import Engine
from polyroute.workers.worker import Act, Outcome, Worker, machine

log = logging.getLogger(__name__)

TRIES = 3
"""How often a part is tried that raises what is no fault of the input."""
DEATHS = 5
"""How often a part is begun whose worker is lost on it: more, since a node that goes takes innocent parts along."""
LOOK = 2.0
"""Seconds after which workers are asked how far they are."""


@dataclass(eq=False)
class _Hand:
    """One worker, as it is seen from here."""

    actor: Any
    call: Any = None
    """Of the call under way; None where it is free."""
    part: str | None = None
    begun: bool = False
    loaded: bool = False
    told: int = 0
    """Progress that was passed on, of the call under way."""
    asked: Any = None
    """A question how far it is that is still to be answered."""


@dataclass
class Parts:
    """What became of parts."""

    values: dict[str, Any]
    """Part -> its result, of those that were finished."""
    failed: dict[str, str]
    """Part -> why, of the others."""


@dataclass
class Pool:
    """The workers of one stage."""

    ray: Any
    engine: Engine
    share: Share
    load: Callable[[], Any]
    machine: dict[str, Any] = field(default_factory=dict)
    """What numbers depend on beside the settings, the same in every worker: `worker.machine`."""
    _hands: list[_Hand] = field(default_factory=list)
    _moved: float = 0
    """When anything was last heard of."""
    _lost: int = 0
    """Workers lost in a row, none of which got as far as to load."""
    _why: str = ""
    """What the last of them died of."""

    def start(self) -> None:
        """Start all workers and wait until the first is there.

        Raises:
            EngineError: none came up; or it has other versions than this process.
        """
        self._moved = time.monotonic()
        self._hands = [self._new() for _ in range(self.engine.workers)]
        while not self.machine:
            for hand, outcome in self._finished():
                self._settle(hand, outcome)

    @property
    def device(self) -> str:
        """Name of the GPU, or `cpu`."""
        return str(self.machine["device"])

    def run(self, act: Act, parts: Mapping[str, Any], advance: Callable[[int], None] = lambda _done: None) -> Parts:
        """Have every part done by some worker; what they give does not depend on which, or in what order.

        Args:
            act: what is done; a function that can be imported by its name.
            parts: how a part is called in messages -> what `act` needs of it.
            advance: told of progress, as `act` tells it.

        Returns:
            The results, in the order of the parts, and why others have none.

        Raises:
            EngineError: the model cannot be loaded, workers differ, none is left, or nothing moved for
                `engine.ray.patience` seconds.
        """
        todo, tries, deaths = deque(parts), Counter[str](), Counter[str]()
        values: dict[str, Any] = {}
        failed: dict[str, str] = {}
        self._moved = time.monotonic()
        while len(values) + len(failed) < len(parts):
            for hand in self._hands:
                if hand.call is None and hand.begun and not hand.loaded:
                    hand.call = hand.actor.load.remote(self.load)
                elif hand.call is None and hand.loaded and todo:
                    hand.part = todo.popleft()
                    hand.call = hand.actor.do.remote(act, parts[hand.part])
            for hand, outcome in self._finished(advance):
                part, hand.part = hand.part, None
                if part is None or outcome is None:
                    self._settle(hand, outcome)
                if part is None:
                    continue
                if outcome is None:
                    deaths[part] += 1
                    if deaths[part] < DEATHS:
                        todo.appendleft(part)
                    else:
                        failed[part] = f"{DEATHS} workers were lost on it: {self._why}"
                elif not outcome.failed:
                    values[part] = outcome.value
                else:
                    tries[part] += 1
                    if outcome.vain:
                        failed[part] = outcome.failed
                    elif tries[part] < TRIES:
                        todo.append(part)
                    else:
                        failed[part] = f"{TRIES} times {outcome.failed}"
        kept = {part: values[part] for part in parts if part in values}
        return Parts(kept, {part: failed[part] for part in parts if part in failed})

    def _new(self) -> _Hand:
        """A worker that is being started, as soon as there is room for it."""
        kind = self.ray.remote(
            num_cpus=self.share.cpus, num_gpus=self.share.gpus, max_restarts=0, max_task_retries=0,
            concurrency_groups={"watch": 1}, scheduling_strategy="SPREAD",
            runtime_env={"env_vars": environment(self.share.threads)},
        )(Worker)  # fmt: skip
        actor = kind.remote()
        return _Hand(actor, actor.begin.remote(str(Path.cwd()), self.share.threads))

    def _finished(self, advance: Callable[[int], None] = lambda _done: None) -> Iterator[tuple[_Hand, Outcome | None]]:
        """Calls that ended since; None where the worker is lost. Waits for a moment only, and never for ever."""
        calls = {hand.call: hand for hand in self._hands if hand.call is not None}
        done, _ = self.ray.wait(list(calls), timeout=LOOK) if calls else ([], [])
        if not done:
            self._look(advance)
        for call in done:
            hand, outcome = calls[call], None
            try:
                outcome = self.ray.get(call)
            except self.ray.exceptions.RayError as error:
                self._why = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            self._moved = time.monotonic()
            advance((0 if outcome is None else outcome.told) - hand.told)
            hand.call, hand.told, hand.asked = None, 0, None
            for line in outcome.warnings if outcome is not None else ():
                log.warning("%s", line)
            yield hand, outcome

    def _settle(self, hand: _Hand, outcome: Outcome | None) -> None:
        """Take note of a worker that began or loaded, or was lost."""
        if outcome is None:
            self._lost += 1
            if self._lost > 5 * self.engine.workers:
                raise EngineError(f"workers are lost as soon as they begin: {self._why}")
            log.warning("a worker was lost, and is replaced: %s", self._why)
            self.ray.kill(hand.actor)
            self._hands[self._hands.index(hand)] = self._new()
        elif outcome.failed:
            raise EngineError(outcome.failed)
        elif not hand.begun:
            self._check_same(outcome.value)
            hand.begun = True
        else:
            hand.loaded, self._lost = True, 0

    def _check_same(self, found: dict[str, Any]) -> None:
        expected = self.machine or {**machine(), "device": found["device"]}
        differing = [name for name in expected if found[name] != expected[name]]
        if differing:
            told = ", ".join(f"{name} {found[name]} and {expected[name]}" for name in differing)
            raise EngineError(
                f"workers or this process differ in {told}: results would depend on which of them computed; use nodes "
                "of one kind, with the same environment"
            )
        self.machine = expected

    def _look(self, advance: Callable[[int], None]) -> None:
        """Ask workers how far they are, and see whether anything can still come."""
        for hand in self._hands:
            if hand.call is None or not hand.begun:
                continue
            if hand.asked is None:
                hand.asked = hand.actor.told.options(concurrency_group="watch").remote()
                continue
            if not self.ray.wait([hand.asked], timeout=0)[0]:
                continue
            try:
                told = self.ray.get(hand.asked)
            except self.ray.exceptions.RayError:  # lost: its call ends with that
                continue
            hand.asked = None
            if told > hand.told:
                advance(told - hand.told)
                hand.told, self._moved = told, time.monotonic()
        silent = time.monotonic() - self._moved
        if silent > self.engine.ray.patience:
            raise EngineError(
                f"nothing moved for {silent:.0f} s (engine.ray.patience), with {len(self._hands)} workers: see Ray's "
                "logs, or raise it if loading the model or one batch takes that long; what is finished is kept"
            )
        if not any(hand.begun for hand in self._hands) and silent > 30 and not self.share.room(self.ray.nodes()):
            raise EngineError(
                f"no node is left with {self.share.cpus} CPUs and {self.share.gpus:g} GPUs for a worker: start nodes "
                "and run it again; what is finished is kept"
            )


@contextmanager
def workers(engine: Engine, load: Callable[[], Any]) -> Iterator[Pool]:
    """The workers that an engine asks for, up to the end of the `with` block.

    Args:
        engine: section `engine` of params.yaml.
        load: what each worker loads, once, before its first part; can be pickled.

    Raises:
        EngineError: as `connected` and `Pool.start`.
    """
    with connected(engine) as (ray, share):
        pool = Pool(ray, engine, share, load)
        pool.start()
        yield pool

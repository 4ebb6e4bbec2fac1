"""Calls of a service that may be busy, slow or gone, within a stated limit of waiting.

A limit of a request is no limit of a call: a body that comes a byte a second never times out, and a server may ask to
be asked again in an hour. So calls are made in a thread of their own, one after another, and given up after a time. A
call that ends in `ORDINARY` seconds is free, with a second more for every `A_SECOND` values that it carries; all that a
slower one took comes off one budget, so that many slow calls cost no more than one that never ends.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

ORDINARY = 1.0
"""Seconds that every call may take."""
A_SECOND = 500
"""Values that a call carries for a second more."""
BUDGET = 24.0
"""Seconds that all slower calls may take together: with a start of some seconds, a bad server costs under 40."""
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306}
_CONNECT = 5.0

T = TypeVar("T")


class OutOfPatienceError(Exception):
    """A service that did not answer in time; it may be called no more."""


class Patience:
    """Makes calls, one after another, and gives up those that take too long."""

    def __init__(self, budget: float = BUDGET, ordinary: float = ORDINARY):
        self.left = self._budget = budget
        self._ordinary = ordinary
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[tuple[Any, BaseException | None]]]]
        self._calls = queue.SimpleQueue()
        # A daemon, since a call that was given up must not keep the process.
        threading.Thread(target=self._work, daemon=True, name="polyroute tracking").start()

    def __call__(self, call: Callable[..., T], *arguments: Any, carried: int = 0, **keywords: Any) -> T:
        """Make a call with these arguments, which carry so many values.

        Raises:
            OutOfPatienceError: it did not end in time. Whatever else the call raises.
        """
        free = self._ordinary + carried / A_SECOND
        limit, begun = max(free, self.left), time.monotonic()
        answer: queue.SimpleQueue[tuple[T, BaseException | None]] = queue.SimpleQueue()
        self._calls.put((partial(call, *arguments, **keywords), answer))
        try:
            value, error = answer.get(timeout=limit)
        except queue.Empty:
            after = f" after {self._budget - self.left:.0f} s for slow ones" if self.left < self._budget else ""
            raise OutOfPatienceError(
                f"no answer within {limit:.0f} s{after}; the server is busy, slow or gone, or asks to wait longer"
            ) from None
        taken = time.monotonic() - begun
        if taken > free:
            self.left = max(0.0, self.left - taken)
        if error is not None:
            raise error
        return value

    def _work(self) -> None:
        while True:
            call, answer = self._calls.get()
            try:
                answer.put((call(), None))
            except BaseException as error:  # noqa: BLE001 - handed to whoever called
                answer.put((None, error))


def knock(uri: str) -> None:
    """See that the port of a server or database is open; nothing where there is none, or a proxy stands between.

    Raises:
        OSError: nobody answers. Requests would be tried again and again.
    """
    parts = urlsplit(uri)
    scheme = parts.scheme.partition("+")[0]
    if scheme not in _PORTS or parts.hostname is None:
        return
    if scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(parts.hostname):
        return
    socket.create_connection((parts.hostname, parts.port or _PORTS[scheme]), timeout=_CONNECT).close()

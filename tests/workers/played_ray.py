"""What of Ray a pool uses, played in this process: calls are answered when they are waited for, workers can be lost."""

from __future__ import annotations

import pickle
import random
from types import SimpleNamespace


class LostError(Exception):
    pass


class Call:
    def __init__(self, actor, method, args):
        self.actor, self.method, self.args = actor, method, args


class Method:
    def __init__(self, actor, name):
        self.actor, self.name = actor, name

    def options(self, **_):
        return self

    def remote(self, *args):
        return Call(self.actor, self.name, args)


class Actor:
    def __init__(self, ray, kind):
        self.ray, self.worker, self.alive = ray, kind(), True

    def __getattr__(self, name):
        return Method(self, name)


class PlayedRay:
    """`lost` says, of a call of a worker, whether the worker is lost on it; `silent`, whether it is never answered."""

    exceptions = SimpleNamespace(RayError=LostError)

    def __init__(self, lost=lambda _name, _args: False, silent=lambda _name, _args: False, cpus=2, pickled=False):
        self.lost, self.silent, self.cpus, self.made, self.killed = lost, silent, cpus, 0, 0
        self.drawn = random.Random(0)
        self.pickled = pickled

    def remote(self, **_):
        def made(kind):
            def remote():
                self.made += 1
                return Actor(self, kind)

            return SimpleNamespace(remote=remote)

        return made

    def wait(self, calls, timeout):
        answered = [call for call in calls if not self.silent(call.method, call.args)]
        return [self.drawn.choice(answered)] if answered else [], []

    def get(self, call):
        if not call.actor.alive or self.lost(call.method, call.args):
            call.actor.alive = False
            raise LostError("The node is gone.\nThe rest of what Ray says.")
        return self.sent(getattr(call.actor.worker, call.method)(*self.sent(call.args)))

    def sent(self, what):
        """As it arrives in another process."""
        return pickle.loads(pickle.dumps(what)) if self.pickled else what  # noqa: S301

    def kill(self, _actor):
        self.killed += 1

    def nodes(self):
        return [{"Alive": True, "Resources": {"CPU": float(self.cpus)}}]

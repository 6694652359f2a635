"""Faults that the test hub commits on demand."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from threading import Lock


class Kind(StrEnum):
    """``RATE``: 429 with Retry-After. ``ERROR``: 500. ``DROP``: the connection breaks in the middle of the body (or, of
    a request without one, before the answer). ``LENGTH``: the body is half as long as HEAD says, and its own headers
    agree. ``CORRUPT``: one bit of the body is another. ``SLOW``: bytes come in drops. ``LOOP``: redirects in a circle.
    """

    RATE = "rate"
    ERROR = "error"
    DROP = "drop"
    LENGTH = "length"
    CORRUPT = "corrupt"
    SLOW = "slow"
    LOOP = "loop"


BODY_KINDS = frozenset([Kind.LENGTH, Kind.CORRUPT, Kind.SLOW])
"""Kinds that need the body of a file."""


@dataclass
class Fault:
    """Requests that match get it, ``times`` of them (-1: all). ``path``: a pattern for the path of the request, before
    it is redirected to where large files lie: ``*/model.safetensors``, ``/api/models/org/*``. ``retry_after``: seconds,
    of ``RATE``; -1 for none. ``seconds``: between two drops of ``SLOW``. ``skip``: matching requests that pass first.
    """

    kind: Kind
    path: str = "*"
    method: str = "*"
    times: int = 1
    retry_after: int = 0
    seconds: float = 0.01
    status: int = 500
    skip: int = 0

    def matches(self, method: str, path: str) -> bool:
        return fnmatchcase(path, self.path) and fnmatchcase(method, self.method)


@dataclass(frozen=True)
class OneIn:
    """One request in ``number`` gets one of ``kinds``: which, follows from the seed, the request, and how often it has
    come before, so that it does not depend on the order in which parallel requests arrive.
    """

    number: int
    seed: int = 0
    kinds: Sequence[Kind] = (Kind.RATE, Kind.ERROR, Kind.DROP, Kind.LENGTH, Kind.CORRUPT)


@dataclass
class Faults:
    """What the server asks before each answer."""

    rules: list[Fault] = field(default_factory=list)
    one_in: OneIn | None = None
    _seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def pick(self, method: str, path: str, body: bool) -> Fault | None:
        """The fault for this request, used up by it. ``body``: whether the answer has the bytes of a file."""
        with self._lock:
            for rule in self.rules:
                if rule.times and rule.matches(method, path) and (body or rule.kind not in BODY_KINDS):
                    if rule.skip:
                        rule.skip -= 1
                        return None
                    rule.times -= 1
                    return rule
            self._seen[method, path] += 1
            return self._chance(method, path, body) if self.one_in else None

    def _chance(self, method: str, path: str, body: bool) -> Fault | None:
        plan = self.one_in
        assert plan is not None
        words = f"{plan.seed} {method} {path} {self._seen[method, path]}"
        draw = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big")
        kinds = [kind for kind in plan.kinds if body or kind not in BODY_KINDS]
        if draw % plan.number or not kinds:
            return None
        return Fault(kinds[draw // plan.number % len(kinds)])

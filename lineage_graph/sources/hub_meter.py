"""Counts the bytes of files as they come, over all threads of a crawl, and hears when to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from threading import Event, Lock
from types import TracebackType
from typing import Any, Self

from lineage_graph.errors import LineageGraphError

FileKey = tuple[str, str]
"""Repository and path."""


class StoppedError(LineageGraphError):
    """The crawl has been interrupted; nobody sees this but the threads that it ends."""


class Meter:
    """``sizes``: of the files that are to come, by repository and path; others do not count. ``tell``: called with the
    bytes so far and all of them, by one thread at a time. ``stop``: set to end what is under way.
    """

    def __init__(self, sizes: Mapping[FileKey, int], tell: Callable[[int, int], None], stop: Event) -> None:
        self._total = sum(sizes.values())
        self._done = dict.fromkeys(sizes, 0)
        self._tell = tell
        self._stop = stop
        self._lock = Lock()
        self._turns: dict[str, Lock] = {}

    def turn(self, content: str) -> AbstractContextManager[object]:
        """Held while the file of this ``content`` (its hash) comes: who wants the same waits, and has it then."""
        with self._lock:
            return self._turns.setdefault(content, Lock()) if content else nullcontext()

    def reach(self, key: FileKey, done: int) -> None:
        """``done`` bytes of the file are here."""
        self._count(key, lambda _: done)

    def add(self, key: FileKey, more: int) -> None:
        """``more`` bytes of the file have come."""
        self._count(key, lambda done: done + more)

    def _count(self, key: FileKey, change: Callable[[int], int]) -> None:
        if self._stop.is_set():
            raise StoppedError("interrupted")
        with self._lock:
            if key in self._done:
                self._done[key] = change(self._done[key])
                self._tell(sum(self._done.values()), self._total)

    def bar(self, key: FileKey) -> type:
        """The class that the client makes a progress bar of for the file ``key``: it only counts."""
        return type("CountingBar", (_Bar,), {"meter": self, "key": key})


class _Bar:
    """What the client needs of ``tqdm``. A file that has to be begun again counts from its beginning."""

    meter: Meter
    key: FileKey

    def __init__(self, *_: Any, initial: int = 0, total: int | None = None, **__: Any) -> None:
        self.total = total
        self.meter.reach(self.key, int(initial))

    def update(self, more: float | None = 1) -> None:
        self.meter.add(self.key, int(more or 0))

    def update_transfer(self, more: float | None = 1) -> None:
        """Bytes on the wire, which the client counts apart: what has been written counts here."""

    def set_postfix_str(self, *_: Any, **__: Any) -> None:
        """Nothing is shown."""

    set_transfer_postfix_str = refresh = close = set_postfix_str

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

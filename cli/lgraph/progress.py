"""Progress on standard error: bars in a terminal, one short line a stage elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

from lgraph.text import size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from lineage_graph.types import Unit


class ProgressDisplay:
    """A :class:`lineage_graph.types.Progress`; use it in a ``with`` block, which clears the bars at its end."""

    def __init__(self) -> None:
        self._bars = _bars()
        self._tasks: dict[str, TaskID] = {}
        self._told: set[str] = set()

    def __call__(self, stage: str, done: int, total: int, unit: Unit = "items") -> None:
        """See :class:`lineage_graph.types.Progress`."""
        if self._bars is None:
            if stage not in self._told:
                self._told.add(stage)
                left, of = (size(total - done), size(total)) if unit == "bytes" else (total - done, total)
                typer.echo(f"{stage}: {left} of {of} to do", err=True)
            return
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total, unit=unit)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to the body of a ``with`` block, for a question."""
        self.__exit__(None, None, None)
        yield
        self.__enter__()

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()


def _bars() -> Progress | None:
    if not sys.stderr.isatty():
        return None
    from rich.console import Console

    from lgraph.bars import bars

    screen = Console(stderr=True)
    return None if screen.is_dumb_terminal else bars(screen)

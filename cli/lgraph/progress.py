"""Progress on standard error: bars in a terminal, one short line a stage elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ProgressDisplay:
    """A :class:`lineage_graph.types.Progress`; use it in a ``with`` block, which clears the bars at its end."""

    def __init__(self) -> None:
        self._bars = _bars()
        self._tasks: dict[str, TaskID] = {}
        self._told: set[str] = set()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """See :class:`lineage_graph.types.Progress`."""
        if self._bars is None:
            if stage not in self._told:
                self._told.add(stage)
                typer.echo(f"{stage}: {total - done} of {total} to do", err=True)
            return
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)

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
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    screen = Console(stderr=True)
    if screen.is_dumb_terminal:
        return None
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=screen, transient=True)

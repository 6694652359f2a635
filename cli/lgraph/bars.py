"""Bars for a terminal: counts for stages that handle items; bytes, rate and remaining time for those that fetch.

Imported only where bars are drawn, since rich takes its time.
"""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table


class UnitColumn(ProgressColumn):
    """Columns that depend on what the task counts: its field ``unit``."""

    max_refresh = 0.5

    def __init__(self) -> None:
        super().__init__()
        self._columns: dict[str, tuple[ProgressColumn, ...]] = {
            "items": (MofNCompleteColumn(), TimeElapsedColumn()),
            "bytes": (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()),
        }

    def render(self, task: Task) -> RenderableType:
        """See rich."""
        line = Table.grid(padding=(0, 1))
        line.add_row(*(column(task) for column in self._columns[task.fields["unit"]]))
        return line


def bars(screen: Console) -> Progress:
    """Bars that vanish at their end; each task has a field ``unit``."""
    return Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), UnitColumn(), console=screen, transient=True
    )

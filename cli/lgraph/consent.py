"""Nothing that a search finds is fetched before somebody has seen how much it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from lgraph.text import size

if TYPE_CHECKING:
    from lgraph.progress import ProgressDisplay
    from lineage_graph.crawl import Consent, Need


def consent(yes: bool, progress: ProgressDisplay) -> Consent:
    """Says what is to be fetched, and asks where a search has chosen it, unless ``yes``.

    What it returns raises ``typer.Abort`` on a no, and ``typer.BadParameter`` where nobody can be asked.
    """

    def ask(need: Need) -> None:
        if not need.models:
            return
        what = f"{need.models} model{'s' if need.models > 1 else ''}, at most {size(need.bytes)}"
        if yes or not need.searches:
            typer.echo(f"to fetch: {what}", err=True)
            return
        if not sys.stdin.isatty():
            raise typer.BadParameter(f"a search would fetch {what}; --yes agrees to that", param_hint="--yes")
        with progress.paused():
            typer.confirm(f"Fetch {what}?", err=True, abort=True)

    return ask

"""``lgraph bench``: the project's own measurements."""

from __future__ import annotations

import difflib
import importlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from lgraph.progress import ProgressDisplay
from lgraph.text import console, show, table


def bench(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="What to measure; without it: the list.")] = None,
) -> None:
    """Run one of the project's own measurements."""
    from lineage_graph.bench.registry import BENCHES

    if name is None:
        show(console(), table(("bench", "measures"), [(item.name, item.summary) for item in BENCHES]))
        return
    chosen = next((item for item in BENCHES if item.name == name), None)
    if chosen is None:
        names = [item.name for item in BENCHES]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
        raise typer.BadParameter(f"no bench is called {name!r}; {hint}", param_hint="NAME")
    module = importlib.import_module(chosen.module)
    with tempfile.TemporaryDirectory(prefix="lgraph-bench-") as folder, ProgressDisplay() as progress:
        text: str = module.run(Path(folder), progress)
    typer.echo(text.rstrip("\n"))

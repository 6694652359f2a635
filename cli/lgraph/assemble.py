"""``lgraph assemble``: stored fingerprints in, a lineage graph out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lgraph.options import AsJson
from lgraph.progress import ProgressDisplay
from lgraph.text import console, show, visible


def assemble(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="Folders that builds wrote; their models are taken together."),
    ],
    *,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", file_okay=False, help="Where to write the graph.")],
    as_json: AsJson = False,
) -> None:
    """Draw the lineage of built zoos from their fingerprints alone: no weights are read, whatever their number.

    For very many models. Every edge rests on sketches, and says so; names and dates take no part.
    """
    from lineage_graph.scale.run import run

    with ProgressDisplay() as progress:
        result = run(folders, out, progress)
    if as_json:
        typer.echo(json.dumps({**asdict(result), "files": [str(file) for file in result.files]}, indent=1))
        return
    kinds = ", ".join(f"{count} {kind}" for kind, count in result.kinds.items())
    line = f"{result.name}: {result.models} models, {result.families} families, {sum(result.kinds.values())} edges"
    show(console(), visible(f"{line} ({kinds})" if kinds else line), "", *(visible(str(file)) for file in result.files))

"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

ManifestFile = Annotated[Path, typer.Argument(metavar="MANIFEST", help="A YAML file that lists the models.")]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Fetch what a search finds without asking.")]

Full = Annotated[
    bool, typer.Option("--full", help="Fetch all weights from the Hub, also where a sample shows no relative.")
]

Cache = Annotated[
    Path | None,
    typer.Option(metavar="DIR", file_okay=False, help="Where finished work is kept; default: the user's cache."),
]

Model = Annotated[
    str | None,
    typer.Option("--model", metavar="MODEL", help="Only this model with its ancestors and descendants."),
]

Family = Annotated[int | None, typer.Option("--family", metavar="N", min=1, help="Only the family of this number.")]

"""``lgraph show``: the families of a built graph as trees, or one model between its ancestors and its descendants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgraph.graph import read_graph, selected
from lgraph.options import Family, Model

if TYPE_CHECKING:
    from lineage_graph.types import LineageGraph


def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that a build wrote.")],
    *,
    model: Model = None,
    family: Family = None,
    whole: Annotated[bool, typer.Option("--all", help="Every family with every model, however many.")] = False,
) -> None:
    """Draw the families of a built graph as trees, with the kind and the confidence of each edge.

    The first lines of each family; all of it with --family N, --model MODEL or --all.
    """
    from lgraph import trees

    lineage = read_graph(folder, "DIR")
    if model is not None:
        _one(lineage, model, family)
    elif family is not None:
        trees.draw_families(selected(lineage, None, family), cut=False)
    else:
        trees.draw_families(lineage, cut=not whole)


def _one(lineage: LineageGraph, model: str, family: int | None) -> None:
    from lgraph import trees
    from lineage_graph.render.selection import find

    trees.draw_model(lineage, selected(lineage, model, family), find(lineage, model))

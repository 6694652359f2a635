"""Reading back the graph that a build wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from lineage_graph.render.node_link import Families
    from lineage_graph.types import LineageGraph

Graph = TypeVar("Graph")

GRAPH = "lineage.json"
"""The file of a build that holds its graph."""


def read_graph(folder: Path, option: str) -> LineageGraph:
    """The graph in ``folder``; ``option``: what the command calls it.

    Raises ``typer.BadParameter`` where there is none, and ``LineageGraphError`` that names the file where it cannot be
    read.
    """
    from lineage_graph.render.node_link import from_json

    return _read(folder, option, from_json)


def read_families(folder: Path, option: str) -> Families:
    """The families of the graph in ``folder``, without the rest of it; as :func:`read_graph`."""
    from lineage_graph.render import node_link

    return _read(folder, option, node_link.read_families)


def _read(folder: Path, option: str, decode: Callable[[str], Graph]) -> Graph:
    from lineage_graph.errors import LineageGraphError

    path = folder / GRAPH
    if not path.is_file():
        raise typer.BadParameter(
            f"{folder} holds no {GRAPH}: is it a folder that 'lgraph build' wrote?", param_hint=option
        )
    try:
        return decode(path.read_text(encoding="utf-8"))
    except (LineageGraphError, UnicodeDecodeError) as error:
        raise LineageGraphError(f"{path}: {error}") from error


def selected(lineage: LineageGraph, model: str | None, family: int | None) -> LineageGraph:
    """The part of a graph that ``--model`` or ``--family`` asks for; all of it where neither is given."""
    from lineage_graph.render.selection import around, of_family

    if model is not None and family is not None:
        raise typer.BadParameter("give either a model or a family", param_hint="--model")
    if model is not None:
        return around(lineage, model)
    return lineage if family is None else of_family(lineage, family)

"""``lgraph export``: a built graph in the formats of other tools."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lgraph.graph import GRAPH, read_graph
from lgraph.options import Family, Model

if TYPE_CHECKING:
    from lineage_graph.render.exports import Format, Options
    from lineage_graph.types import LineageGraph

FormatName = Literal["graphml", "gexf", "dot", "json", "csv", "mermaid", "cyclonedx", "spdx", "svg", "png"]
"""The names of ``lineage_graph.render.exports.FORMATS``; that list is imported only when the command runs."""


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that a build wrote.")],
    *,
    name: Annotated[FormatName, typer.Option("--format", "-f", help="The format to write.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Where to write; default: standard output. A folder for csv."),
    ] = None,
    model: Model = None,
    family: Family = None,
    part: Annotated[
        Literal["nodes", "edges"] | None, typer.Option(help="csv: one of its two tables, rather than both.")
    ] = None,
    view: Annotated[Literal["tree", "ring"] | None, typer.Option(help="svg, png: what to draw; default: tree.")] = None,
    columns: Annotated[
        int | None, typer.Option(min=1, max=2, help="svg, png: width in columns of a paper; default: 2.")
    ] = None,
    theme: Annotated[Literal["light", "dark"] | None, typer.Option(help="svg, png: colours; default: light.")] = None,
) -> None:
    """Write a built graph in the format of another tool, or a part of it."""
    from lgraph.graph import selected
    from lineage_graph.render.exports import FORMATS, Options

    chosen = next(item for item in FORMATS if item.name == name)
    asked = _asked(chosen, FORMATS, part=part, view=view, columns=columns, theme=theme)
    lineage = selected(read_graph(folder, "DIR"), model, family)
    options = Options(made=_made(folder / GRAPH), **asked)
    if chosen.parts and not options.part:
        _write_parts(chosen, lineage, options, out)
    else:
        _write(chosen.render(lineage, options), out)


def _asked(chosen: Format, formats: tuple[Format, ...], **given: Any) -> dict[str, Any]:
    """The options that were given. Raises where the chosen format takes one of them not."""
    asked = {key: value for key, value in given.items() if value is not None}
    for key in asked:
        if key not in chosen.takes:
            takers = ", ".join(item.name for item in formats if key in item.takes)
            raise typer.BadParameter(f"goes with --format {takers}", param_hint=f"--{key}")
    return asked


def _made(graph: Path) -> datetime:
    """When the graph was built; ``SOURCE_DATE_EPOCH`` says otherwise: https://reproducible-builds.org/specs/."""
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        return datetime.fromtimestamp(int(told) if told else int(graph.stat().st_mtime), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise typer.BadParameter(f"{told!r} is not a time in seconds", param_hint="SOURCE_DATE_EPOCH") from error


def _write_parts(chosen: Format, lineage: LineageGraph, options: Options, out: Path | None) -> None:
    """Each part into its own file of the folder ``out``."""
    from dataclasses import replace

    parts = chosen.parts or {}
    if out is None or out.suffix == f".{chosen.name}" or out.is_file():
        either = " or ".join(f"--part {part}" for part in parts)
        files = " and ".join(parts.values())
        raise typer.BadParameter(
            f"{chosen.name} is {len(parts)} files: name a folder for {files}, or give {either}", param_hint="-o"
        )
    for part, filename in parts.items():
        _write(chosen.render(lineage, replace(options, part=part)), out / filename)


def _write(made: str | bytes, out: Path | None) -> None:
    from lineage_graph.store import write_atomic

    data = made.encode("utf-8") if isinstance(made, str) else made
    if out is not None:
        write_atomic(out, data)
        typer.echo(f"wrote {out}", err=True)
    elif isinstance(made, bytes) and sys.stdout.isatty():
        raise typer.BadParameter("a terminal shows no pictures: name a FILE, or send it to a pipe", param_hint="-o")
    else:
        # Bytes as they are: the encoding of a terminal or a pipe must not change a file that says it is UTF-8.
        sys.stdout.buffer.write(data)

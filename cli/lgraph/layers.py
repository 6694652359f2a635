"""The origin of each block of one model, printed: ``lgraph explain --layers``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from lgraph.text import console, show, table, visible

Origins = Sequence[Mapping[str, Any]]


def print_origins(model: str, origins: Origins, *, as_json: bool) -> None:
    """A table of ``origins`` (see ``lineage_graph.render.schema``), or JSON."""
    if as_json:
        typer.echo(json.dumps({"model": model, "origins": origins}, indent=1))
        return
    header = ("block", "origin", "its block", " probability", " cosine", "runners-up")
    target = console()
    show(target, visible(f"{model}: {_summary(origins)}"), "", table(header, [_row(one) for one in origins]))


def _summary(origins: Origins) -> str:
    named = [one["model"] for one in origins]
    models = sorted({name for name in named if name}, key=lambda name: (-named.count(name), name))
    parts = [f"{named.count(name)} from {name}" for name in models]
    parts += [f"{named.count('')} from no model of this zoo"] if "" in named else []
    return f"{len(origins)} blocks, {', '.join(parts)}"


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    runners = [f"{_place(model, block)} {probability:.3f}" for model, block, probability in one.get("runners", [])]
    cosine = f"{one['cosine']:.3f}" if one["model"] else ""
    origin = (one["model"] or "none", one["there"])
    return one["block"], *origin, f"{one['probability']:.3f}", cosine, ", ".join(runners)


def _place(model: str, block: str) -> str:
    return f"{model} {block}" if model else "none"

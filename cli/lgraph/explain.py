"""``lgraph explain``: the evidence for or against one edge, layer by layer, or the origin of a model's blocks."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgraph.graph import read_graph
from lgraph.layers import print_origins
from lgraph.options import AsJson, Cache
from lgraph.text import console, show, table, visible

if TYPE_CHECKING:
    from lineage_graph.explain import Explanation
    from lineage_graph.types import TensorComparison


def explain(
    parent: Annotated[str | None, typer.Argument(metavar="PARENT", help="The id of one model.")] = None,
    child: Annotated[str | None, typer.Argument(metavar="CHILD", help="The id of another one.")] = None,
    *,
    folder: Annotated[Path, typer.Option("--in", metavar="DIR", help="The folder that a build wrote.")],
    layers: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Instead of an edge: where each block of this model comes from."),
    ] = None,
    as_json: AsJson = False,
    cache: Cache = None,
) -> None:
    """Say why CHILD descends from PARENT, or why not; with --layers, where each block of one model comes from."""
    if layers is not None and parent is not None:
        raise typer.BadParameter("give either PARENT and CHILD or --layers MODEL")
    if layers is None and (parent is None or child is None):
        raise typer.BadParameter("give PARENT and CHILD, or --layers MODEL")
    lineage = read_graph(folder, "--in")

    from lineage_graph.build import default_cache
    from lineage_graph.explain import explain as look
    from lineage_graph.explain import origins_of
    from lineage_graph.store import Store

    if layers is not None:
        print_origins(layers, origins_of(lineage, layers), as_json=as_json)
    elif parent is not None and child is not None:
        found = look(lineage, parent, child, Store(cache or default_cache()))
        if as_json:
            typer.echo(json.dumps(_as_json(found), indent=1))
        else:
            _print(found)


def _as_json(found: Explanation) -> dict[str, Any]:
    from lineage_graph.render.schema import jsonable

    values: dict[str, Any] = jsonable(
        {
            "parent": found.parent,
            "child": found.child,
            "edge": found.edge,
            "reversed": found.reversed,
            "rejected": asdict(found.rejected) if found.rejected else None,
            "path": found.path,
            "note": found.note,
            "parts": found.parts,
            "silent": found.silent,
            "tensors": [asdict(tensor) for tensor in found.tensors],
        }
    )
    return values


def _print(found: Explanation) -> None:
    from lineage_graph.render.meanings import meaning

    target = console()
    show(target, *(visible(line) for line in _verdict(found)))
    if found.parts:
        show(target, "", table(("parent", "what it gave"), list(found.parts.items())))
    if found.signals:
        rows = [(name, f"{value:.4g}", meaning(name)) for name, value in found.signals.items()]
        show(target, "", table(("signal", " value", "what it says"), rows))
    for line in filter(None, (found.silent, found.note)):
        show(target, "", visible(line))
    if found.cues:
        cues = sorted(found.cues.items(), key=lambda cue: -cue[1])
        rows = [(name, f"{value:+.2f}", _leaning(value, found)) for name, value in cues]
        show(target, "", table(("direction cue", " log-odds", "speaks for"), rows))
    if found.tensors:
        header = ("tensor", " elements", " cosine", " z", " distance", "")
        show(target, "", table(header, [_tensor(tensor) for tensor in found.tensors]))
    elif (found.edge is not None and not found.unseen) or found.rejected is not None:
        show(target, "", "The layers are not in the cache; build the zoo again to see them.")


def _verdict(found: Explanation) -> list[str]:
    from lineage_graph.render.reading import why_open

    edge = found.edge
    if edge is not None:
        pair = (found.child, found.parent) if found.reversed else (found.parent, found.child)
        drawn = "drawn the other way: " if found.reversed else ""
        why = why_open(edge)
        told = bool(edge["conflict"]) and edge["conflict"] in why
        return [
            f"{drawn}{pair[0]} → {pair[1]}  ({edge['kind']})",
            f"right as drawn {edge['confidence']:.3f}, direction {edge['direction_confidence']:.3f}, "
            f"distance {edge['distance']:.3g}, declared: {edge['declared']}",
            *([f"direction open: {why}"] if why else []),
            *([f"cues contradict: {edge['conflict']}"] if edge["conflict"] and not told else []),
        ]
    lines = [f"no edge between {found.parent} and {found.child}"]
    if found.path:
        lines.append(f"descent through others: {' → '.join(found.path)}")
    if found.rejected is not None:
        lines.append(f"a near miss, confidence {found.rejected.confidence:.3f}: {found.rejected.reason}")
    elif not found.path:
        lines.append("they were not near enough to be compared, or a nearer relative explains both")
    return lines


def _leaning(log_odds: float, found: Explanation) -> str:
    if log_odds == 0:
        return "neither"
    return f"{found.parent} → {found.child}" if log_odds > 0 else f"{found.child} → {found.parent}"


def _tensor(tensor: TensorComparison) -> tuple[str, ...]:
    name = tensor.name_a if tensor.name_a == tensor.name_b else f"{tensor.name_a} / {tensor.name_b}"
    norm = math.sqrt(tensor.squared_norm_a * tensor.squared_norm_b)
    distance = math.sqrt(tensor.squared_distance / norm) if norm > 0 else math.nan
    z = f"{tensor.z:.1f}" if tensor.rows else ""
    return name, str(tensor.size), f"{tensor.cosine:.3f}", z, f"{distance:.3f}", "equal" if tensor.identical else ""

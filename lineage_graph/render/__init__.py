"""A lineage graph as files: pure functions from the result to text. Rendering decides nothing.

``RENDERERS`` is the whole list of what a build writes. What each renderer needs is imported when it runs, so that the
list itself costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lineage_graph.types import LineageGraph, RunRecord


@dataclass(frozen=True, slots=True)
class Renderer:
    """``render`` gives the text (UTF-8 encodable) of the file called ``filename``; the caller writes it."""

    filename: str
    render: Callable[[LineageGraph, RunRecord], str]


def _html(lineage: LineageGraph, run: RunRecord) -> str:
    from lineage_graph.render.page import document

    return document.render(lineage, run)


def _graphml(lineage: LineageGraph, run: RunRecord) -> str:
    from lineage_graph.render import graphml

    return graphml.render(lineage)


def _json(lineage: LineageGraph, run: RunRecord) -> str:
    from lineage_graph.render import node_link

    return node_link.to_json(lineage)


def _report(lineage: LineageGraph, run: RunRecord) -> str:
    from lineage_graph.render import report

    return report.render(lineage, run)


def _run(lineage: LineageGraph, run: RunRecord) -> str:
    from lineage_graph.render import run_record

    return run_record.render(lineage, run)


RENDERERS: tuple[Renderer, ...] = (
    Renderer("lineage.html", _html),
    Renderer("lineage.graphml", _graphml),
    Renderer("lineage.json", _json),
    Renderer("report.md", _report),
    Renderer("run.json", _run),
)

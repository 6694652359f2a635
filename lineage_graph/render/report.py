"""``report.md``: what was found, for people; fit to be pasted into a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from lineage_graph.render import audit_section, certainty, family_trees, findings, listings, order
from lineage_graph.render.markdown import code
from lineage_graph.render.reading import unseen
from lineage_graph.render.text import count
from lineage_graph.types import LineageGraph, RunRecord


def render(lineage: LineageGraph, run: RunRecord) -> str:
    """The report as GitHub-flavoured Markdown. Every name, message and reason stands in a code span or a fence."""
    graph = lineage.graph
    lines = [
        *_summary(lineage, run),
        *certainty.section(graph, run),
        *family_trees.sections(graph),
        *findings.sections(graph),
        *listings.edges(graph),
        *listings.loners(graph),
        *listings.failures(graph),
        *audit_section.lines(lineage.audit),
        *listings.misses(lineage),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _summary(lineage: LineageGraph, run: RunRecord) -> Iterator[str]:
    graph = lineage.graph
    yield f"# Lineage of {code(lineage.name)}"
    yield ""
    if not graph:
        yield "The zoo holds no models."
        yield ""
        return
    absent = len(unseen(graph))
    parts = [
        count(graph.number_of_nodes() - absent, "model"),
        *([count(absent, "unseen ancestor")] if absent else []),
        count(len(order.families(graph)), "family", "families"),
        count(graph.number_of_edges(), "edge"),
        f"{count(len(order.loners(graph)), 'model')} without relatives",
        f"{count(len(order.failed(graph)), 'model')} that could not be used",
    ]
    yield ", ".join(parts) + f". Made by lgraph {run.version}."
    yield ""

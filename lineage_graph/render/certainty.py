"""The report's answer to how sure the graph is: edges by confidence, open directions, what took part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from lineage_graph.render import order
from lineage_graph.render.markdown import code, left_out, table
from lineage_graph.render.reading import is_open
from lineage_graph.render.text import count, percent
from lineage_graph.types import RunRecord

if TYPE_CHECKING:
    import networkx as nx

DOUBTS = 10
"""The most edges that are named."""


def section(graph: nx.DiGraph[str], run: RunRecord) -> Iterator[str]:
    """The lines; nothing where there are no models."""
    if not graph:
        return
    yield "## How sure we are"
    yield ""
    yield from _of_edges(graph)
    if "metadata" in run.settings:
        part = "were evidence, beside the weights" if run.settings["metadata"] else "took no part in any decision"
        yield f"Names, dates and declared parents {part}."
    yield from _of_features(graph, run)
    sampled = sum(fact["weights"] == "sampled" for _, fact in graph.nodes(data=True))
    if sampled:
        yield f"Of {count(sampled, 'model')} only slices were fetched, which are like nobody's; `--full` reads all."
    yield "All settings are in `run.json`."
    yield ""


def _of_edges(graph: nx.DiGraph[str]) -> Iterator[str]:
    edges = [(parent, child, graph.edges[parent, child]) for parent, child in order.edge_order(graph)]
    if not edges:
        return
    yield "Confidence: how probable it is that the two models are related as drawn."
    yield "Direction: how probable it is that the arrow points the right way; 50 % is a coin toss."
    yield ""
    rows = [
        (name, *_bins([edge[attribute] for *_, edge in edges]))
        for name, attribute in (("Confidence", "confidence"), ("Direction", "direction_confidence"))
    ]
    yield from table(("Edges", "99 % and more", "90 to 99 %", "75 to 90 %", "below 75 %"), rows, right=(1, 2, 3, 4))
    undecided = sum(is_open(edge) for *_, edge in edges)
    if undecided:
        yield f"Of {undecided:,} of {count(len(edges), 'edge')} nothing decides the direction."
        yield ""
    yield from _doubts(edges)


def _of_features(graph: nx.DiGraph[str], run: RunRecord) -> Iterator[str]:
    if run.settings.get("features"):
        seen = [fact for _, fact in graph.nodes(data=True) if fact["status"] == "ok" and fact["role"] != "unseen"]
        told = [fact["features"] for fact in seen]
        gave = sum(bool(text) and not text.startswith("none: ") for text in told)
        yield f"Networks could be built, and their features compared, for {gave:,} of {count(len(told), 'model')}."
    elif "features" in run.settings:
        yield "No networks were built: features took no part."


def _doubts(edges: Sequence[tuple[str, str, dict[str, float]]]) -> Iterator[str]:
    doubtful = [edge for edge in edges if min(edge[2]["confidence"], edge[2]["direction_confidence"]) < 0.9]
    doubtful.sort(key=lambda edge: edge[2]["confidence"] * edge[2]["direction_confidence"])
    if not doubtful:
        return
    yield "Least sure:"
    yield ""
    for parent, child, edge in doubtful[:DOUBTS]:
        sure = f"{percent(edge['confidence'])}, direction {percent(edge['direction_confidence'])}"
        yield f"- {code(parent)} → {code(child)}: {sure}"
    yield ""
    yield from left_out(len(doubtful) - DOUBTS, "edge")


def _bins(values: Sequence[float]) -> list[str]:
    bounds = (1.01, 0.99, 0.9, 0.75, -1.0)
    return [f"{sum(low <= value < high for value in values):,}" for high, low in pairwise(bounds)]

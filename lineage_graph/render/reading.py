"""What the numbers of an edge, and of a few models, say in words; every output says it in the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lineage_graph import kin
from lineage_graph.render.text import count, percent

if TYPE_CHECKING:
    import networkx as nx

OPEN = kin.OPEN
"""Probability of a direction below which nothing decides it."""

CUE = "direction."
"""What the name of a direction cue begins with among an edge's evidence."""

FAINT = 0.05
"""Log-odds below which a cue says nothing."""

NAMED = 3
"""Cues that a sentence names, the strongest ones."""


def is_open(edge: Mapping[str, Any]) -> bool:
    """Does nothing decide which of the two is the parent?"""
    return bool(edge["direction_confidence"] < OPEN)


def direction(edge: Mapping[str, Any]) -> str:
    """How probable it is that the arrow points the right way, and whether that decides anything."""
    sure = percent(edge["direction_confidence"])
    return f"open ({sure})" if is_open(edge) else sure


def why_open(edge: Mapping[str, Any]) -> str:
    """Why nothing decides the direction of an open edge; empty for any other."""
    if not is_open(edge):
        return ""
    if "unseen" in edge["evidence"]:
        return "no cue can be measured against a model that is not in the zoo"
    if edge["kind"] == "duplicate":
        return "the weights are equal, and neither a date nor a coarser format tells which came first"
    if edge["kind"] in ("merge", "splice"):
        return "its parts alone say which of the models is the child, and they are not sure"
    cues = [(name.removeprefix(CUE), v) for name, v in edge["evidence"].items() if name.startswith(CUE)]
    cues = sorted((cue for cue in cues if abs(cue[1]) >= FAINT), key=lambda cue: (-abs(cue[1]), cue[0]))
    if cues:
        named = ", ".join(f"{name} {value:+.1f}" for name, value in cues[:NAMED])
        return f"pooled over the family the cues decide nothing; of this edge: {named}"
    return "no cue speaks for either side"


def share(edge: Mapping[str, Any]) -> str:
    """A parent's coefficient in a merge with its spread over the layers: ``0.564 ± 0.002``; empty for other edges."""
    evidence = edge["evidence"]
    if "merge.coefficient" not in evidence:
        return ""
    spread = evidence.get("merge.uncertainty")
    return f"{evidence['merge.coefficient']:.3f}" + ("" if spread is None else f" ± {spread:.3f}")


def spans(layers: Iterable[str], network: Sequence[str]) -> list[tuple[str, str]]:
    """The first and last of each run of ``layers`` that follow one another in ``network``, which names all in order.

    Layers that the network does not name are runs of their own, at the end.
    """
    place = {name: index for index, name in enumerate(network)}
    runs: list[tuple[str, str]] = []
    for name in sorted(layers, key=lambda one: place.get(one, len(place))):
        follows = bool(runs) and name in place and place.get(runs[-1][1], -2) == place[name] - 1
        if follows:
            runs[-1] = (runs[-1][0], name)
        else:
            runs.append((name, name))
    return runs


def blocks(graph: nx.DiGraph[str], parent: str, child: str) -> list[tuple[str, str]]:
    """The runs of the child's blocks that come from this parent, in the order of its network."""
    network = [one["block"] for one in graph.nodes[child].get("origins", ())]
    return spans(graph.edges[parent, child].get("layers", ()), network)


def unseen(graph: nx.DiGraph[str], members: Iterable[str] | None = None) -> list[str]:
    """The ancestors that are not in the zoo, of all models or of these ``members``, by family, then by number."""
    facts = graph.nodes
    absent = [node for node in (graph if members is None else members) if facts[node]["role"] == "unseen"]
    return sorted(absent, key=lambda node: (facts[node]["family"], len(node), node))


def census(graph: nx.DiGraph[str], members: Sequence[str]) -> str:
    """``7 models``, and the unseen ancestors among the members, where there are any: ``7 models, 1 unseen``."""
    absent = len(unseen(graph, members))
    return count(len(members) - absent, "model") + (f", {absent:,} unseen" if absent else "")


def joined(graph: nx.DiGraph[str], kind: str) -> dict[str, list[str]]:
    """The models with edges of this ``kind`` from several parents (``merge``, ``splice``) → these, largest part first.

    A part is a coefficient, or a number of blocks.
    """
    found: dict[str, list[str]] = {}
    for node in sorted(graph, key=lambda n: (graph.nodes[n]["family"], n)):
        edges = {parent: edge for parent, _, edge in graph.in_edges(node, data=True) if edge["kind"] == kind}
        if edges:
            found[node] = sorted(edges, key=lambda parent: (-_part(edges[parent]), parent))
    return found


def _part(edge: Mapping[str, Any]) -> float:
    return float(edge["evidence"].get("merge.coefficient", len(edge.get("layers", ()))))

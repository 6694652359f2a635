"""One graph of one zoo against the truth, in counts that add up over zoos.

To what :mod:`lineage_graph.evaluate` measures come: directions that a graph commits itself to, merges that are
complete, and for every edge that is right or wrong the confidence it was drawn with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage_graph.evaluate import Arc, Evaluation, KindScore, Rates, Truth, evaluate
from lineage_graph.types import LineageGraph

if TYPE_CHECKING:
    import networkx as nx

COMMITTED = 0.6
"""``direction_confidence`` below which an edge's direction counts as an abstention, not as an answer."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one zoo, or of several together.

    ``linked``: true edges that are drawn in either direction; of these ``committed`` have a direction that the graph
    stands by, and ``pointed`` of those point the right way. ``merges``: models merged from several; ``complete``: those
    with exactly their true parents in the graph. ``kinds``: by the true kind. ``confidences``: of each edge that is
    right or wrong as drawn, its confidence and which it is; empty for a method that gives none.
    """

    directed: Rates
    undirected: Rates
    reachability: Rates
    distinct: Rates
    linked: int
    committed: int
    pointed: int
    false_links: int
    stranger_pairs: int
    merges: int
    complete: int
    kinds: Mapping[str, KindScore]
    confidences: tuple[tuple[float, bool], ...] = ()

    @property
    def direction(self) -> float | None:
        """Of the directions that the graph stands by, the share that is right, 0 to 1."""
        return _share(self.pointed, self.committed)

    @property
    def abstained(self) -> float | None:
        """The share of linked true edges whose direction it leaves open, 0 to 1."""
        return _share(self.linked - self.committed, self.linked)

    @property
    def named(self) -> float | None:
        """The share of linked true edges that bear the right kind, 0 to 1."""
        return _share(sum(kind.named for kind in self.kinds.values()), sum(k.linked for k in self.kinds.values()))


def judge(graph: nx.DiGraph[str], truth: Truth) -> Tally:
    """Count. Raises :class:`~lineage_graph.errors.TruthError` where the truth names models that the graph lacks.

    Edges need a ``kind``; ``confidence`` and ``direction_confidence`` may be absent: all directions are then answers.
    """
    found: Evaluation = evaluate(LineageGraph("", graph), truth)
    linked = [arc for arc in truth.edges if graph.has_edge(*arc) or graph.has_edge(*arc[::-1])]
    committed = [arc for arc in linked if _commitment(graph, arc) >= COMMITTED]
    merges = _merges(truth.edges)
    return Tally(
        directed=found.directed,
        undirected=found.undirected,
        reachability=found.reachability,
        distinct=found.distinct,
        linked=len(linked),
        committed=len(committed),
        pointed=sum(graph.has_edge(*arc) for arc in committed),
        false_links=found.false_links,
        stranger_pairs=found.stranger_pairs,
        merges=len(merges),
        complete=sum(_drawn_parents(graph, child, truth) == parents for child, parents in merges.items()),
        kinds={kind.kind: kind for kind in found.kinds},
        confidences=tuple(_confidences(graph, truth)),
    )


def pooled(tallies: Iterable[Tally]) -> Tally:
    """Several zoos as one (micro-average). ``tallies``: at least one."""
    several = list(tallies)
    kinds = list(dict.fromkeys(kind for one in several for kind in one.kinds))
    return Tally(
        directed=total(one.directed for one in several),
        undirected=total(one.undirected for one in several),
        reachability=total(one.reachability for one in several),
        distinct=total(one.distinct for one in several),
        linked=sum(one.linked for one in several),
        committed=sum(one.committed for one in several),
        pointed=sum(one.pointed for one in several),
        false_links=sum(one.false_links for one in several),
        stranger_pairs=sum(one.stranger_pairs for one in several),
        merges=sum(one.merges for one in several),
        complete=sum(one.complete for one in several),
        kinds={kind: _sum_kind([one.kinds[kind] for one in several if kind in one.kinds]) for kind in kinds},
        confidences=tuple(pair for one in several for pair in one.confidences),
    )


def total(rates: Iterable[Rates]) -> Rates:
    """The counts of several, added up."""
    several = list(rates)
    return Rates(sum(r.right for r in several), sum(r.wrong for r in several), sum(r.missed for r in several))


def families(truth: Truth, models: Iterable[str]) -> int:
    """How many families the ``models`` form: what the edges join, and what is related."""
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(models)
    graph.add_edges_from(truth.edges)
    graph.add_edges_from((min(pair), max(pair)) for pair in truth.related)
    return nx.number_connected_components(graph)


def _commitment(graph: nx.DiGraph[str], arc: Arc) -> float:
    drawn = graph.get_edge_data(*arc) or graph.get_edge_data(*arc[::-1])
    return float(drawn.get("direction_confidence", 1.0))


def _merges(edges: Mapping[Arc, str]) -> dict[str, set[str]]:
    """The parents of each model that is a merge of several."""
    found: dict[str, set[str]] = defaultdict(set)
    for (parent, child), kind in edges.items():
        if kind == "merge":
            found[child].add(parent)
    return {child: parents for child, parents in found.items() if len(parents) > 1}


def _drawn_parents(graph: nx.DiGraph[str], child: str, truth: Truth) -> set[str]:
    return {parent for parent in graph.predecessors(child) if _counts(graph, (parent, child), truth)}


def _confidences(graph: nx.DiGraph[str], truth: Truth) -> Iterator[tuple[float, bool]]:
    for parent, child, data in graph.edges(data=True):
        if "confidence" in data and _counts(graph, (parent, child), truth):
            yield float(data["confidence"]), (parent, child) in truth.edges


def _counts(graph: nx.DiGraph[str], arc: Arc, truth: Truth) -> bool:
    """Whether an edge is right or wrong: not so beside an inferred ancestor, and between related models."""
    inferred = any(graph.nodes[node].get("role") == "unseen" for node in arc)
    return not inferred and frozenset(arc) not in truth.related


def _sum_kind(scores: list[KindScore]) -> KindScore:
    return KindScore(
        kind=scores[0].kind,
        edges=sum(score.edges for score in scores),
        linked=sum(score.linked for score in scores),
        directed=sum(score.directed for score in scores),
        named=sum(score.named for score in scores),
        alike=sum(score.alike for score in scores),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None

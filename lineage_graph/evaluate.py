"""A lineage graph against what is known of it; the only reader of truth.

What counts, and what does not:

- An edge of the graph is right if the truth has it, wrong otherwise, and neither if its two models are ``related`` in
  the truth or one of them is an inferred ancestor that is not in the zoo (role ``unseen``). A model that could not be
  read is a node without edges: the true edges it has are missed.
- Undirected figures take an edge and its reverse for the same.
- *Distinct* figures take copies for one model: those that the truth's ``duplicate`` edges join, and files of equal
  bytes (one model rounded twice). Which of several equal models is the original, and which of them a child was trained
  from, their weights cannot tell.
- Reachability compares pairs (ancestor, descendant), along paths of any length. A pair that the truth leaves open is
  neither right nor wrong: a related pair, and one that would follow if some related pair were an edge.
- Members of an ``unrelated`` group may be in one family (a merge joins strangers). A *false link* is an edge between
  two of them, a *false descent* any path from one to the other.
- A ratio without cases is ``None``, never 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import networkx as nx
from pydantic import Field

from lineage_graph.errors import TruthError
from lineage_graph.strict_yaml import describe, read_mapping
from lineage_graph.types import LineageGraph
from lineage_graph.validation import Record, parse

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

Kind = Literal["finetune", "snapshot", "merge", "splice", "adapter", "quantize", "prune", "duplicate"]
Pair = frozenset[str]
Arc = tuple[str, str]

_SHOWN = 3
"""Names that a message lists before it says "and others"."""


@dataclass(frozen=True, slots=True)
class Truth:
    """``edges``: (parent, child) → kind. ``strangers``: pairs of which neither descends from the other. ``related``:
    pairs that are related in a direction that nobody knows.
    """

    edges: Mapping[Arc, str]
    strangers: frozenset[Pair] = frozenset()
    related: frozenset[Pair] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every model that the truth speaks of."""
        return frozenset().union(*self.edges, *self.strangers, *self.related)


@dataclass(frozen=True, slots=True)
class Rates:
    """Counts of what was found rightly, found wrongly and missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float | None:
        """The share right / (right + wrong), 0 to 1; ``None`` where nothing was found."""
        return _ratio(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float | None:
        """The share right / (right + missed), 0 to 1; ``None`` where there was nothing to find."""
        return _ratio(self.right, self.right + self.missed)

    @property
    def f1(self) -> float | None:
        """2 right / (2 right + wrong + missed), 0 to 1; ``None`` where nothing was found and nothing was to find."""
        return _ratio(2 * self.right, 2 * self.right + self.wrong + self.missed)


@dataclass(frozen=True, slots=True)
class KindScore:
    """The true edges of one kind. ``linked``: drawn in either direction; ``directed``: drawn rightly; ``named``: those
    of ``linked`` that bear the right kind. ``alike``: drawn in either direction, where copies count as one model.
    """

    kind: str
    edges: int
    linked: int
    directed: int
    named: int
    alike: int

    @property
    def recall(self) -> float | None:
        """The share directed / edges, 0 to 1."""
        return _ratio(self.directed, self.edges)

    @property
    def kind_accuracy(self) -> float | None:
        """The share named / linked, 0 to 1."""
        return _ratio(self.named, self.linked)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures; see the module's docstring for what counts.

    ``distinct``: directed edges between distinct models. ``open_edges``: edges of the graph that are neither right nor
    wrong. ``false_links`` and ``false_descents`` are out of ``stranger_pairs``. ``kinds``: one score for each kind
    that the truth has, in the order of the contract.
    """

    directed: Rates
    undirected: Rates
    reachability: Rates
    distinct: Rates
    open_edges: int
    false_links: int
    false_descents: int
    stranger_pairs: int
    kinds: tuple[KindScore, ...]

    @property
    def direction_accuracy(self) -> float | None:
        """Of the true pairs that are linked, the share that points the right way, 0 to 1."""
        return _ratio(self.directed.right, self.undirected.right)

    @property
    def kind_accuracy(self) -> float | None:
        """Of the true pairs that are linked, the share that bears the right kind, 0 to 1."""
        return _ratio(sum(kind.named for kind in self.kinds), self.undirected.right)

    def as_json(self) -> dict[str, Any]:
        """Counts and ratios as plain values; an undefined ratio is ``None``."""
        record = asdict(self)
        for name in ("directed", "undirected", "reachability", "distinct"):
            rates: Rates = getattr(self, name)
            record[name] |= {"precision": rates.precision, "recall": rates.recall, "f1": rates.f1}
        for values, kind in zip(record["kinds"], self.kinds, strict=True):
            values |= {"recall": kind.recall, "kind_accuracy": kind.kind_accuracy}
        return record | {"direction_accuracy": self.direction_accuracy, "kind_accuracy": self.kind_accuracy}


class _Edge(Record):
    parent: Annotated[str, Field(min_length=1)]
    child: Annotated[str, Field(min_length=1)]
    kind: Kind


class _Document(Record):
    edges: Annotated[list[Any], Field(default_factory=list)]
    unrelated: Annotated[list[list[str]], Field(default_factory=list)]
    related: Annotated[list[list[str]], Field(default_factory=list)]


def load_truth(path: Path) -> Truth:
    """Read a truth file. Raises :class:`TruthError`, also where the file contradicts itself."""
    document = parse(_Document, read_mapping(path, TruthError), TruthError, str(path))
    edges: dict[Arc, str] = {}
    for number, values in enumerate(document.edges, start=1):
        where = f"{path}: edge {number}"
        if not isinstance(values, dict):
            raise TruthError(f"{where}: should be a mapping of keys to values, not {describe(values)}")
        edge = parse(_Edge, values, TruthError, where)
        if (edge.parent, edge.child) in edges:
            raise TruthError(f"{where}: {edge.parent!r} → {edge.child!r} occurs twice")
        edges[edge.parent, edge.child] = edge.kind
    strangers = {frozenset(pair) for group in document.unrelated for pair in combinations(group, 2)}
    related = {frozenset(pair) for pair in document.related}
    if any(len(pair) != 2 for pair in related) or any(len(pair) != 2 for pair in document.related):
        raise TruthError(f"{path}: related: each item should be a pair of two models")
    if any(len(pair) != 2 for pair in strangers):
        raise TruthError(f"{path}: unrelated: a group names a model twice")
    truth = Truth(edges, frozenset(strangers), frozenset(related))
    _check_sound(truth, path)
    return truth


def evaluate(lineage: LineageGraph, truth: Truth) -> Evaluation:
    """The figures of ``lineage``. Raises :class:`TruthError` where the truth names models that the graph lacks."""
    _check_names(lineage, truth)
    seen = {node for node, data in lineage.graph.nodes(data=True) if data.get("role") != "unseen"}
    drawn = {(a, b): data["kind"] for a, b, data in lineage.graph.edges(data=True)}
    judged = {arc for arc in drawn if seen.issuperset(arc) and frozenset(arc) not in truth.related}
    descents = {arc for arc in _closure(drawn) if seen.issuperset(arc)}
    true_descents, open_descents = _true_descents(truth)
    model = _folded(lineage, truth)
    return Evaluation(
        directed=_rates(judged, truth.edges.keys()),
        undirected=_rates({frozenset(arc) for arc in judged}, {frozenset(arc) for arc in truth.edges}),
        reachability=_rates(descents - open_descents, true_descents - open_descents),
        distinct=_rates(set(_between(judged, model)), set(_between(truth.edges, model))),
        open_edges=len(drawn) - len(judged),
        false_links=len(truth.strangers & {frozenset(arc) for arc in drawn}),
        false_descents=len(truth.strangers & {frozenset(arc) for arc in descents}),
        stranger_pairs=len(truth.strangers),
        kinds=tuple(_kind_scores(drawn, truth, model)),
    )


def _folded(lineage: LineageGraph, truth: Truth) -> dict[str, str]:
    """By model that is or has a copy: the one that stands for them all."""
    graph: nx.Graph[str] = nx.Graph([arc for arc, kind in truth.edges.items() if kind == "duplicate"])
    first: dict[str, str] = {}
    for node, data in lineage.graph.nodes(data=True):
        if data.get("sha256"):
            graph.add_edge(first.setdefault(data["sha256"], node), node)
    return {node: min(group) for group in nx.connected_components(graph) for node in group}


def _merged(arc: Arc, model: Mapping[str, str]) -> Pair:
    """The models that stand for the two."""
    return frozenset(model.get(node, node) for node in arc)


def _between(arcs: Iterable[Arc], model: Mapping[str, str]) -> Iterator[Arc]:
    """The arcs between distinct models."""
    for a, b in arcs:
        one, other = model.get(a, a), model.get(b, b)
        if one != other:
            yield one, other


def _true_descents(truth: Truth) -> tuple[set[Arc], set[Arc]]:
    """The pairs (ancestor, descendant) of the truth, and the pairs that it leaves open."""
    certain = _closure(truth.edges)
    either_way = {arc for pair in truth.related for a, b in [sorted(pair)] for arc in ((a, b), (b, a))}
    # Where the truth knows that b descends from a, nothing follows from b → a.
    possible = {(a, b) for a, b in either_way if (b, a) not in certain}
    following = {
        (a, b) for a, b in _closure([*truth.edges, *possible]) if (b, a) not in certain and (a, b) not in certain
    }
    return certain, either_way | following


def _closure(arcs: Iterable[Arc]) -> set[Arc]:
    """Every pair (a, b), a ≠ b, with a path from a to b."""
    graph: nx.DiGraph[str] = nx.DiGraph(list(arcs))
    return {(node, other) for node in graph for other in nx.descendants(graph, node)}


def _kind_scores(drawn: Mapping[Arc, str], truth: Truth, model: Mapping[str, str]) -> Iterator[KindScore]:
    joined = {frozenset(arc) for arc in _between(drawn, model)}
    linked = {arc: drawn.get(arc) or drawn.get(arc[::-1]) for arc in truth.edges}
    for kind in get_args(Kind):
        arcs = [arc for arc, true_kind in truth.edges.items() if true_kind == kind]
        if arcs:
            yield KindScore(
                kind=kind,
                edges=len(arcs),
                linked=sum(linked[arc] is not None for arc in arcs),
                directed=sum(arc in drawn for arc in arcs),
                named=sum(linked[arc] == kind for arc in arcs),
                alike=sum(linked[arc] is not None or _merged(arc, model) in joined for arc in arcs),
            )


def _rates(found: AbstractSet[Any], true: AbstractSet[Any]) -> Rates:
    return Rates(right=len(found & true), wrong=len(found - true), missed=len(true - found))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _check_sound(truth: Truth, path: Path) -> None:
    """A truth that contradicts itself would be a wrong yardstick."""
    graph: nx.DiGraph[str] = nx.DiGraph(list(truth.edges))
    if not nx.is_directed_acyclic_graph(graph):
        circle = [parent for parent, _ in nx.find_cycle(graph)]
        raise TruthError(f"{path}: edges: run in a circle: {' → '.join([*circle, circle[0]])}")
    clashes = [
        ("edges and related", {frozenset(arc) for arc in truth.edges} & truth.related),
        ("unrelated and related", truth.strangers & truth.related),
        ("edges and unrelated", truth.strangers & {frozenset(arc) for arc in _closure(truth.edges)}),
    ]
    for keys, pairs in clashes:
        if pairs:
            pair = min(sorted(pair) for pair in pairs)
            raise TruthError(f"{path}: {keys}: contradict each other about {pair[0]!r} and {pair[1]!r}")


def _check_names(lineage: LineageGraph, truth: Truth) -> None:
    unknown = sorted(truth.names - set(lineage.graph))
    if unknown:
        listed = ", ".join(map(repr, unknown[:_SHOWN])) + (" and others" if len(unknown) > _SHOWN else "")
        counts = f"{len(unknown)} of {len(truth.names)} models that the truth names"
        raise TruthError(f"the graph {lineage.name!r} lacks {counts}: {listed}")

"""What was found of one checkpoint in a zoo: whose child it is, whose parent, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lineage_graph.types import LineageGraph, Rejected, ScoredPair


@dataclass(frozen=True, slots=True)
class Gone:
    """A candidate whose weights could not be read any more: ``reason``. ``similarity``: what fingerprints say, the
    cosine of the weights by sketch, -1 to 1; 0 where other signs made it a candidate.
    """

    id: str
    reason: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Trace:
    """``model``: as it is called in ``lineage``, the graph of it, its candidates and their families; ``digest``: of its
    weights. ``compared``: its pairs, judged, the likeliest first. ``gone``: candidates that were not compared.

    ``zoo``: models in the zoo; ``unlike``: those that share no shape with it, so that nothing could be compared;
    ``failed``: those that the build could not read; ``sampled``: those of which it fetched no more than slices.
    """

    model: str
    digest: str
    lineage: LineageGraph
    compared: tuple[ScoredPair, ...]
    gone: tuple[Gone, ...]
    zoo: int
    unlike: int
    failed: int
    sampled: int = 0

    @property
    def parents(self) -> list[str]:
        """Those that it descends from, the surest first; an unseen ancestor among them."""
        graph = self.lineage.graph
        found = [one for one in graph.predecessors(self.model) if one not in self.copies]
        return sorted(found, key=lambda one: (-graph.edges[one, self.model]["confidence"], one))

    @property
    def children(self) -> list[str]:
        """Those that descend from it, the surest first."""
        graph = self.lineage.graph
        found = [one for one in graph.successors(self.model) if one not in self.copies]
        return sorted(found, key=lambda one: (-graph.edges[self.model, one]["confidence"], one))

    @property
    def copies(self) -> list[str]:
        """Those with the same weights."""
        graph = self.lineage.graph
        before = [one for one in graph.predecessors(self.model) if graph.edges[one, self.model]["kind"] == "duplicate"]
        after = [one for one in graph.successors(self.model) if graph.edges[self.model, one]["kind"] == "duplicate"]
        return sorted([*before, *after])

    @property
    def chain(self) -> list[str]:
        """The model, its likeliest parent, that one's, up to a root."""
        graph = self.lineage.graph
        way = [self.model]
        while above := sorted(
            graph.predecessors(way[-1]), key=lambda one: (-graph.edges[one, way[-1]]["confidence"], one)
        ):
            way.append(above[0])
        return way

    @property
    def siblings(self) -> list[str]:
        """Where its parent is unseen, the others below that."""
        graph = self.lineage.graph
        unseen = [one for one in self.parents if graph.nodes[one]["role"] == "unseen"]
        return sorted({child for one in unseen for child in graph.successors(one)} - {self.model})

    @property
    def misses(self) -> list[Rejected]:
        """The nearest that are no relatives, and why."""
        found = [one for one in self.lineage.rejected if self.model in (one.a, one.b)]
        return sorted(found, key=lambda one: (-one.confidence, one.a, one.b))

    @property
    def verdict(self) -> str:
        """``copy``, ``merge`` (several parents), ``child``, ``sibling`` (its parent is unseen), ``parent`` (of others,
        and nobody's child), ``undecided`` (all candidates are gone) or ``unrelated``.
        """
        if self.copies:
            return "copy"
        if len(self.parents) > 1:
            return "merge"
        if self.parents:
            return "sibling" if self.siblings else "child"
        if self.children:
            return "parent"
        return "undecided" if self.gone and not self.compared else "unrelated"

    @property
    def unrelated(self) -> float:
        """Probability, 0 to 1, that no model which it was compared with is a relative, taking pairs as independent."""
        return math.prod(1 - pair.confidence for pair in self.compared)

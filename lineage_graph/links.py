"""Trees and several parents → the edges to be drawn, each with its attributes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lineage_graph.calibration import Calibration, logistic
from lineage_graph.descent import DrawnEdge, descend
from lineage_graph.families import Folded, Key, Tree, key, known_log_odds, length
from lineage_graph.kinship import Blend, Splice, ancestors, parents
from lineage_graph.rooting import Conflict
from lineage_graph.signals.registry import is_signed
from lineage_graph.stability import alternatives, margin
from lineage_graph.types import ScoredPair

LEAST_LENGTH, LARGEST_LENGTH = 1e-4, 10.0
"""Relative distances between which the length of an edge may say how right it is."""

LEAST_CONFLICT = 0.5
"""Log-odds from which a cue weighs enough to be named where it is contradicted."""

LEAST_CONFIDENCE = 0.5
"""Of a merge or a splice, from which it is drawn."""


@dataclass(frozen=True, slots=True)
class Link:
    """One edge to be drawn. ``confidence``: that it is right as drawn, so in its direction, too, 0 to 1.
    ``direction``: probability of its direction, if there is an edge at all, 0.5 to 1. ``distance``: relative.

    ``evidence``: signals and the log-odds of direction cues, all turned along the edge. ``layers``: the child's blocks
    that come from this parent, where not all do. ``conflict``: which cues contradict one another, in words.
    """

    parent: str
    child: str
    kind: str
    confidence: float
    direction: float
    distance: float
    evidence: Mapping[str, float]
    layers: tuple[str, ...] = ()
    conflict: str = ""

    def attributes(self, declared: str) -> dict[str, Any]:
        """The edge's attributes."""
        return {
            "kind": self.kind,
            "confidence": self.confidence,
            "direction_confidence": self.direction,
            "distance": self.distance,
            "evidence": dict(self.evidence),
            "declared": declared,
            "layers": list(self.layers),
            "conflict": self.conflict,
            "by_block": {},
        }


def along(pair: ScoredPair, parent: str) -> dict[str, float]:
    """A pair's signals and cues as they speak for the edge from ``parent``."""
    sign = 1.0 if pair.a == parent else -1.0
    evidence = {name: sign * value if is_signed(name) else value for name, value in pair.evidence.items()}
    return evidence | {f"direction.{cue.name}": sign * cue.log_odds for cue in pair.direction}


def of_trees(
    trees: Iterable[Tree], related: Mapping[Key, ScoredPair], calibration: Calibration, names: Iterator[str]
) -> tuple[list[Link], dict[str, float]]:
    """The edges of the trees, rooted, and the unseen nodes in them with their probabilities.

    ``related``: all pairs among which the trees were chosen. ``names``: ids for unseen nodes.
    """
    trees = list(trees)
    lengths = [replace(pair, distance=length(pair)) for pair in related.values()]
    others = alternatives([pair for tree in trees for pair in tree.edges], lengths)
    family = {node: number for number, tree in enumerate(trees) for node in tree.nodes}
    inside: list[list[ScoredPair]] = [[] for _ in trees]
    for pair in related.values():
        if family[pair.a] == family[pair.b]:
            inside[family[pair.a]].append(pair)
    links: list[Link] = []
    unseen: dict[str, float] = {}
    for tree, pairs in zip(trees, inside, strict=True):
        descent = descend(tree.nodes, pairs, tree.edges, names, root=tree.root)
        unseen.update(descent.unseen)
        links += [_of_edge(edge, descent.unseen, related, others, calibration) for edge in descent.edges]
    return list(_one_run(links)), unseen


def _one_run(links: Sequence[Link]) -> Iterator[Link]:
    """A state of a run has one next state: of several models that seem to be, none is told from a fine-tune on the
    same task, whose head goes on, too.
    """
    following = Counter(link.parent for link in links if link.kind == "snapshot")
    for link in links:
        yield replace(link, kind="finetune") if link.kind == "snapshot" and following[link.parent] > 1 else link


def _of_edge(
    edge: DrawnEdge,
    unseen: Mapping[str, float],
    related: Mapping[Key, ScoredPair],
    others: Mapping[Key, float],
    calibration: Calibration,
) -> Link:
    conflict = _in_words(edge.conflict)
    if edge.parent in unseen or edge.child in unseen:
        there = min(unseen.get(edge.parent, 1.0), unseen.get(edge.child, 1.0))
        direction, evidence = calibration.directed(edge.direction), {"unseen": there}
        return Link(
            edge.parent, edge.child, "finetune", there, direction, math.sqrt(edge.squared), evidence, (), conflict
        )
    pair = related[frozenset((edge.parent, edge.child))]
    ahead = margin(length(pair), others.get(key(pair), length(pair)))
    features = edge_features(pair.kind, pair.distance, ahead)
    likely = pair.confidence * (1 - edge.apart)
    # No fitted number is about edges that weights say nothing of.
    measured = "cosine" in pair.evidence
    direction = calibration.directed(edge.direction) if measured else edge.direction
    confidence = (calibration.confidence(pair.kind, likely, features) if measured else likely) * direction
    evidence = along(pair, edge.parent) | {"score": likely, "margin": ahead, "apart": edge.apart}
    return Link(edge.parent, edge.child, pair.kind, confidence, direction, pair.distance, evidence, (), conflict)


def _in_words(conflict: Conflict) -> str:
    """The strongest cue for a direction and the strongest against it, where both weigh."""
    one, other = conflict.best_for, conflict.best_against
    if one is None or other is None or min(one.log_odds, -other.log_odds) < LEAST_CONFLICT:
        return ""
    return f"{one.name} for it ({one.log_odds:+.1f}), {other.name} against it ({other.log_odds:+.1f})"


def edge_features(kind: str, distance: float, margin: float) -> dict[str, float]:
    """What tells right edges of a tree from wrong ones beside the score: ``margin`` over the next best edge in its
    place (see ``stability``); ``length``, ln of the distance; ``typed``, 1 where what was done to the child is known.
    """
    return {
        "margin": margin,
        "length": math.log(min(max(distance, LEAST_LENGTH), LARGEST_LENGTH)),
        "typed": float(kind not in ("finetune", "snapshot")),
    }


def of_copies(folded: Folded, calibration: Calibration) -> Iterator[Link]:
    """The edge of each copy from its keeper."""
    for copy, pair in folded.copies.items():
        keeper = folded.keeper[copy]
        away = logistic(known_log_odds(pair) * (1 if pair.a == keeper else -1))
        direction = calibration.directed(max(0.5, away))
        confidence = calibration.confidence(pair.kind, pair.confidence, {}) * direction
        evidence = along(pair, keeper) | {"score": pair.confidence}
        yield Link(keeper, copy, pair.kind, confidence, direction, pair.distance, evidence)


def of_several(
    found: Iterable[Blend | Splice], pairs: Mapping[Key, ScoredPair], calibration: Calibration
) -> Iterator[Link]:
    """The edges from each parent of a merge or a splice: their geometry alone says which model is the child."""
    for one in found:
        kind = "merge" if isinstance(one, Blend) else "splice"
        confidence = calibration.confidence(kind, one.confidence, {})
        for parent, added, layers in _attributes(one):
            pair = pairs[frozenset((parent, one.child))]
            evidence = along(pair, parent) | added | {"score": one.confidence}
            yield Link(parent, one.child, kind, confidence, max(0.5, confidence), pair.distance, evidence, layers)


def _attributes(one: Blend | Splice) -> Iterator[tuple[str, dict[str, float], tuple[str, ...]]]:
    if isinstance(one, Splice):
        for parent, blocks in one.blocks:
            yield parent, {"splice.blocks": float(len(blocks))}, blocks
        return
    for parent, coefficient, uncertainty in zip(one.parents, one.coefficients, one.uncertainties, strict=True):
        yield (
            parent,
            {
                "merge.coefficient": coefficient,
                "merge.uncertainty": uncertainty,
                "merge.residual": one.residual,
            },
            (),
        )


def shares(one: Blend | Splice) -> dict[str, float]:
    """By parent, its coefficient, or its share of the blocks."""
    if isinstance(one, Blend):
        return dict(zip(one.parents, one.coefficients, strict=True))
    total = sum(len(blocks) for _, blocks in one.blocks)
    return {parent: len(blocks) / total for parent, blocks in one.blocks}


def several(
    found: Sequence[Blend | Splice], keeper: Mapping[str, str], pairs: Mapping[Key, ScoredPair], order: Sequence[str]
) -> list[Blend | Splice]:
    """The merges and splices to draw, in canonical order: likely ones between keepers, all of whose pairs were
    measured, one a child (a merge before a splice), and none that would close a circle.
    """
    rank = {node: index for index, node in enumerate(order)}
    chosen: dict[str, Blend | Splice] = {}
    for each in sorted(found, key=lambda s: (isinstance(s, Splice), rank[keeper[s.child]])):
        one = _kept(each, keeper)
        known = all(frozenset((parent, one.child)) in pairs for parent in parents(one))
        circle = one.child in ancestors(parents(one), {child: parents(two) for child, two in chosen.items()})
        if one.confidence >= LEAST_CONFIDENCE and known and not circle:
            chosen.setdefault(one.child, one)
    return [chosen[child] for child in sorted(chosen, key=rank.__getitem__)]


def _kept(one: Blend | Splice, keeper: Mapping[str, str]) -> Blend | Splice:
    """The same of the keepers of the models that are copies."""
    child = keeper[one.child]
    if isinstance(one, Splice):
        return replace(one, child=child, blocks=tuple((keeper[parent], blocks) for parent, blocks in one.blocks))
    return replace(one, child=child, parents=tuple(keeper[parent] for parent in one.parents))

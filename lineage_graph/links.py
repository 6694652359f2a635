"""Trees and several parents → the edges to be drawn, each with its attributes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lineage_graph.calibration import Calibration, logistic
from lineage_graph.families import Folded, Key, Tree, key, known_log_odds
from lineage_graph.kinship import Blend, Kinship, Splice
from lineage_graph.rooting import Rooted, TreeEdge, root_tree
from lineage_graph.signals.registry import is_signed
from lineage_graph.stability import alternatives, margin
from lineage_graph.types import ScoredPair

LEAST_LENGTH, LARGEST_LENGTH = 1e-4, 10.0
"""Relative distances between which the length of an edge may say how right it is."""

LEAST_CONFIDENCE = 0.5
"""Of a merge or a splice, from which it is drawn."""


@dataclass(frozen=True, slots=True)
class Link:
    """One edge to be drawn. ``direction``: probability of its direction, 0.5 to 1. ``evidence``: what comes on top of
    the pair's own. ``layers``: the child's blocks that come from this parent, where not all do.
    """

    parent: str
    child: str
    pair: ScoredPair
    kind: str
    confidence: float
    direction: float
    evidence: Mapping[str, float] = field(default_factory=dict)
    layers: tuple[str, ...] = ()

    def attributes(self, declared: str) -> dict[str, Any]:
        """The edge's attributes; signals of direction and their log-odds point along it."""
        sign = 1.0 if self.pair.a == self.parent else -1.0
        evidence = {name: sign * value if is_signed(name) else value for name, value in self.pair.evidence.items()}
        evidence.update({f"direction.{cue.name}": sign * cue.log_odds for cue in self.pair.direction})
        return {
            "kind": self.kind,
            "confidence": self.confidence,
            "direction_confidence": self.direction,
            "distance": self.pair.distance,
            "evidence": {**evidence, **self.evidence},
            "declared": declared,
            "layers": list(self.layers),
        }


def of_trees(trees: Iterable[Tree], related: Mapping[Key, ScoredPair], calibration: Calibration) -> Iterator[Link]:
    """The edges of the trees, rooted. ``related``: all pairs among which the trees were chosen."""
    trees = list(trees)
    others = alternatives([pair for tree in trees for pair in tree.edges], related.values())
    for tree in trees:
        pairs = {key(pair): pair for pair in tree.edges}
        rooted = _rooted(tree)
        for child, parent in rooted.parent.items():
            pair = pairs[frozenset((parent, child))]
            ahead = margin(pair.distance, others[key(pair)])
            features = edge_features(pair.kind, pair.distance, ahead)
            confidence = calibration.confidence(pair.kind, pair.confidence, features)
            direction = calibration.directed(rooted.direction_confidence[child])
            yield Link(parent, child, pair, pair.kind, confidence, direction, {"margin": ahead})


def _rooted(tree: Tree) -> Rooted:
    """The tree from its known root, or from the likeliest one."""
    if tree.root is None:
        return root_tree(tree.nodes, [TreeEdge(pair.a, pair.b, pair.direction) for pair in tree.edges])
    parent: dict[str, str] = {}
    order = [tree.root]
    for node in order:
        ends = [pair.b if pair.a == node else pair.a for pair in tree.edges if node in (pair.a, pair.b)]
        below = [end for end in ends if parent.get(node) != end]
        parent.update(dict.fromkeys(below, node))
        order += below
    return Rooted(tree.root, parent, dict.fromkeys(parent, 1.0))


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
        confidence = calibration.confidence(pair.kind, pair.confidence, {})
        yield Link(keeper, copy, pair, pair.kind, confidence, calibration.directed(max(0.5, away)))


def of_several(
    found: Iterable[Blend | Splice], pairs: Mapping[Key, ScoredPair], calibration: Calibration
) -> Iterator[Link]:
    """The edges from each parent of a merge or a splice: their geometry alone says which model is the child."""
    for one in found:
        kind = "merge" if isinstance(one, Blend) else "splice"
        confidence = calibration.confidence(kind, one.confidence, {})
        for parent, evidence, layers in _attributes(one):
            pair = pairs[frozenset((parent, one.child))]
            yield Link(parent, one.child, pair, kind, confidence, max(0.5, confidence), evidence, layers)


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
    kin: Kinship, keeper: Mapping[str, str], pairs: Mapping[Key, ScoredPair], order: Sequence[str]
) -> list[Blend | Splice]:
    """The merges and splices to draw, in canonical order: likely ones between keepers, all of whose pairs were
    measured, one a child (a merge before a splice), and none that would close a circle.
    """
    rank = {node: index for index, node in enumerate(order)}
    chosen: dict[str, Blend | Splice] = {}
    found: list[Blend | Splice] = [*kin.blends, *kin.splices]
    for each in sorted(found, key=lambda s: (isinstance(s, Splice), rank[keeper[s.child]])):
        one = _kept(each, keeper)
        parents = list(shares(one))
        known = all(frozenset((parent, one.child)) in pairs for parent in parents)
        circle = one.child in _ancestors(parents, chosen)
        if one.confidence >= LEAST_CONFIDENCE and known and not circle:
            chosen.setdefault(one.child, one)
    return [chosen[child] for child in sorted(chosen, key=rank.__getitem__)]


def _kept(one: Blend | Splice, keeper: Mapping[str, str]) -> Blend | Splice:
    """The same of the keepers of the models that are copies."""
    child = keeper[one.child]
    if isinstance(one, Splice):
        return replace(one, child=child, blocks=tuple((keeper[parent], blocks) for parent, blocks in one.blocks))
    return replace(one, child=child, parents=tuple(keeper[parent] for parent in one.parents))


def _ancestors(parents: Sequence[str], chosen: Mapping[str, Blend | Splice]) -> set[str]:
    """``parents`` and, through the merges chosen so far, theirs."""
    found, waiting = set[str](), list(parents)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += list(shares(chosen[node])) if node in chosen else []
    return found

"""The spanning forest without what models of several parents pull together: as in :mod:`lineage_graph.families`.

A merge lies between its parents, so the spanning tree runs through it. It is cut off from them and from their origin,
what is left around it descends from it, and the rest is spanned anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lineage_graph.families import SAME_LENGTH
from lineage_graph.scale.forest import Walk, components, spanning, walk
from lineage_graph.scale.judged import Pairs
from lineage_graph.scale.merged import Sum
from lineage_graph.scale.population import Flags, Floats, Ints


@dataclass(frozen=True, slots=True)
class Forest:
    """``edges``: numbers of the pairs that are edges. ``fixed``: of each node, whether it is known to be a root."""

    edges: Ints
    fixed: Flags


def plant(count: int, pairs: Pairs, lengths: Floats, sums: Sequence[Sum]) -> Forest:
    """The forest of all families. ``lengths``: squared, by which the trees are chosen."""
    edges = spanning(count, pairs.i, pairs.j, lengths)
    fixed = np.zeros(count, bool)
    fixed[[one.child for one in sums]] = True
    if not sums:
        return Forest(edges, fixed)
    first = walk(count, pairs.i[edges], pairs.j[edges])
    cut = _cut(first, _Lookup(count, pairs), sums)
    keys = pairs.i[edges] * count + pairs.j[edges]
    left = edges[~np.isin(keys, np.array(sorted(cut), dtype=np.int64))]
    part = components(count, pairs.i[left], pairs.j[left])
    apart = np.isin(part, part[fixed])[...]
    left = left[apart[pairs.i[left]]]
    below = walk(count, pairs.i[left], pairs.j[left], _first_of_each(part, fixed))
    # A merge that descends from another one is the root of a tree of its own.
    lower = np.where(below.parent[pairs.j[left]] == pairs.i[left], pairs.j[left], pairs.i[left])
    left = left[~fixed[lower]]
    rest = np.flatnonzero(~apart[pairs.i] & ~apart[pairs.j])
    again = spanning(count, pairs.i[rest], pairs.j[rest], lengths[rest])
    return Forest(np.sort(np.concatenate([left, rest[again]])), fixed)


def _first_of_each(part: Ints, fixed: Flags) -> Flags:
    """Of the ``fixed`` nodes the first of each part."""
    nodes = np.flatnonzero(fixed)
    first = np.zeros(len(part), bool)
    first[nodes[np.unique(part[nodes], return_index=True)[1]]] = True
    return first


class _Lookup:
    """Squared distances of pairs by their ends."""

    def __init__(self, count: int, pairs: Pairs) -> None:
        keys = pairs.i * count + pairs.j
        self._count, self._order = count, np.argsort(keys)
        self._keys, self._squared = keys[self._order], pairs.squared

    def key(self, one: int, other: int) -> int:
        return min(one, other) * self._count + max(one, other)

    def __call__(self, one: int, other: int) -> float | None:
        key = self.key(one, other)
        place = int(np.searchsorted(self._keys, key))
        found = place < len(self._keys) and self._keys[place] == key
        return float(self._squared[self._order[place]]) if found else None


def _cut(tree: Walk, squared: _Lookup, sums: Sequence[Sum]) -> set[int]:
    """Keys of the forest's edges between each merge and whatever does not descend from it."""
    cut = set()
    children = _Children(tree)
    for one in sums:
        leads = {_towards(tree, one.child, parent) for parent in one.parents}
        around = [*children(one.child), *([int(tree.parent[one.child])] if tree.parent[one.child] >= 0 else [])]
        cut |= {squared.key(one.child, other) for other in around if other in leads or _is_origin(other, one, squared)}
    return cut


def _towards(tree: Walk, start: int, goal: int) -> int:
    """The first node on the way from ``start`` to ``goal``, if they are in one tree; else, and at a top, -1."""
    node = goal
    while tree.parent[node] >= 0:
        if tree.parent[node] == start:
            return node
        node = int(tree.parent[node])
    return int(tree.parent[start]) if tree.tree[start] == tree.tree[goal] else -1


class _Children:
    def __init__(self, tree: Walk) -> None:
        self._order = np.argsort(tree.parent, kind="stable")
        self._starts = np.searchsorted(tree.parent[self._order], np.arange(len(tree.parent) + 1))

    def __call__(self, node: int) -> list[int]:
        found: list[int] = self._order[self._starts[node] : self._starts[node + 1]].tolist()
        return found


def _is_origin(node: int, one: Sum, squared: _Lookup) -> bool:
    """See :func:`lineage_graph.families.trees`: the squared lengths of the shares add up from a common origin."""
    known = [squared(node, parent) for parent in one.parents]
    to_child = squared(node, one.child)
    if to_child is None or any(length is None for length in known):
        return False
    shares = zip(one.blend.coefficients, known, strict=True)
    apart = sum(share**2 * length for share, length in shares if length is not None)
    return abs(to_child / apart - 1) < SAME_LENGTH if apart > 0 else False

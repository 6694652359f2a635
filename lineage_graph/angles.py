"""Second thoughts on a rooted tree, from the angles between updates.

A minimum spanning tree asks for the nearest model alone. Siblings that were trained on related tasks share a part of
their updates, so that the nearest model of a far child is now and then a sibling that moved little. The angle at that
sibling gives it away: from a parent on, a child's update is orthogonal to the parent's own, or goes on in its
direction (states of one run), while siblings' updates point the same way. Two moves are tried until none helps: a child
goes up to its grandparent, and a parent and its child change places.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

LEAST_GAIN = 1.0
"""Log-likelihood that a move has to bring: the tree stays where the angles hardly decide."""

Squared = Callable[[str, str], float]
"""Squared distance of two models; NaN where it was not measured."""

LogOdds = Callable[[str, str], float]
"""What the cues say for the direction from the first model to the second."""


@dataclass(frozen=True, slots=True)
class Angles:
    """Cosines on grown zoos (recipes near, far, chains, snapshots, merges, few-shot, seeds 100 and 101).

    Between the way on to a child and the way back to the grandparent: 0.01 with a standard deviation of 0.05
    (``chain``), and any cosine below, as states of one run have. Between two children: nearly always positive, 0.01 to
    0.3 on average (``siblings``). ``odd``: share of either that follows no rule.
    """

    chain: float = 0.05
    siblings: float = 0.1
    opposed: float = 0.03
    odd: float = 0.1

    def of_chain(self, cosine: float) -> float:
        """Log-likelihood of the angle at a model between its parent and its child."""
        if math.isnan(cosine):
            return 0.0
        normal = math.exp(-0.5 * (max(cosine, 0.0) / self.chain) ** 2) / (self.chain * math.sqrt(2 * math.pi))
        return math.log((1 - self.odd) * normal + self.odd)

    def of_siblings(self, cosine: float) -> float:
        """Log-likelihood of the angle at a model between two of its children."""
        if math.isnan(cosine):
            return 0.0
        width = self.siblings if cosine > 0 else self.opposed
        density = math.exp(-abs(cosine) / width) / (self.siblings + self.opposed)
        return math.log((1 - self.odd) * density + self.odd)


class Tree:
    """Rooted trees over models with measured distances: ``parent`` of each but the roots. The moves change it.

    ``fixed``: roots that keep their place. ``certainty``: by model that was moved, the log-likelihood that it brought.
    """

    def __init__(
        self,
        parent: Mapping[str, str],
        fixed: Collection[str],
        squared: Squared,
        log_odds: LogOdds,
        angles: Angles | None = None,
    ) -> None:
        self.parent = dict(parent)
        self._fixed = frozenset(fixed)
        self.certainty: dict[str, float] = {}
        self._squared, self._log_odds, self._angles = squared, log_odds, angles or Angles()
        self._children: dict[str, list[str]] = {}
        for child, above in self.parent.items():
            self._children.setdefault(above, []).append(child)

    def settle(self, order: Mapping[str, int]) -> None:
        """Make the best move while one helps. ``order``: of the models; it breaks ties."""
        for _ in range(2 * len(self.parent)):
            moves = [
                (gain, -order[child], name, child)
                for child in self.parent
                for name, gain in (("raise", self._raised(child)), ("swap", self._swapped(child)))
                if gain > LEAST_GAIN
            ]
            if not moves:
                return
            gain, _, name, child = max(moves)
            (self._raise if name == "raise" else self._swap)(child)
            self.certainty[child] = gain

    def _cosine(self, at: str, one: str, other: str) -> float:
        """Of the angle at a model between the ways to two others; NaN where a distance is not known."""
        a, b, c = self._squared(at, one), self._squared(at, other), self._squared(one, other)
        return (a + b - c) / (2 * math.sqrt(a * b)) if a > 0 and b > 0 else math.nan

    def _raised(self, child: str, parent: str | None = None, above: str | None = None) -> float:
        """Gain where ``child`` goes from its parent up to that one's parent."""
        parent = self.parent[child] if parent is None else parent
        above = self.parent.get(parent) if above is None else above
        if above is None or math.isnan(self._squared(above, child)) or math.isnan(self._squared(parent, child)):
            return -math.inf
        together = self._angles.of_siblings(self._cosine(above, parent, child))
        after = self._angles.of_chain(self._cosine(parent, above, child))
        return together - after - self._directed(parent, child)

    def _swapped(self, child: str) -> float:
        """Gain where ``child`` and its parent change places; the parent's other children go where they fit better."""
        parent = self.parent[child]
        above = self.parent.get(parent)
        lengths = [self._squared(one, child) for one in (parent, above) if one is not None]
        if parent in self._fixed or any(math.isnan(length) for length in lengths):
            return -math.inf
        angles = self._angles
        gain = -self._log_odds(parent, child)
        if above is not None:
            gain += angles.of_chain(self._cosine(child, above, parent))
            gain -= angles.of_chain(self._cosine(parent, above, child))
        gains = []
        for other in self._children[parent]:
            if other != child:
                stays = angles.of_chain(self._cosine(parent, child, other))
                goes = max(self._raised(other, parent, child), 0.0)
                gains.append(stays + goes - angles.of_siblings(self._cosine(parent, child, other)))
        for below in self._children.get(child, ()):
            cosine = self._cosine(child, parent, below)
            gains.append(angles.of_siblings(cosine) - angles.of_chain(cosine))
        # All these angles have the one way between the two models in common, so they err together.
        return gain + sum(gains) / max(len(gains), 1)

    def _directed(self, one: str, other: str) -> float:
        """Log-likelihood of the cues under this direction over that under none."""
        return -math.log1p(math.exp(-self._log_odds(one, other))) + math.log(2)

    def _raise(self, child: str) -> None:
        self._move(child, self.parent[self.parent[child]])

    def _swap(self, child: str) -> None:
        parent = self.parent[child]
        above = self.parent.get(parent)
        others = [other for other in self._children[parent] if other != child]
        going = [other for other in others if self._raised(other, parent, child) > 0]
        if above is None:
            self._children[parent].remove(child)
            del self.parent[child]
        else:
            self._move(child, above)
        self._move(parent, child)
        for other in going:
            self._move(other, child)

    def _move(self, child: str, parent: str) -> None:
        if child in self.parent:
            self._children[self.parent[child]].remove(child)
        self.parent[child] = parent
        self._children.setdefault(parent, []).append(child)

"""Which unseen nodes lie between a node of a family's spanning tree and its neighbours, by Gromov products.

(x|y)_v = (d²(v,x) + d²(v,y) - d²(x,y))/2 is how far the ways from v to x and to y run together, in an additive tree. It
is about 0 where v is their parent or lies between them. Where it is not, the ways part at a node that is none of the
three. Children of one parent that learn alike share a part of their updates, which looks the same, though smaller: so
every unseen node has to win a comparison of likelihoods, with it against without it (:class:`LatentSettings`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lineage_graph.types import DirectionCue

Matrix = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

LOW = 0.1
"""Quantile that is taken for the lowest: of many products, one outlier must not decide."""


@dataclass(frozen=True, slots=True)
class LatentSettings:
    """The error model of additivity, measured on grown zoos of nine recipes (seeds 100 to 106).

    At a true parent the cosines of its children's updates are about exponentially distributed, with mean ``sharing``
    plus ``drift`` times the longer relative distance (0.03 at a distance of 0.03, 0.07 at 0.2, 0.15 around 0.8).
    Beside an unseen node the share of a Gromov product in the shorter of its ways is about evenly distributed up to
    ``largest``: half is the most that a minimum spanning tree leaves. ``alike``: how often all children of a parent
    move alike, so that geometry cannot tell them from siblings (published fine-tunes of one script do); it bounds what
    geometry can say. ``cut``: mean share from which neighbours are looked at as a group. ``prior``: log-odds, before
    looking, that all neighbours of a node are its siblings; ``inner_prior``: that some of them are. ``hub``: how often
    siblings' cues make the nearest to their origin look like their parent.
    """

    sharing: float = 0.05
    drift: float = 0.1
    largest: float = 0.5
    alike: float = 0.05
    cut: float = 0.15
    prior: float = math.log(0.2 / 0.8)
    inner_prior: float = math.log(0.1 / 0.9)
    hub: float = 0.5


@dataclass(frozen=True, slots=True)
class Relation:
    """Two related models, measured. ``squared``: their squared relative distance.

    ``cues``: log-odds are positive for u → v. ``apart``: log-odds, from other evidence, that neither descends from the
    other.
    """

    u: str
    v: str
    squared: float
    cues: tuple[DirectionCue, ...] = ()
    apart: float = 0.0


@dataclass(slots=True)
class Group:
    """Neighbours whose ways from a node part beyond an unseen node. ``depth``: squared distance from the node to it."""

    depth: float
    log_odds: float
    within: Group | None


class Measured:
    """Relations by pair."""

    def __init__(self, relations: Iterable[Relation]) -> None:
        self._by_pair = {frozenset((r.u, r.v)): r for r in relations}

    def get(self, a: str, b: str) -> Relation | None:
        """The pair's relation, ``None`` where it was not measured."""
        return self._by_pair.get(frozenset((a, b)))

    def squared(self, a: str, b: str) -> float:
        """The pair's squared distance, NaN where it was not measured."""
        found = self.get(a, b)
        return found.squared if found is not None else math.nan

    def cues(self, a: str, b: str) -> dict[str, DirectionCue]:
        """By name, positive for a → b."""
        found = self.get(a, b)
        sign = 1.0 if found is not None and found.u == a else -1.0
        return {cue.name: replace(cue, log_odds=sign * cue.log_odds) for cue in (found.cues if found else ())}


def groups(node: str, around: Sequence[str], measured: Measured, settings: LatentSettings) -> dict[str, Group | None]:
    """For every neighbour the innermost unseen node between it and ``node``, if any."""
    found: dict[str, Group | None] = dict.fromkeys(around)
    distance = np.array([measured.squared(node, one) for one in around])
    if len(around) < 2 or not distance.any():
        return found
    between = np.array([[measured.squared(a, b) if a != b else 0.0 for b in around] for a in around])
    products = gromov(distance, between)

    def split(members: Indices, within: Group | None) -> None:
        depth = within.depth if within is not None else 0.0
        ways = np.maximum(distance[members] - depth, 1e-12 * distance.max())
        inside = products[np.ix_(members, members)] - depth
        shares = inside / np.minimum.outer(ways, ways)
        for cluster in _clusters(shares, settings.cut):
            if len(cluster) < 2 or (within is not None and len(cluster) == len(members)):
                continue
            shared = inside[np.ix_(cluster, cluster)][np.triu_indices(len(cluster), 1)]
            run = float(np.quantile(shared, LOW))
            log_odds = settings.inner_prior if len(cluster) < len(around) else settings.prior
            log_odds += _from_geometry(shared, ways[cluster], settings)
            if within is None:
                log_odds += _from_cues(node, [around[members[i]] for i in cluster], measured, settings)
            if log_odds > 0:
                group = Group(depth + run, log_odds, within)
                found.update({around[members[i]]: group for i in cluster})
                split(members[cluster], group)

    split(np.arange(len(around)), None)
    return found


def gromov(distance: Matrix, between: Matrix) -> Matrix:
    """Gromov products at a node, shape (n, n), from the squared distances to its n neighbours and between these.

    NaN between neighbours: not measured. By the four-point condition (x|y) ≥ min((x|z), (z|y)) for every z; the largest
    such bound is taken, and 0 where there is none.
    """
    products = (distance[:, None] + distance[None, :] - between) / 2
    known = np.where(np.isnan(products), -np.inf, products)
    bounds = np.array([np.max(np.minimum(row, known), axis=1) for row in known])
    return np.where(np.isnan(products), np.where(np.isfinite(bounds), bounds, 0.0), products)


def _clusters(shares: Matrix, cut: float) -> list[Indices]:
    """Groups with a mean share (average linkage) of at least ``cut``."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(shares) < 2:
        return []
    apart = np.clip(1 - shares, 0.0, None)
    np.fill_diagonal(apart, 0.0)
    labels = fcluster(linkage(squareform(apart, checks=False), "average"), 1 - cut, "distance")
    return [np.flatnonzero(labels == label) for label in dict.fromkeys(labels)]


def _from_geometry(products: Matrix, ways: Matrix, settings: LatentSettings) -> float:
    """Log-likelihood ratio of Gromov products in a group: an unseen node against shared updates.

    ``products`` of its pairs, shape (n (n - 1) / 2,), ``ways``: squared distances from the node, shape (n,). Of all
    pairs a low one decides: at a true parent not all share.
    """
    first, second = (ways[index] for index in np.triu_indices(len(ways), 1))
    shorter, longer = np.minimum(first, second), np.maximum(first, second)
    cosines = products / np.sqrt(shorter * longer)
    low = np.argsort(cosines)[int(LOW * (len(cosines) - 1))]
    cosine = (settings.sharing + settings.drift * math.sqrt(longer[low])) / (len(ways) - 1)
    # The share is the cosine times this root; what is exponentially distributed stays so, up to the largest.
    mean = cosine * math.sqrt(longer[low] / shorter[low]) / settings.largest
    share = min(max(products[low] / shorter[low] / settings.largest, 0.0), 1.0)
    ratio = math.log(mean * -math.expm1(-1 / mean)) + share / mean
    return -float(np.logaddexp(math.log1p(-settings.alike) - ratio, math.log(settings.alike)))


def _from_cues(node: str, group: Sequence[str], measured: Measured, settings: LatentSettings) -> float:
    """Log-likelihood ratio of the cues: siblings of ``node`` against its children, one of them perhaps its parent."""
    apart = 0.0
    outwards = []
    for one in group:
        found = measured.get(node, one)
        apart += found.apart / len(group) if found is not None else 0.0
        outwards.append(sum(cue.log_odds for cue in measured.cues(node, one).values() if cue.sign_prior == 1))
    away = -np.logaddexp(0.0, -np.array(outwards))
    parent = away.sum() + np.concatenate([[0.0], -np.array(outwards)])
    as_hub = float(np.logaddexp.reduce(parent)) - math.log(len(parent))
    at_random = -len(group) * math.log(2)
    return apart + float(np.logaddexp(math.log(settings.hub), math.log1p(-settings.hub) + at_random - as_hub))

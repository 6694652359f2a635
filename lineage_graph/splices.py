"""Models that were put together from blocks of several others: blocks of one that lie at both ends of the line between
two sources (see ``clans``).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lineage_graph.clans import Clans, Layer, Zoo, clans_of, layered, told_apart
from lineage_graph.kinship import Splice
from lineage_graph.origins import log_ratio, origins
from lineage_graph.survey import Match, Surveyed

ALIKE = 1.0
"""ln of the blocks' likelihood under one model of a clan over that under another up to which both fit alike, and the
one that more blocks come from is the source."""

LEAST_CENTRAL = 0.5
"""Share of third models that must be nearer to a splice's sources than to the splice: those that have blocks of one
source in common meet there, so a source that is taken for a hybrid of its own hybrids has nearly none."""

LEAST_CONFIDENCE = 0.5
"""Below it there is no splice."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A possible splice. ``central``: share of third models that are nearer to the source than to the child, 0 to 1.
    ``share``: of the model's elements whose origin is known. ``distance``: ‖child - sources‖² over the norm.
    """

    splice: Splice
    central: float
    share: float
    distance: float


def splices(surveyed: Mapping[str, Sequence[Surveyed]]) -> tuple[Splice, ...]:
    """All splices of a zoo, by child, from weights alone.

    Models that one of them explains as a whole (a family, or a splice with its own fine-tunes) form a clan. It is put
    together from models outside it or not at all, and its member nearest to them is the splice. Of two clans that
    could each have been made of the other, the sources are those that stand between the other and third models, and
    then the one that is explained to a smaller share.
    """
    zoo = layered(surveyed)
    clans = clans_of(zoo)
    first = _settled(zoo, clans, frozenset())
    # What is put together itself may stand for its sources in any other, so these are asked once more without it.
    found = {one.child: one for one in first} | {
        one.child: one for one in _settled(zoo, clans, frozenset(one.child for one in first))
    }
    return tuple(found[child] for child in sorted(found))


def _settled(zoo: Zoo, clans: Clans, made: frozenset[str]) -> list[Splice]:
    """The splices of each clan, none of which is a source of one before it; ``made``: no sources of others."""
    each = {id(clan): clan for clan in clans.of.values()}.values()
    claims = [(claims[0], clan) for clan in each if (claims := _claims(zoo, clans, clan, made))]
    claims.sort(key=lambda one: (-one[0].central, -one[0].share, -len(one[0].splice.blocks), one[0].splice.child))
    settled: set[str] = set()
    found = []
    for _, clan in claims:
        again = _claims(zoo, clans, clan, settled | made)
        found += [claim.splice for claim in again]
        settled |= clan if again else set()
    return found


def _claims(zoo: Zoo, clans: Clans, clan: Collection[str], made: Collection[str]) -> list[_Claim]:
    """The member of ``clan`` that is nearest to sources outside it and not among the ``made``, as their splice; and the
    members that were put together from such sources by themselves: these are nearer to them than to one before.
    """
    claims = [claim for member in clan if (claim := _put_together(zoo, clans, member, made)) is not None]
    claims.sort(key=lambda claim: (claim.distance, claim.splice.child))
    if not claims or claims[0].central < LEAST_CENTRAL:
        return []
    found = [claims[0]]
    for claim in claims[1:]:
        if claim.central >= LEAST_CENTRAL and all(_by_itself(zoo, claim, one.splice.child) for one in found):
            found.append(claim)
    return found


def _by_itself(zoo: Zoo, claim: _Claim, other: str) -> bool:
    """Are the sources nearer to the claim's child than the ``other`` splice of its clan is?"""
    layers = [zoo[claim.splice.child][name] for _, names in claim.splice.blocks for name in names]
    apart = sum(layer.distance(other) for layer in layers) / sum(layer.block.squared_norm for layer in layers)
    return claim.distance < apart


def _put_together(zoo: Zoo, clans: Clans, child: str, made: Collection[str]) -> _Claim | None:
    left_out = clans.of[child].union(made)
    layers = list(zoo[child].values())
    found = origins({child: [layer.block for layer in layers]}, {child: left_out})[child]
    known = [(layer, origin) for layer, origin in zip(layers, found, strict=True) if origin.model]
    sources = sorted({origin.model for _, origin in known})
    if len(sources) < 2:
        return None
    main = max(sources, key=lambda source: sum(_loss(layer, source, left_out) for layer, _ in known))
    others = Counter(origin.model for _, origin in known if origin.model != main)
    instead, advantage = _distinct(zoo, child, main, others)
    blocks: dict[str, list[str]] = defaultdict(list)
    surest: dict[str, float] = defaultdict(float)
    for layer, origin in known:
        source = instead[origin.model]
        blocks[source].append(layer.block.block)
        # What a whole clan has alike is no less certain to be from there.
        same = [likely for model, _, likely in origin.runners if model in clans.of[origin.model]]
        surest[source] = max(surest[source], origin.probability + sum(same))
    confidence = min(surest.values()) * (1 - math.exp(-advantage))
    if len(blocks) < 2 or confidence < LEAST_CONFIDENCE:
        return None
    near = [(layer, kin) for layer, _ in known if (kin := layer.kin(left_out))]
    named = {
        _first_of_clan(zoo[child], clans, source, names, left_out): tuple(names) for source, names in blocks.items()
    }
    if len(named) < len(blocks):
        return None
    parts = sorted(named.items(), key=lambda part: (-len(part[1]), part[0]))
    return _Claim(
        splice=Splice(child, tuple(parts), confidence),
        central=_central(zoo, [(kin[0], layer.kin(clans.of[child])) for layer, kin in near]),
        share=sum(layer.block.size for layer, _ in known) / sum(layer.block.size for layer in layers),
        distance=sum(kin[0].squared_distance for _, kin in near) / sum(layer.block.squared_norm for layer, _ in near),
    )


def _distinct(zoo: Zoo, child: str, main: str, others: Mapping[str, int]) -> tuple[dict[str, str], float]:
    """Each source → itself, or the larger one that nothing in ``child`` tells it apart from; and by how much the ones
    that are left are likelier than ``main`` alone. ``others``: the sources beside it, with their numbers of blocks.
    """
    instead, advantage = {main: main}, 0.0
    for source in sorted(others, key=lambda one: (-others[one], one)):
        kept = [one for one in instead if instead[one] == one]
        apart = {one: told_apart(zoo, child, one, source) for one in kept}
        instead[source] = next((one for one in kept if not apart[one]), source)
        advantage += sum(apart[main].values()) if instead[source] == source else 0.0
    return instead, advantage


def _first_of_clan(
    layers: Mapping[str, Layer], clans: Clans, source: str, names: Sequence[str], left_out: Collection[str]
) -> str:
    """Of the clan's members that the blocks ``names`` do not tell apart from ``source`` the one that others' blocks are
    nearest to: the origin, of which the others are fine-tunes and copies.
    """
    able = {one: sum(_loss(layers[name], one, left_out) for name in names) for one in clans.of[source] - {*left_out}}
    alike = [one for one, loss in able.items() if loss >= able[source] - ALIKE]
    return min(alike, key=lambda one: (-clans.popular[one], one != source, one))


def _central(zoo: Zoo, near: Iterable[tuple[Match, Sequence[Match]]]) -> float:
    """See :class:`_Claim`; ½ where there are no third models. ``near``: of each block its source, and its relatives."""
    votes = []
    for source, thirds in near:
        theirs = zoo[source.model][source.block]
        others = [one for one in thirds if one.model != source.model and theirs.knows(one.model)]
        votes += [theirs.distance(one.model) < one.squared_distance for one in others]
    return sum(votes) / len(votes) if votes else 0.5


def _loss(layer: Layer, source: str, left_out: Collection[str]) -> float:
    """Log of a block's likelihood under ``source`` over that under its nearest; 0 where it has no relatives."""
    kin = layer.kin(left_out)
    return log_ratio(layer.block, layer.distance(source), kin[0].squared_distance) if kin else 0.0

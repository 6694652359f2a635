"""Models that were put together from blocks of several others.

A fine-tune's blocks all come from one model, however noise ranks that model's relatives block by block. Two sources are
told apart on the line between them: as squared distances add up along lineage, a block that was taken from one lies at
that end of the line, while a hidden parent, an average, or a model between its parent and its child lies within. A
model with blocks at both ends is a splice.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lineage_graph.kinship import Splice
from lineage_graph.origins import agreement, log_ratio, origins
from lineage_graph.survey import SHORTLIST, Match, Surveyed

LEAST_AGREEMENT = 0.5
"""Probability from which a block counts as another one's relative."""

LEAST_SIZE = 1024
"""Elements from which a block can tell: smaller ones agree by chance, and are left as they are."""

LEAST_LOG_RATIO = 8.0
"""ln of a block's likelihood under one source over that under another from which it is said to be of the one."""

ALIKE = 1.0
"""The same up to which two of one clan fit alike, and the one that more blocks come from is the source."""

NEAR_END = 0.85
"""Position between two sources, 0 at the one, 1 at the other, from which a block is said to lie at that end. Noise
moves a block by about 0.1 where it was tuned as far as its sources are apart."""

NEAR = 0.25
"""Squared distance of a block to its source, over that between two related sources, up to which it can tell them
apart. Where siblings of an absent parent were frozen in different blocks, each lies where the parent is, and a third
sibling, about as far from there as they are in their other blocks, would look like their splice."""

LEAST_CENTRAL = 0.5
"""Share of third models that must be nearer to a splice's sources than to the splice: those that have blocks of one
source in common meet there, so a source that is taken for a hybrid of its own hybrids has nearly none."""

LEAST_CONFIDENCE = 0.5
"""Below it there is no splice."""

SEARCHED = 12
"""Nearest relatives of a model that may explain it as a whole."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """A block with its ``nearest`` match of each model, and its ``relatives``: those that agree, the nearest first."""

    block: Surveyed
    nearest: Mapping[str, Match]
    relatives: Sequence[Match]

    def distance(self, model: str) -> float:
        """To the nearest block of ``model``. One that was not read is as far as a stranger of its own size, or, where
        the nearest ones alone were read, as far as the last of these.
        """
        match = self.nearest.get(model)
        if match is not None:
            return match.squared_distance
        return self.relatives[-1].squared_distance if self.crowded else 2 * self.block.squared_norm

    @property
    def crowded(self) -> bool:
        """Has it so many relatives that others may not have been read?"""
        return len(self.relatives) >= SHORTLIST

    def knows(self, model: str) -> bool:
        """Is the distance to ``model`` more than a bound?"""
        return model in self.nearest or not self.crowded

    def kin(self, left_out: Collection[str]) -> list[Match]:
        """Its relatives among the models that are not left out."""
        return [one for one in self.relatives if one.model not in left_out]


Zoo = Mapping[str, Mapping[str, _Layer]]
"""By model and block, in network order."""


@dataclass(frozen=True, slots=True)
class _Clans:
    """``of``: by model, its whole clan, itself among them. ``popular``: by model, how many blocks of others are nearest
    to one of its.
    """

    of: Mapping[str, set[str]]
    popular: Mapping[str, int]


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
    zoo = _zoo(surveyed)
    clans = _clans(zoo)
    first = _settled(zoo, clans, frozenset())
    # What is put together itself may stand for its sources in any other, so these are asked once more without it.
    found = {one.child: one for one in first} | {
        one.child: one for one in _settled(zoo, clans, frozenset(one.child for one in first))
    }
    return tuple(found[child] for child in sorted(found))


def _settled(zoo: Zoo, clans: _Clans, made: frozenset[str]) -> list[Splice]:
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


def _zoo(surveyed: Mapping[str, Sequence[Surveyed]]) -> Zoo:
    return {
        model: {block.block: _layer(block) for block in layers if block.size >= LEAST_SIZE}
        for model, layers in surveyed.items()
    }


def _layer(block: Surveyed) -> _Layer:
    relatives = [one for one in block.matches if agreement(one) >= LEAST_AGREEMENT]
    return _Layer(block, {one.model: one for one in reversed(block.matches)}, relatives)


def _clans(zoo: Zoo) -> _Clans:
    """Models joined where one explains all of another.

    A parent looks like a hybrid of its fine-tunes where these left different blocks almost as they were. Nothing in the
    distances tells the two apart, so a hybrid of near relatives is mostly taken for one of the family.
    """
    clan = {model: {model} for model in zoo}
    for child, layers in zoo.items():
        kin = {one.model for layer in layers.values() for one in layer.relatives}
        near = sorted(kin, key=lambda model: (sum(layer.distance(model) for layer in layers.values()), model))
        for parent in near[:SEARCHED]:
            if parent not in clan[child] and _explains(zoo, parent, child, near):
                joined = clan[child] | clan[parent]
                clan.update(dict.fromkeys(joined, joined))
    nearest = Counter(
        layer.relatives[0].model for layers in zoo.values() for layer in layers.values() if layer.relatives
    )
    return _Clans(clan, nearest)


def _explains(zoo: Zoo, parent: str, child: str, others: Iterable[str]) -> bool:
    """Do all blocks of ``child`` come from ``parent``, and does none of the parent's others come from a third model?"""
    for layer in zoo[parent].values():
        if layer.relatives and not any(one.model == child for one in layer.relatives):
            return False
    return not any(_apart(zoo, child, parent, other) for other in others if other != parent)


def _apart(zoo: Zoo, child: str, one: str, other: str) -> dict[str, float]:
    """Blocks of ``child`` at the end of ``other``, with the ln of how much likelier it is, if some lie at both ends."""
    at_one = False
    at_other: dict[str, float] = {}
    for name, layer in zoo[child].items():
        near, far = sorted((one, other), key=layer.distance)
        match = layer.nearest.get(near)
        if match is None or agreement(match) < LEAST_AGREEMENT:
            continue
        theirs = zoo[near][match.block]
        between, distance = theirs.distance(far), layer.distance(far)
        advantage = -log_ratio(layer.block, distance, match.squared_distance)
        akin = _akin(zoo, near, far, match.block)
        if layer.knows(far) and theirs.knows(far):
            position = (match.squared_distance + between - distance) / (2 * between) if between > 0 else 0.5
            told = position <= 1 - NEAR_END and (akin is False or match.squared_distance <= NEAR * between)
        else:
            told = akin is False
        if advantage >= LEAST_LOG_RATIO and told:
            at_one = at_one or near == one
            at_other |= {name: advantage} if near == other else {}
    return at_other if at_one else {}


def _akin(zoo: Zoo, one: str, other: str, block: str) -> bool | None:
    """Are two models' blocks of one name relatives, if either was read against the other?"""
    for here, there in ((one, other), (other, one)):
        layer = zoo[here].get(block)
        if layer is not None and layer.knows(there):
            beside = layer.nearest.get(there)
            return beside is not None and agreement(beside) >= LEAST_AGREEMENT
    return None


def _claims(zoo: Zoo, clans: _Clans, clan: Collection[str], made: Collection[str]) -> list[_Claim]:
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


def _put_together(zoo: Zoo, clans: _Clans, child: str, made: Collection[str]) -> _Claim | None:
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
        apart = {one: _apart(zoo, child, one, source) for one in kept}
        instead[source] = next((one for one in kept if not apart[one]), source)
        advantage += sum(apart[main].values()) if instead[source] == source else 0.0
    return instead, advantage


def _first_of_clan(
    layers: Mapping[str, _Layer], clans: _Clans, source: str, names: Sequence[str], left_out: Collection[str]
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


def _loss(layer: _Layer, source: str, left_out: Collection[str]) -> float:
    """Log of a block's likelihood under ``source`` over that under its nearest; 0 where it has no relatives."""
    kin = layer.kin(left_out)
    return log_ratio(layer.block, layer.distance(source), kin[0].squared_distance) if kin else 0.0

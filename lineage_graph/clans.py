"""A zoo by its blocks, and the clans in it: models that one of them explains as a whole.

A fine-tune's blocks all come from one model, however noise ranks that model's relatives block by block. Two sources are
told apart on the line between them: as squared distances add up along lineage, a block that was taken from one lies at
that end of the line, while a hidden parent, an average, or a model between its parent and its child lies within.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lineage_graph.origins import agreement, log_ratio
from lineage_graph.survey import SHORTLIST, Match, Surveyed

LEAST_AGREEMENT = 0.5
"""Probability from which a block counts as another one's relative."""

LEAST_SIZE = 1024
"""Elements from which a block can tell: smaller ones agree by chance, and are left as they are."""

LEAST_LOG_RATIO = 8.0
"""ln of a block's likelihood under one source over that under another from which it is said to be of the one."""

NEAR_END = 0.85
"""Position between two sources, 0 at the one, 1 at the other, from which a block is said to lie at that end. Noise
moves a block by about 0.1 where it was tuned as far as its sources are apart."""

NEAR = 0.25
"""Squared distance of a block to its source, over that between two related sources, up to which it can tell them
apart. Where siblings of an absent parent were frozen in different blocks, each lies where the parent is, and a third
sibling, about as far from there as they are in their other blocks, would look like their splice."""

SEARCHED = 12
"""Nearest relatives of a model that may explain it as a whole."""


@dataclass(frozen=True, slots=True)
class Layer:
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


Zoo = Mapping[str, Mapping[str, Layer]]
"""By model and block, in network order."""


@dataclass(frozen=True, slots=True)
class Clans:
    """``of``: by model, its whole clan, itself among them. ``popular``: by model, how many blocks of others are nearest
    to one of its.
    """

    of: Mapping[str, set[str]]
    popular: Mapping[str, int]


def layered(surveyed: Mapping[str, Sequence[Surveyed]]) -> Zoo:
    """The survey, blocks that are too small to tell left out."""
    return {
        model: {block.block: _layer(block) for block in layers if block.size >= LEAST_SIZE}
        for model, layers in surveyed.items()
    }


def _layer(block: Surveyed) -> Layer:
    relatives = [one for one in block.matches if agreement(one) >= LEAST_AGREEMENT]
    return Layer(block, {one.model: one for one in reversed(block.matches)}, relatives)


def clans_of(zoo: Zoo) -> Clans:
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
    return Clans(clan, nearest)


def _explains(zoo: Zoo, parent: str, child: str, others: Iterable[str]) -> bool:
    """Do all blocks of ``child`` come from ``parent``, and does none of the parent's others come from a third model?"""
    for layer in zoo[parent].values():
        if layer.relatives and not any(one.model == child for one in layer.relatives):
            return False
    return not any(told_apart(zoo, child, parent, other) for other in others if other != parent)


def told_apart(zoo: Zoo, child: str, one: str, other: str) -> dict[str, float]:
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

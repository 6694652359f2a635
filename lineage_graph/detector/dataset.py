"""Questions with answers: a child, its candidates, and which of them is its nearest ancestor, if any.

The answer is the nearest *present* ancestor: where the parent is absent and the grandparent is there, it is the
grandparent, as in the closed sets of "Neural Lineage" (CVPR 2024, Tab. 1). *No parent* is the answer where no ancestor
is there at all: for roots, among strangers, and where all ancestors were taken out and siblings or descendants stayed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lineage_graph.detector.portrait import Portrait
from lineage_graph.detector.zoos import FamilyZoo

SHARES = {"closed": 0.45, "open": 0.35, "absent": 0.2}
"""How often each kind of question is drawn for training."""


@dataclass(frozen=True, slots=True)
class Question:
    """``target``: the ancestor's number among the candidates, or their count for *no parent*."""

    child: Portrait
    candidates: tuple[Portrait, ...]
    target: int


def ask(zoo: FamilyZoo, child: int, candidates: Sequence[int]) -> Question:
    """The question whether ``child`` descends from one of ``candidates``."""
    place = {model: number for number, model in enumerate(candidates)}
    target = next((place[one] for one in zoo.ancestors(child) if one in place), len(candidates))
    return Question(zoo.portraits[child], tuple(zoo.portraits[one] for one in candidates), target)


def closed(zoo: FamilyZoo) -> Iterator[tuple[int, int, Question]]:
    """Tab. 1's questions: (generation of the candidates, of the child, question), candidates all of one generation."""
    for child, young in enumerate(zoo.generations):
        for old in sorted(set(zoo.generations)):
            candidates = _members(zoo, old)
            if old < young and len(candidates) > 1:
                yield old, young, ask(zoo, child, candidates)


def strangers(zoo: FamilyZoo) -> Iterator[Question]:
    """For every model, all models of other families: nobody is its parent."""
    for child in range(len(zoo.parents)):
        others = _others(zoo, child, {"stranger"})
        if others:
            yield ask(zoo, child, others)


def opened(zoo: FamilyZoo) -> Iterator[Question]:
    """For every model with a parent, all others that do not descend from it: which one is the parent?"""
    for child, parent in enumerate(zoo.parents):
        if parent is not None:
            yield ask(zoo, child, _others(zoo, child, {"stranger", "ancestor", "relative"}))


def orphans(zoo: FamilyZoo) -> Iterator[Question]:
    """For every model with a parent, all others but its ancestors and descendants: siblings, and yet no parent."""
    for child, parent in enumerate(zoo.parents):
        others = _others(zoo, child, {"stranger", "relative"})
        if parent is not None and others:
            yield ask(zoo, child, others)


def draw(zoos: Sequence[FamilyZoo], dice: np.random.Generator, most: int) -> Question:
    """One question for training, with at most ``most`` candidates, in random order."""
    while True:
        zoo = zoos[int(dice.integers(len(zoos)))]
        child = int(dice.integers(len(zoo.parents)))
        keep, pool = _pool(zoo, child, str(dice.choice(list(SHARES), p=list(SHARES.values()))), dice)
        count = int(dice.integers(1, most + 1)) - len(keep)
        picked = [*keep, *(pool[int(n)] for n in dice.permutation(len(pool))[: max(0, count)])]
        if 0 < len(picked) <= most:
            return ask(zoo, child, [picked[int(n)] for n in dice.permutation(len(picked))])


def _pool(zoo: FamilyZoo, child: int, kind: str, dice: np.random.Generator) -> tuple[list[int], list[int]]:
    """Candidates that the question must have, and those of which it may have any."""
    ancestors = list(zoo.ancestors(child))
    if kind == "closed" and ancestors:
        keep = ancestors[int(dice.integers(len(ancestors)))]
        return [keep], [one for one in _members(zoo, zoo.generations[keep]) if one != keep]
    if kind == "absent" or not ancestors:
        wanted = {"stranger"} if dice.random() < 0.5 else {"stranger", "relative", "descendant"}
        return [], _others(zoo, child, wanted)
    # Parent and grandparent, or parent and sibling, side by side: chance alone seldom puts them there.
    kept = ancestors[:1] if dice.random() < 0.7 else []
    kept += [one for one in ancestors[1:] if dice.random() < 0.5]
    siblings = [one for one, parent in enumerate(zoo.parents) if parent == ancestors[0] and one != child]
    kept += [siblings[int(dice.integers(len(siblings)))]] if siblings and dice.random() < 0.5 else []
    return kept, [one for one in range(len(zoo.parents)) if one not in (child, *kept)]


def _members(zoo: FamilyZoo, generation: int) -> list[int]:
    return [model for model, number in enumerate(zoo.generations) if number == generation]


def _others(zoo: FamilyZoo, child: int, wanted: set[str]) -> list[int]:
    return [one for one in range(len(zoo.parents)) if one != child and _kinship(zoo, child, one) in wanted]


def _kinship(zoo: FamilyZoo, child: int, other: int) -> str:
    if zoo.root(child) != zoo.root(other):
        return "stranger"
    if other in zoo.ancestors(child):
        return "ancestor"
    return "descendant" if child in zoo.ancestors(other) else "relative"

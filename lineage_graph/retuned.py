"""TIES merges that were trained further: no value recurs in them, but the step that trimming leaves is still there.

Who is a merge already takes no part as a base or a parent; a model that descends from one is held against it, since
the step is inherited with everything else. A glimpse of some matrices says which base is worth reading all for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lineage_graph import cutoff, recurrence, trimmed
from lineage_graph.cutoff import Cut, Samples
from lineage_graph.held import Side
from lineage_graph.recurrence import Trimmed
from lineage_graph.trimmed import LookTask
from lineage_graph.types import CandidatePair, Model

SCHEMA = 1
"""Raise it when what is found changes its meaning."""

MATRICES = 48
GLIMPSED = 8
GLIMPSE = 1 << 13
"""Matrices that are looked at; of these, how many are glimpsed, and elements of each."""

NEAREST = 12
"""Relatives that may be the base or a parent."""

LEAST_GLIMPSED = 1.5
"""Strength of a step from which all matrices are read."""

BASES = 3
"""Bases that this is done for at most, the strongest steps first."""

LIMIT = 7.0
STEEPNESS = 6.0
LEAST_CONFIDENCE = 0.5
"""Strength at which confidence is ½; of the odds, as a power of the strength; what is enough. On 56 grown zoos of all
kinds (seeds 100 to 103) steps of the four tuned merges have 11 to 54, and of 1,292 other models none has more than 5.
"""

OTHERS = 4.0
"""Strength from which a third parent and more is one, where the step is."""

MOST_PARENTS = 6

LEAST_SHARE = 0.1
"""Coefficient of a parent."""

MOST_LEFT = 0.5
"""Residual, as in :class:`~lineage_graph.kinship.Blend`, up to which the child is still that merge. Of tuned merges of
grown zoos (recipe merges, seeds 100 to 103) it is 0.08 to 0.27."""

SAME_PLACE = 0.9
"""Share of the squared distance between two models that is what parents leave unexplained of one, if it was trained
from the other: two merges of their own lie apart by their coefficients, too."""


@dataclass(frozen=True, slots=True)
class RetunedTask:
    """``look``: a child and its relatives; ``merges``: which of these, by index, are merges themselves."""

    look: LookTask
    merges: frozenset[int]


def tasks(models: Sequence[Model], pairs: Sequence[CandidatePair], merges: frozenset[str]) -> Iterator[RetunedTask]:
    """One task for each model that is none of the ``merges``, and has three relatives and more that are none either."""
    for task in trimmed.tasks(models, pairs, MATRICES):
        known = frozenset(place for place, one in enumerate(task.relatives) if one in merges)
        if task.child not in merges and len(task.relatives) - len(known) >= 3:
            yield RetunedTask(task, known)


def look(task: RetunedTask) -> tuple[Trimmed, ...]:
    """Read the samples and look for steps: the one sum of trimmed updates that explains the child, or none.

    Raises :class:`~lineage_graph.errors.ModelError`.
    """
    names = task.look.names
    few = np.unique(np.linspace(0, len(names[0]) - 1, GLIMPSED).astype(int))
    child, *relatives = _samples(task, [tuple(one[i] for i in few) for one in names], GLIMPSE)
    if not child or trimmed.on_a_lattice(np.concatenate(child)):
        return ()
    able = [place for place in range(len(relatives)) if place not in task.merges][:NEAREST]
    hopeful = []
    for base in able:
        cut = _cut(child, relatives, base, able)
        if cut is not None and cut.strength >= LEAST_GLIMPSED:
            hopeful.append((cut.strength, base, cut))
    hopeful.sort(key=lambda one: -one[0])
    found = [_confirmed(task, base, cut) for _, base, cut in hopeful[:BASES]]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: -one.explained)[:1])


def _samples(task: RetunedTask, names: Sequence[tuple[str, ...]], elements: int) -> list[Samples]:
    """Of the child and all relatives, without the matrices that the child has from one of them as a whole."""
    sides = (Side(path, digest) for path, digest in zip(task.look.paths, task.look.digests, strict=True))
    read = [
        [piece[:elements] for piece in trimmed.sample(side, chosen)] for side, chosen in zip(sides, names, strict=True)
    ]
    return list(trimmed.unshared(read))


def _cut(child: Samples, relatives: Sequence[Samples], base: int, able: Sequence[int]) -> Cut | None:
    """The strongest step of two of the ``able`` relatives and more, as updates of the ``base``."""
    seen = {}
    for parent in able:
        if parent != base:
            found = cutoff.steps(child, relatives[base], relatives[parent])
            if found is not None:
                seen[parent] = found
    return cutoff.best(seen) if len(seen) > 1 else None


def _confirmed(task: RetunedTask, base: int, glimpsed: Cut) -> Trimmed | None:
    """The sum, if all matrices show the step, and no relative explains it by having it, too."""
    child, *relatives = _samples(task, task.look.names, trimmed.SAMPLE)
    able = list(glimpsed.z)[:MOST_PARENTS]
    cut = _cut(child, relatives, base, able) if child else None
    confidence = 1 / (1 + (LIMIT / cut.strength) ** STEEPNESS) if cut is not None and cut.strength > 0 else 0.0
    if cut is None or confidence < LEAST_CONFIDENCE:
        return None
    fit = _fitted(child, relatives, base, [parent for parent, z in cut.z.items() if z >= OTHERS], cut.place)
    if fit is None:
        return None
    kept, back = (
        [cutoff.trimmed(origin, relatives[one], cut.place) for one in fit.members[1:]]
        for origin in (relatives[base], child)
    )
    left = cutoff.unexplained(child, relatives[base], kept)
    nearest = min(_squared(child, relatives[one]) for one in fit.members)
    # What was kept whole is missing in the parents' differences from the child, so the base looks like a merge, too.
    if left > min(MOST_LEFT * nearest, cutoff.unexplained(relatives[base], child, back)):
        return None
    others = [place for place in range(len(relatives)) if place not in fit.members]
    if any(_descends(child, relatives, base, kept, left, other, known=other in task.merges) for other in others):
        return None
    return replace(fit, residual=left / nearest, explained=confidence)


def _fitted(
    child: Samples, relatives: Sequence[Samples], base: int, members: Sequence[int], place: int
) -> Trimmed | None:
    """The best sum of the members' trimmed updates, without those that add next to nothing; two at least."""
    if len(members) < 2:
        return None
    columns = np.stack([np.concatenate(cutoff.trimmed(relatives[base], relatives[one], place)) for one in members], 1)
    own, *updates = (
        np.concatenate([p.astype(np.float64) - b for p, b in zip(one, relatives[base], strict=True)])
        for one in (child, *(relatives[member] for member in members))
    )
    matrix = np.repeat(np.arange(len(child)), [piece.size for piece in child])
    fit = recurrence.fitted(own, columns, matrix, np.stack(updates, axis=1))
    enough = [one for one, share in zip(members, fit[0][1:], strict=True) if share >= LEAST_SHARE]
    if len(enough) < len(members):
        return _fitted(child, relatives, base, enough, place)
    return Trimmed((base, *members), *fit, explained=0.0)


def _descends(
    child: Samples,
    relatives: Sequence[Samples],
    base: int,
    kept: Sequence[Sequence[cutoff.Numbers]],
    left: float,
    other: int,
    *,
    known: bool,
) -> bool:
    """Was the child trained from the ``other``, which is a sum of the same updates and lies nearer than what they leave
    of it? Of two that are no merges for certain, the one that the updates explain better comes first.
    """
    if left <= SAME_PLACE * _squared(child, relatives[other]):
        return False
    return known or cutoff.unexplained(relatives[other], relatives[base], kept) < left


def _squared(one: Samples, other: Samples) -> float:
    """Squared distance of two models' samples."""
    return sum(float(np.sum((a.astype(np.float64) - b) ** 2)) for a, b in zip(one, other, strict=True))

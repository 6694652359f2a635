"""TIES merges that were trained further: no value recurs in them, but the step that trimming leaves is still there.

Who is a merge already takes no part as a base or a parent; a model that descends from one is held against it, since
the step is inherited with everything else. Nothing is read for models that stand to their relatives as in a tree, which
sketches tell (see ``sums``); of others a glimpse of some matrices says which base is worth reading all for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lineage_graph import blending, cutoff, recurrence, trimmed
from lineage_graph.cutoff import Cut, Samples
from lineage_graph.held import Side
from lineage_graph.recurrence import Trimmed
from lineage_graph.trimmed import LookTask
from lineage_graph.types import CandidatePair, FloatArray, Model

SCHEMA = 3
"""Raise it when what is found changes its meaning."""

MATRICES = 48
GLIMPSED = 8
GLIMPSE = 1 << 13
"""Matrices that are looked at; of these, how many are glimpsed, and elements of each."""

RELATED = 0.3
"""Cosine of sketches from which two models may be base, parent or child; strangers have 0 ± 0.05."""

NEAREST = 12
"""Relatives that may be the base or a parent."""

MOST_SLACK = 0.9
SKIPS = 3
"""Slack (see :mod:`~lineage_graph.blending`) from which a model is as in a tree; descendants of a merge that may lie
nearer than its parents. It is that of whole updates: of 20 TIES merges, tuned or not, on 56 grown zoos of all kinds
(seeds 100 to 103) 0.64 and less, of sums of independent updates of which a fifth was kept up to 0.82. Of 969 other
models three in four have more than 0.9."""

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

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the checkpoints that are read."""
        return self.look.paths

    @property
    def able(self) -> list[int]:
        """The relatives that may be the base or a parent, by index, the most similar first."""
        return [place for place in range(len(self.look.relatives)) if place not in self.merges][:NEAREST]


def tasks(models: Sequence[Model], pairs: Sequence[CandidatePair], merges: frozenset[str]) -> Iterator[RetunedTask]:
    """One task for each model that is none of the ``merges``, has three relatives and more that are none either, and
    lies between these rather than among them.
    """
    by_id = {model.id: model for model in models}
    related = [pair for pair in pairs if pair.similarity >= RELATED]
    for look in trimmed.tasks(models, related, MATRICES):
        task = RetunedTask(look, frozenset(place for place, one in enumerate(look.relatives) if one in merges))
        if look.child not in merges and len(task.able) >= 3 and _slack(task, by_id) < MOST_SLACK:
            yield task


def _slack(task: RetunedTask, by_id: Mapping[str, Model]) -> float:
    """Of the child among the relatives that may be its base and parents, by the sketches of the sampled matrices."""
    everyone = [by_id[name] for name in (task.look.child, *task.look.relatives)]
    each = [_sketches(model, names) for model, names in zip(everyone, task.look.names, strict=True)]
    # A matrix that is constant in one of the models has no sketch there.
    told = [place for place in range(len(each[0])) if all(one[place].size for one in each)]
    if not told:
        return 1.0
    sketches = [np.concatenate([one[place] for place in told]).astype(np.float64) for one in each]
    apart = np.stack([sketches[1 + place] - sketches[0] for place in task.able])
    nearest = np.argsort(np.sum(apart**2, axis=1), kind="stable")
    return blending.least_slack(apart[nearest] @ apart[nearest].T, SKIPS)


def _sketches(model: Model, names: Sequence[str]) -> list[FloatArray]:
    """Of the model's tensors of these names; empty for those that are no weight matrices."""
    sketches = {tensor.spec.name: tensor.sketch for tensor in model.fingerprint.tensors}
    return [sketches[name] for name in names]


def look(task: RetunedTask) -> tuple[Trimmed, ...]:
    """Read the samples and look for steps: the one sum of trimmed updates that explains the child, or none.

    Raises :class:`~lineage_graph.errors.ModelError`.
    """
    names = task.look.names
    few = np.unique(np.linspace(0, len(names[0]) - 1, GLIMPSED).astype(int))
    seen = _read(task, [tuple(one[i] for i in few) for one in names], GLIMPSE)
    if not seen.child or trimmed.on_a_lattice(np.concatenate(seen.child)):
        return ()
    able = task.able
    cuts = {base: cut for base in able if (cut := seen.cut(base, able)) is not None and cut.strength >= LEAST_GLIMPSED}
    if not cuts:
        return ()
    whole = _read(task, names, trimmed.SAMPLE)
    hopeful = sorted(cuts, key=lambda base: -cuts[base].strength)[:BASES]
    found = [one for base in hopeful if (one := whole.confirmed(base, list(cuts[base].z)[:MOST_PARENTS])) is not None]
    return tuple(sorted(found, key=lambda one: -one.explained)[:1])


def _read(task: RetunedTask, names: Sequence[tuple[str, ...]], elements: int) -> _Family:
    """Samples of the child and all relatives, without the matrices that the child has from one of them as a whole."""
    sides = (Side(path, digest) for path, digest in zip(task.look.paths, task.look.digests, strict=True))
    read = [
        [piece[:elements] for piece in trimmed.sample(side, chosen)] for side, chosen in zip(sides, names, strict=True)
    ]
    child, *relatives = trimmed.unshared(read)
    return _Family(child, relatives, task.merges)


@dataclass(frozen=True, slots=True)
class _Family:
    """What was read of a child and its relatives; bases and parents are indices of these. ``orders``: by two of them,
    the elements by the size of their difference, which is the same from either.
    """

    child: Samples
    relatives: Sequence[Samples]
    merges: frozenset[int]
    orders: dict[tuple[int, int], list[cutoff.Order]] = field(default_factory=dict)

    def cut(self, base: int, able: Sequence[int]) -> Cut | None:
        """The strongest step of two of the ``able`` relatives and more, as updates of the ``base``."""
        seen = {}
        for parent in able:
            if parent != base:
                ends = min(base, parent), max(base, parent)
                if ends not in self.orders:
                    self.orders[ends] = cutoff.by_size(*(self.relatives[end] for end in ends))
                found = cutoff.steps(self.child, self.relatives[base], self.relatives[parent], self.orders[ends])
                if found is not None:
                    seen[parent] = found
        return cutoff.best(seen) if len(seen) > 1 else None

    def confirmed(self, base: int, able: Sequence[int]) -> Trimmed | None:
        """The sum, if the step is clear, and no relative explains it by having it, too."""
        cut = self.cut(base, able) if self.child else None
        confidence = 1 / (1 + (LIMIT / cut.strength) ** STEEPNESS) if cut is not None and cut.strength > 0 else 0.0
        if cut is None or confidence < LEAST_CONFIDENCE:
            return None
        fit = self.fitted(base, [parent for parent, z in cut.z.items() if z >= OTHERS], cut.place)
        if fit is None:
            return None
        kept, back = (
            [cutoff.trimmed(origin, self.relatives[one], cut.place) for one in fit.members[1:]]
            for origin in (self.relatives[base], self.child)
        )
        left = cutoff.unexplained(self.child, self.relatives[base], kept)
        nearest = min(_squared(self.child, self.relatives[one]) for one in fit.members)
        # What was kept whole is missing in the parents' differences from the child: the base looks like a merge, too.
        mirrored = cutoff.unexplained(self.relatives[base], self.child, back)
        if left >= min(MOST_LEFT * nearest, mirrored) or self.descends(base, kept, left, fit.members):
            return None
        return replace(fit, residual=left / nearest, explained=confidence)

    def fitted(self, base: int, members: Sequence[int], place: int) -> Trimmed | None:
        """The best sum of the members' trimmed updates, without those that add next to nothing; two at least."""
        if len(members) < 2:
            return None
        origin = self.relatives[base]
        columns = [np.concatenate(cutoff.trimmed(origin, self.relatives[one], place)) for one in members]
        own, *updates = (
            np.concatenate([p.astype(np.float64) - b for p, b in zip(one, origin, strict=True)])
            for one in (self.child, *(self.relatives[member] for member in members))
        )
        matrix = np.repeat(np.arange(len(self.child)), [piece.size for piece in self.child])
        fit = recurrence.fitted(own, np.stack(columns, axis=1), matrix, np.stack(updates, axis=1))
        enough = [one for one, share in zip(members, fit[0][1:], strict=True) if share >= LEAST_SHARE]
        if len(enough) < len(members):
            return self.fitted(base, enough, place)
        return Trimmed((base, *members), *fit, explained=0.0)

    def descends(
        self, base: int, kept: Sequence[Sequence[cutoff.Numbers]], left: float, members: Sequence[int]
    ) -> bool:
        """Was the child trained from a relative that is a sum of the same updates, and lies nearer than what these
        leave of it? Of two that are no merges for certain, the one that the updates explain better comes first.
        """
        for place, other in enumerate(self.relatives):
            if place in members or left <= SAME_PLACE * _squared(self.child, other):
                continue
            if place in self.merges or cutoff.unexplained(other, self.relatives[base], kept) < left:
                return True
        return False


def _squared(one: Samples, other: Samples) -> float:
    """Squared distance of two models' samples."""
    return sum(float(np.sum((a.astype(np.float64) - b) ** 2)) for a, b in zip(one, other, strict=True))

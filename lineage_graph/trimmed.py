"""Merges that keep only a part of each fine-tune: TIES, and others that drop and add updates element by element.

Trimming hides a merge from sums over whole models, but shows in single weights: where all updates were dropped, the
child has the base's value to the last bit, which no training leaves behind inside a matrix; and where one was kept, the
child's difference from the base is that of one parent, times one number for the whole model. Both are read from a
sample of the weights: a few matrices, of each no more than its first piece.

Values on a coarse lattice (half precision, quantised) coincide by chance, so that nothing is said of them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from lineage_graph import recurrence
from lineage_graph.alignment import align
from lineage_graph.blending import LEAST_COEFFICIENT
from lineage_graph.checkpoints.base import Reader
from lineage_graph.held import Side, opened
from lineage_graph.kinship import Blend
from lineage_graph.recurrence import Trimmed
from lineage_graph.types import CandidatePair, FloatArray, Model

SCHEMA = 1
"""Raise it when a number of :class:`Trimmed` changes its meaning."""

MATRICES = 6
SAMPLE = 1 << 16
"""Matrices that are looked at, and elements of each."""

RELATIVES = 16

KEPT = (0.001, 0.98)
"""Share of weights equal to the base's, inside matrices that are not equal as a whole. Training leaves none."""

BASES = 6
"""Relatives that are tried as the base, those with the most equal weights first."""

DISTINCT = 0.5
"""Share of different values from which weights lie on no lattice."""

HALF_PRECISION = 0x1FFF
"""Bits of a float32 that are zero in every number of half precision."""

LEAST_EXPLAINED = 0.8
"""Share of the changed elements that all parents together explain: 0.99 and more in 66 merges of three grown zoos
(recipes digits and generations, seeds 100 and 101)."""

AS_GOOD = 0.02
"""Of that share, what another base may be worse by and still be considered."""


@dataclass(frozen=True, slots=True)
class LookTask:
    """A child, and the relatives that may be its base and parents. ``digests``: of the child and the relatives, what
    the result depends on besides the code. ``names``: of each, those of the aligned matrices that are sampled.
    """

    child: str
    relatives: tuple[str, ...]
    paths: tuple[str, ...]
    digests: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]


def tasks(models: Sequence[Model], pairs: Sequence[CandidatePair], matrices: int = MATRICES) -> Iterator[LookTask]:
    """One task for each model with at least three relatives among its candidate ``pairs``, the most similar first.

    ``matrices``: that are looked at, at most.
    """
    by_id = {model.id: model for model in models}
    partners: dict[str, list[str]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda one: -one.similarity):
        partners[pair.a].append(pair.b)
        partners[pair.b].append(pair.a)
    for child in models:
        matched = {}
        for other in partners[child.id][:RELATIVES]:
            aligned = align(child.fingerprint, by_id[other].fingerprint).pairs
            matched[other] = {
                a.spec.name: b.spec.name for a, b in aligned if a.is_matrix and a.spec.shape == b.spec.shape
            }
        shared = [name for name in next(iter(matched.values()), {}) if all(name in names for names in matched.values())]
        if len(matched) < 3 or not shared:
            continue
        chosen = [shared[i] for i in np.unique(np.linspace(0, len(shared) - 1, matrices).astype(int))]
        everyone = [child, *(by_id[other] for other in matched)]
        yield LookTask(
            child=child.id,
            relatives=tuple(matched),
            paths=tuple(model.checkpoint.path for model in everyone),
            digests=tuple(model.checkpoint.digest for model in everyone),
            names=(tuple(chosen), *(tuple(names[name] for name in chosen) for names in matched.values())),
        )


def look(task: LookTask) -> tuple[Trimmed, ...]:
    """Read the samples and compare them: what explains the child, the best first, where several bases do as well.

    Raises :class:`~lineage_graph.errors.ModelError`.
    """
    sides = (Side(path, digest) for path, digest in zip(task.paths, task.digests, strict=True))
    child, *relatives = unshared([sample(*one) for one in zip(sides, task.names, strict=True)])
    if not child or on_a_lattice(np.concatenate(child)):
        return ()
    kept = [recurrence.kept(child, relative) for relative in relatives]
    bases = [int(base) for base in np.argsort(kept)[::-1] if KEPT[0] <= kept[base] <= KEPT[1]]
    found = [one for base in bases[:BASES] if (one := recurrence.from_base(child, relatives, base)) is not None]
    found.sort(key=lambda one: -one.explained)
    return tuple(one for one in found if one.explained >= max(LEAST_EXPLAINED, found[0].explained - AS_GOOD))


def settle(found: Sequence[tuple[LookTask, tuple[Trimmed, ...]]]) -> list[Blend]:
    """The merges among all that was found, in the order of the tasks, so that nothing descends from itself.

    Merges of the same parents have weights in common, and could explain one another, or their base. Who explains more
    comes first, and then who needs no other merge for it.
    """
    claims = [(task, way, _parents(task, way)) for task, ways in found for way in ways if _joins_several(way)]
    merges = {task.child for task, _, _ in claims}
    claims.sort(key=lambda claim: (-round(claim[1].explained, 2), len(merges.intersection(claim[2])), claim[2]))
    ancestors: dict[str, set[str]] = {}
    settled: dict[str, Blend] = {}
    for task, way, parents in claims:
        above = set(parents).union(*(ancestors.get(parent, ()) for parent in parents))
        if task.child in settled or task.child in above:
            continue
        settled[task.child] = _blend(task, way)
        ancestors[task.child] = above
        for known in ancestors.values():
            if task.child in known:
                known.update(above)
    return [settled[task.child] for task, _ in found if task.child in settled]


def _joins_several(found: Trimmed) -> bool:
    """Is something of two models or more in the sum? A rounded or pruned copy has equal values, too, of one alone."""
    return sum(coefficient >= LEAST_COEFFICIENT for coefficient in found.coefficients[1:]) >= 2


def _parents(task: LookTask, found: Trimmed) -> tuple[str, ...]:
    return tuple(task.relatives[member] for member in found.members)


def _blend(task: LookTask, found: Trimmed) -> Blend:
    """The record. Chance explains one or two in a hundred elements, so that what is in doubt is only the set."""
    parents = _parents(task, found)
    return Blend(
        child=task.child,
        method="ties",
        parents=parents,
        coefficients=found.coefficients,
        uncertainties=found.uncertainties,
        residual=found.residual,
        confidence=found.explained,
        base=parents[0],
    )


def sample(side: Side, names: Sequence[str]) -> list[FloatArray]:
    """Of each matrix the first elements, shape (``SAMPLE``,) or less."""
    with opened(side) as reader:
        return [_first(reader, name) for name in names]


def _first(reader: Reader, name: str) -> FloatArray:
    piece = next(iter(reader.chunks(name)))
    return np.ascontiguousarray(piece.reshape(-1)[:SAMPLE], dtype=np.float32).copy()


def unshared(samples: Sequence[list[FloatArray]]) -> list[list[FloatArray]]:
    """Without the matrices that the child, which comes first, has from one relative as a whole: a frozen or spliced
    part is inherited, and recurs in every difference.
    """
    child, *relatives = samples
    own = [i for i, piece in enumerate(child) if not any(np.array_equal(piece, other[i]) for other in relatives)]
    return [[pieces[i] for i in own] for pieces in samples]


def on_a_lattice(values: FloatArray) -> bool:
    """Do values coincide by chance?"""
    nonzero = values[values != 0]
    if nonzero.size == 0 or np.unique(nonzero).size < DISTINCT * nonzero.size:
        return True
    return bool(np.mean(nonzero.view(np.uint32) & HALF_PRECISION == 0) > DISTINCT)


def to_bytes(found: tuple[Trimmed, ...]) -> bytes:
    """Serialise as JSON."""
    return json.dumps([astuple(one) for one in found]).encode()


def from_bytes(data: bytes) -> tuple[Trimmed, ...]:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are none."""
    try:
        return tuple(
            Trimmed(tuple(members), tuple(coefficients), tuple(uncertainties), residual, explained)
            for members, coefficients, uncertainties, residual, explained in json.loads(data)
        )
    except TypeError as error:
        raise ValueError(f"no finding: {error}") from error

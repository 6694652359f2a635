"""From leads to measurements: everything that is measured of each pair, and of each model with several parents.

Fans out through the executor, and keeps what it measured in the store; judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from lineage_graph import evidence, retuned, trimmed
from lineage_graph.alignment import Alignment
from lineage_graph.cached import Artefact, Later, Workshop
from lineage_graph.evidence import CompareTask, Weighed
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.held import Side
from lineage_graph.kinship import Blend, Splice, parents
from lineage_graph.store import artefact_key
from lineage_graph.survey import Surveyed
from lineage_graph.types import (
    CandidatePair,
    Detection,
    FeatureComparison,
    Model,
    PairEvidence,
    Rejected,
    TensorComparison,
)

EXACT = 1e-3
"""Residual of a sum up to which nothing else needs to be looked for."""

COMPARISONS = Artefact("comparison", evidence.to_bytes, evidence.from_bytes)
WEIGHED = Artefact("weighed", evidence.weighed_to_bytes, evidence.weighed_from_bytes)


@dataclass(frozen=True, slots=True)
class Examination:
    """``unreadable``: pairs whose weights could not be compared. ``several``: models that are sums or collages of
    others. ``surveyed``: by model, its blocks against those of others.
    """

    models: tuple[Model, ...]
    measured: tuple[PairEvidence, ...]
    unreadable: tuple[Rejected, ...]
    several: tuple[Blend | Splice, ...] = ()
    surveyed: Mapping[str, tuple[Surveyed, ...]] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Number of pairs that were looked at."""
        return len(self.measured) + len(self.unreadable)

    def divided(self, parts: Sequence[Sequence[Model]]) -> list[Examination]:
        """What is about the models of each of the ``parts``, which have nothing to do with one another."""
        number = {model.id: place for place, part in enumerate(parts) for model in part}
        measured: list[list[PairEvidence]] = [[] for _ in parts]
        unreadable: list[list[Rejected]] = [[] for _ in parts]
        several: list[list[Blend | Splice]] = [[] for _ in parts]
        for pair in self.measured:
            measured[number[pair.a]].append(pair)
        for lost in self.unreadable:
            unreadable[number[lost.a]].append(lost)
        for one in self.several:
            several[number[one.child]].append(one)
        return [
            Examination(
                models=tuple(part),
                measured=tuple(measured[place]),
                unreadable=tuple(unreadable[place]),
                several=tuple(several[place]),
                surveyed={model.id: self.surveyed[model.id] for model in part if model.id in self.surveyed},
            )
            for place, part in enumerate(parts)
        ]


def measure(
    models: Sequence[Model],
    pairs: Sequence[CandidatePair],
    shop: Workshop,
    probes: ProbeSettings | None,
    detections: Mapping[tuple[str, str], Detection],
) -> tuple[list[PairEvidence], list[Rejected]]:
    """Compare the weights of each pair, and its features where both have them, and take every signal from that.

    ``detections``: by pair, what the detector said, where it did. Pairs whose weights cannot be read come with the
    reason.
    """
    by_id = {model.id: model for model in models}
    sides = [(by_id[pair.a], by_id[pair.b]) for pair in pairs]
    features = compare_features(sides, shop, probes) if probes is not None else {}
    measured: list[PairEvidence] = []
    unreadable: list[Rejected] = []
    for (a, b), found in zip(sides, _compared(sides, shop), strict=True):
        if isinstance(found, str):
            unreadable.append(Rejected(a.id, b.id, 0.0, 0.0, f"not compared: {found}"))
        else:
            pair = (a.id, b.id)
            measured.append(evidence.gather(a, b, *found, features.get(pair), detections.get(pair)))
    return measured, unreadable


def _compared(
    sides: Sequence[tuple[Model, Model]], shop: Workshop
) -> Iterator[tuple[Weighed, tuple[TensorComparison, ...]] | str]:
    """What the weights of each pair say, with their comparison; or why they could not be compared. Names are aligned
    only where it is not known yet.
    """
    digests = [(a.checkpoint.digest, b.checkpoint.digest) for a, b in sides]
    keys = [evidence.weighed_key(a, b) for a, b in sides]
    known = [_known(a, b, key, shop) for (a, b), key in zip(sides, keys, strict=True)]
    work = [
        (evidence.key(*pair, narrowed=one.narrowed), Later(partial(_plan, a, b, one)))
        for (a, b), pair, one in zip(sides, digests, known, strict=True)
    ]
    outcomes = shop.map_pairs(COMPARISONS, evidence.compare, work, digests)
    for (a, b), key, one, outcome in zip(sides, keys, known, outcomes, strict=True):
        if outcome.value is None:
            yield outcome.message
        elif isinstance(one, Weighed):
            yield one, outcome.value
        else:
            weighed = evidence.weigh(a.fingerprint, b.fingerprint, one, outcome.value)
            shop.keep(WEIGHED, key, weighed)
            yield weighed, outcome.value


def _known(a: Model, b: Model, key: str, shop: Workshop) -> Weighed | Alignment:
    """What is kept of a pair, or how its tensors answer to one another."""
    kept = shop.kept(WEIGHED, key)
    return kept if kept is not None else evidence.align(a.fingerprint, b.fingerprint)


def _plan(a: Model, b: Model, known: Weighed | Alignment) -> CompareTask:
    aligned = known if isinstance(known, Alignment) else evidence.align(a.fingerprint, b.fingerprint)
    return evidence.plan(Side.of(a.checkpoint), Side.of(b.checkpoint), aligned)


def compare_features(
    sides: Sequence[tuple[Model, Model]], shop: Workshop, probes: ProbeSettings
) -> dict[tuple[str, str], FeatureComparison]:
    """The pairwise linearization of the pairs whose sides are one network; a pair that fails has none."""
    from lineage_graph.features import held, pairwise

    alike = [(a, b) for a, b in sides if a.features and b.features and a.features.group == b.features.group != ""]
    work: list[tuple[str | None, pairwise.FeaturePairTask]] = []
    for pair in alike:
        a, b = (held.Side(side.checkpoint.path, side.checkpoint.digest, side.checkpoint.arch) for side in pair)
        named = [(side.digest, side.architecture) for side in (a, b)]
        key = artefact_key("feature-comparison", pairwise.SCHEMA, named, probes.key)
        work.append((key, pairwise.FeaturePairTask(a, b, probes)))
    kept = Artefact("feature-comparison", pairwise.to_bytes, pairwise.from_bytes)
    # Workers hold the networks of their latest pairs.
    ids = [(a.id, b.id) for a, b in alike]
    outcomes = shop.map_pairs(kept, pairwise.compare, work, ids, gpu=probes.on_gpu)
    return {(a.id, b.id): o.value for (a, b), o in zip(alike, outcomes, strict=True) if o.value is not None}


def find_blends(
    models: Sequence[Model], pairs: Sequence[CandidatePair], whole: Sequence[Blend], shop: Workshop
) -> list[Blend]:
    """The models that are weighted sums of others: ``whole`` ones, or with every update trimmed first.

    Of several readings of one model what is exact comes first, then what trimming has left a trace of.
    """
    found = {blend.child: blend for blend in whole if blend.residual <= EXACT}
    tasks = list(trimmed.tasks(models, pairs))
    work = [(artefact_key("trimmed", trimmed.SCHEMA, task.digests, task.names), task) for task in tasks]
    kept = Artefact("trimmed", trimmed.to_bytes, trimmed.from_bytes)
    looked = shop.map_pairs(kept, trimmed.look, work, [(task.child, task.relatives[0]) for task in tasks])
    claims = trimmed.settle([(task, outcome.value or ()) for task, outcome in zip(tasks, looked, strict=True)])
    found = {blend.child: blend for blend in claims} | found
    found = {blend.child: blend for blend in _retuned(models, pairs, shop, frozenset(found))} | found
    found = {blend.child: blend for blend in whole} | found
    return list(found.values())


def _retuned(
    models: Sequence[Model], pairs: Sequence[CandidatePair], shop: Workshop, merges: frozenset[str]
) -> list[Blend]:
    """Those among the others that were merged with trimmed updates, and trained further."""
    tasks = list(retuned.tasks(models, pairs, merges))
    work = [
        (artefact_key("retuned", retuned.SCHEMA, task.look.digests, task.look.names, sorted(task.merges)), task)
        for task in tasks
    ]
    kept = Artefact("retuned", trimmed.to_bytes, trimmed.from_bytes)
    looked = shop.map_pairs(kept, retuned.look, work, [(task.look.child, task.look.relatives[0]) for task in tasks])
    return trimmed.settle([(task.look, outcome.value or ()) for task, outcome in zip(tasks, looked, strict=True)])


def unmeasured(
    several: Sequence[Blend | Splice], models: Sequence[Model], measured: Sequence[PairEvidence]
) -> list[CandidatePair]:
    """The pairs of a child and one of its parents that have not been compared yet."""
    digest = {model.id: model.fingerprint.digest for model in models}
    known = {frozenset((pair.a, pair.b)) for pair in measured}
    pairs = {frozenset((one.child, parent)) for one in several for parent in parents(one)} - known
    ordered = sorted(sorted(pair, key=lambda one: (digest[one], one)) for pair in pairs)
    return [CandidatePair(a, b, 0.0) for a, b in ordered]

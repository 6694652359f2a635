"""Every measured pair → a scored one, with what a pair is judged by that lies in the zoo around it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lineage_graph import adapters, lineage, scoring
from lineage_graph.calibration import Calibration
from lineage_graph.signals import metadata as metadata_signals
from lineage_graph.types import Model, PairEvidence, ScoredPair

MOST_COPIES = 32
"""Files of equal bytes that are all paired with one another."""

STEP = 100
"""Steps in a cosine of 1 that the level of strangers is rounded up to."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the judgement of a part of a zoo takes from the whole: how many pairs were ``tested``, and the ``strangers``
    level by shape signature (see :mod:`lineage_graph.strangers`).
    """

    tested: int
    strangers: Mapping[str, float]

    def of(self, models: Sequence[Model]) -> Surroundings:
        """The same as far as it is about these models."""
        signatures = {model.fingerprint.signature for model in models}
        return Surroundings(self.tested, {one: level for one, level in self.strangers.items() if one in signatures})


def surroundings(tested: int, levels: Mapping[str, float]) -> Surroundings:
    """As a judgement needs them: what makes no difference to it is left out, and the rest is rounded up, so that a
    model more or less in the zoo mostly changes nothing for the others.
    """
    usual = scoring.RelatedSettings()
    doubled = 1 << (max(tested, 1) - 1).bit_length()
    return Surroundings(
        doubled if scoring.luck(doubled, usual) > usual.least_z else 1,
        {one: math.ceil(level * STEP) / STEP for one, level in levels.items() if level > usual.midpoint},
    )


def judge(
    models: Sequence[Model],
    measured: Sequence[PairEvidence],
    metadata: bool,
    calibration: Calibration,
    around: Surroundings,
) -> list[ScoredPair]:
    """Score every measured pair, and what needs no measurement: files with equal bytes, and, where ``metadata`` counts,
    adapters with the bases that they declare.
    """
    by_id = {model.id: model for model in models}
    scored = []
    for pair in [*measured, *_copies(models)]:
        a, b = by_id[pair.a], by_id[pair.b]
        alike = a.fingerprint.signature == b.fingerprint.signature
        scored.append(
            scoring.score(
                pair,
                metadata_signals.measure(a.checkpoint, b.checkpoint) if metadata else {},
                calibration=calibration,
                tested=around.tested,
                strangers=around.strangers.get(a.fingerprint.signature, 0.0) if alike else 0.0,
            )
        )
    if metadata:
        # After the measured pairs, of which there is one with each declared parent: it tells nothing of an adapter.
        scored += [scoring.declared_adapter(pair) for pair in adapters.declared(models)]
    return scored


def _copies(models: Sequence[Model]) -> Iterator[PairEvidence]:
    """Each file with the others of its bytes; of very many, with the first alone."""
    groups: dict[str, list[Model]] = {}
    for model in sorted(models, key=lineage.canonical):
        groups.setdefault(model.fingerprint.digest, []).append(model)
    signals = {"cosine": 1.0, "distance": 0.0, "identical": 1.0}
    for group in groups.values():
        for place, one in enumerate(group if len(group) <= MOST_COPIES else group[:1]):
            for other in group[place + 1 :]:
                yield PairEvidence(one.id, other.id, 1.0, signals)

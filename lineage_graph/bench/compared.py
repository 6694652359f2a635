"""Every candidate parent against every model that may descend from it, each comparison kept in the store.

Most measures see one candidate and one child at a time. The learned detector sees all candidates of a child at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lineage_graph.bench import closed_set
from lineage_graph.bench.closed_set import ScoreTask
from lineage_graph.cached import Artefact, Workshop
from lineage_graph.detector.stage import Seen, answered, portrayed
from lineage_graph.errors import SourceError
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.sources.digest import DigestTask
from lineage_graph.sources.digest import compute as digest
from lineage_graph.store import artefact_key

SCORES = Artefact("closed-set-scores", closed_set.to_bytes, closed_set.from_bytes)

DETECTOR = {"detector": None, "detector, weights": "weights", "detector, features": "representation"}
"""Rows of the learned detector, and what it looks at in each."""

Compared = Mapping[tuple[str, str], Mapping[str, float]]
"""By candidate and child: the score of each measure, the higher the more alike."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``files``: weights by model; ``side``: pixels of the probes."""

    files: Mapping[str, str]
    architecture: str
    probes: ProbeSettings
    side: int


def compare(sets: Sequence[tuple[Sequence[str], Sequence[str]]], models: Comparison, shop: Workshop) -> Compared:
    """Each of the ``sets``: candidates, and the children that are compared with every one of them.

    Raises :class:`SourceError` that names a candidate which could not be compared.
    """
    files = models.files
    names = {name for candidates, children in sets for name in (*candidates, *children)}
    digests = {name: file_digest(files[name]) for name in names}
    asked = [(candidate, children) for candidates, children in sets for candidate in candidates]
    work = []
    for candidate, children in asked:
        task = ScoreTask(
            files[candidate], tuple(files[child] for child in children), models.architecture, models.probes, models.side
        )
        content = [digests[name] for name in (candidate, *children)]
        work.append((artefact_key(SCORES.kind, closed_set.SCHEMA, models.probes.key, models.side, content), task))
    found: dict[tuple[str, str], dict[str, float]] = {}
    for (candidate, children), outcome in zip(asked, shop.map(SCORES, closed_set.measure, work), strict=True):
        if outcome.value is None:
            raise SourceError(f"{candidate} was not compared: {outcome.error}: {outcome.message}")
        for number, child in enumerate(children):
            found[candidate, child] = {name: values[number] for name, values in outcome.value.items()}
    seen = [Seen(name, digest, models.files[name], models.architecture) for name, digest in digests.items()]
    keys = portrayed(seen, shop, ProbeSettings())
    for name, mode in DETECTOR.items():
        for pair, probability in _detected(sets, keys, shop, mode).items():
            found[pair][name] = probability
    return found


def _detected(
    sets: Sequence[tuple[Sequence[str], Sequence[str]]],
    keys: Mapping[str, str],
    shop: Workshop,
    mode: str | None,
) -> dict[tuple[str, str], float]:
    """The detector's probability for each candidate and child; 0 for all candidates of one on which it abstains,
    so that the pick is chance's.
    """
    found: dict[tuple[str, str], float] = {}
    for candidates, children in sets:
        found |= dict.fromkeys(itertools.product(candidates, children), 0.0)
        found |= answered(dict.fromkeys(children, candidates), keys, shop, mode)
    return found


def file_digest(file: str) -> str:
    """What the content of a weights file goes by in keys."""
    return digest(DigestTask((file,), str(Path(file).parent)))

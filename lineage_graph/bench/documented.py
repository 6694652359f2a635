"""The detector on published checkpoints whose lineage is known: each child against the models that may be its parent.

The checkpoints lie in a folder beside the repository, or where :data:`VARIABLE` says; they are no part of it. Nothing
is fitted on them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lineage_graph import manifest
from lineage_graph.bench import nearest
from lineage_graph.bench.compared import file_digest
from lineage_graph.cached import Workshop
from lineage_graph.detector import portrait
from lineage_graph.detector.portrait import Portrait
from lineage_graph.detector.score import answer, load
from lineage_graph.detector.stage import Seen, portrayed
from lineage_graph.detector.zoos import PORTRAITS
from lineage_graph.evaluate import Truth, load_truth
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.manifest import PathEntry
from lineage_graph.sources.local import locate

VARIABLE = "LGRAPH_WILD"
DEFAULT = Path("..", "shared", "wild")
"""A folder with a folder for each family: the files, ``manifest.yaml`` and ``<family>.truth.yaml``."""

OUTCOMES = ("right", "wrong", "open", "abstained")
"""``open``: the pick is related to the child in a direction that nobody knows."""
DOUBTED = {"right": "right in doubt", "wrong": "wrong in doubt"}
"""Of these, how many picks are less likely than *no parent*."""


@dataclass(frozen=True, slots=True)
class Reply:
    """``scores`` (candidates,), the highest is the pick; ``none``: that of *no parent*."""

    scores: npt.NDArray[np.floating]
    none: float = -np.inf


Method = Callable[[Portrait, Sequence[Portrait]], Reply | None]
"""(child, candidates) → a reply; ``None`` where nothing can be said."""


@dataclass(frozen=True, slots=True)
class Case:
    """A child, its true ``parents`` and its ``candidates``: all other models of the family but its descendants."""

    child: str
    parents: frozenset[str]
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """``counts``: by method, how often each of :data:`OUTCOMES` and of :data:`DOUBTED` came out. ``candidates``: of a
    child, on average. ``chance``: share of right picks by chance. ``networks``: models of which features could be
    computed.
    """

    name: str
    children: int
    candidates: float
    chance: float
    networks: int
    counts: Mapping[str, Mapping[str, int]]


def folder() -> Path:
    """Where the checkpoints should be."""
    return Path(os.environ.get(VARIABLE) or DEFAULT)


def measure(root: Path, shop: Workshop) -> list[Family]:
    """Every family that has edges, by name."""
    paths = sorted(root.glob("*/*.truth.yaml"))
    truths = [(path.parent, load_truth(path)) for path in paths]
    return [_family(place, truth, shop) for place, truth in truths if truth.edges]


def _family(place: Path, truth: Truth, shop: Workshop) -> Family:
    entries = [one for one in manifest.load(place / "manifest.yaml").entries if isinstance(one, PathEntry)]
    models = [
        Seen(model.id, file_digest(str(model.path)), str(model.path), model.arch)
        for entry in entries
        for model in locate(entry, place.absolute())
    ]
    keys = portrayed(models, shop, ProbeSettings())
    kept = {name: shop.store.get(PORTRAITS.kind, key) for name, key in keys.items()}
    portraits = {name: portrait.from_bytes(data) for name, data in kept.items() if data is not None}
    asked = list(cases(truth, [model.id for model in models]))
    networks = sum(bool(one.features) for one in portraits.values())
    return Family(
        name=place.name,
        children=len(asked),
        candidates=float(np.mean([len(one.candidates) for one in asked])),
        chance=float(np.mean([len(one.parents) / len(one.candidates) for one in asked])),
        networks=networks,
        counts={
            name: Counter(found for one in asked for found in outcome(one, portraits, method, truth))
            for name, method in _methods(networks).items()
        },
    )


def cases(truth: Truth, models: Sequence[str]) -> Iterator[Case]:
    """One for every child of the truth."""
    for child in sorted({child for _, child in truth.edges}):
        below = _descendants(truth, child)
        candidates = tuple(one for one in models if one != child and one not in below)
        yield Case(child, frozenset(a for a, b in truth.edges if b == child), candidates)


def _descendants(truth: Truth, model: str) -> set[str]:
    found: set[str] = set()
    waiting = [model]
    while waiting:
        parent = waiting.pop()
        children = {b for a, b in truth.edges if a == parent} - found
        found |= children
        waiting += children
    return found


def outcome(case: Case, portraits: Mapping[str, Portrait], method: Method, truth: Truth) -> Iterator[str]:
    """One of :data:`OUTCOMES`, and what of :data:`DOUBTED` goes with it.

    A model that could not be read gives no answer, and is nobody's pick.
    """
    there = [one for one in case.candidates if one in portraits]
    reply = method(portraits[case.child], [portraits[one] for one in there]) if case.child in portraits else None
    if reply is None:
        yield "abstained"
        return
    best = int(np.argmax(reply.scores))
    found = _judged(there[best], case, truth)
    yield found
    if found in DOUBTED and reply.none > reply.scores[best]:
        yield DOUBTED[found]


def _judged(pick: str, case: Case, truth: Truth) -> str:
    if pick in case.parents:
        return "right"
    return "open" if frozenset((pick, case.child)) in truth.related else "wrong"


def _methods(networks: int) -> Mapping[str, Method]:
    methods: dict[str, Method] = {nearest.NAME: _nearest, "detector, weights": _by_weights}
    if networks > 1:
        methods["detector"] = _by_both
    return methods


def _nearest(child: Portrait, candidates: Sequence[Portrait]) -> Reply | None:
    found = nearest.distances(child, candidates)
    return Reply(-found) if np.isfinite(found).any() else None


def _by_weights(child: Portrait, candidates: Sequence[Portrait]) -> Reply | None:
    return _asked(child, candidates, "weights")


def _by_both(child: Portrait, candidates: Sequence[Portrait]) -> Reply | None:
    return _asked(child, candidates, "both")


def _asked(child: Portrait, candidates: Sequence[Portrait], mode: str) -> Reply | None:
    given = answer(load(), child, candidates, mode)
    return None if given.abstained else Reply(given.probabilities, given.none)

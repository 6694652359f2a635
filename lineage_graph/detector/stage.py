"""The detector in a build: which of the relatives proposed with a model is its nearest ancestor?"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from lineage_graph.cached import Artefact, Workshop
from lineage_graph.detector import images, portrait
from lineage_graph.detector.portrait import Portrait, PortraitTask
from lineage_graph.detector.score import SHIPPED, Answer, answer, load
from lineage_graph.detector.zoos import PORTRAITS
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.store import Store, artefact_key
from lineage_graph.types import CandidatePair, Detection, Model

LEAST_SIMILARITY = 0.25
"""Cosine of sketches from which a candidate takes part. Strangers' are 0 with a standard deviation of 0.044: none of
them takes part, so that one more stranger in the zoo changes no answer."""


@dataclass(frozen=True, slots=True)
class QuestionTask:
    """Keys of the portraits in the store under ``root``: of the child, and of its candidates. ``mode``: what is looked
    at, as in :func:`~lineage_graph.detector.score.answer`.
    """

    root: str
    child: str
    candidates: tuple[str, ...]
    mode: str | None = None


def ask(task: QuestionTask) -> Answer:
    """The shipped detector's answer. Raises ``ValueError`` where a portrait is gone from the store."""
    return answer(load(), _kept(task.root, task.child), [_kept(task.root, key) for key in task.candidates], task.mode)


@lru_cache(maxsize=1024)
def _kept(root: str, key: str) -> Portrait:
    data = Store(Path(root)).get(PORTRAITS.kind, key)
    if data is None:
        raise ValueError(f"there is no portrait {key} in the store")
    return portrait.from_bytes(data)


def detect(
    models: Sequence[Model], pairs: Sequence[CandidatePair], shop: Workshop, probes: ProbeSettings | None
) -> dict[tuple[str, str], Detection]:
    """By pair (a, b), what the detector says of it; a pair of which it can say nothing, or abstains, is absent.

    ``probes``: ``None`` where weights are all that counts.
    """
    partners: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        if pair.similarity >= LEAST_SIMILARITY:
            partners[pair.a].append(pair.b)
            partners[pair.b].append(pair.a)
    seen = [
        Seen(one.id, one.checkpoint.digest, one.checkpoint.path, one.checkpoint.arch)
        for one in models
        if one.id in partners
    ]
    keys = portrayed(seen, shop, probes)
    answers = answered(partners, keys, shop)
    return {
        (pair.a, pair.b): Detection(forward=answers[pair.a, pair.b], backward=answers[pair.b, pair.a])
        for pair in pairs
        if (pair.a, pair.b) in answers and (pair.b, pair.a) in answers
    }


@dataclass(frozen=True, slots=True)
class Seen:
    """A model to portray. ``architecture``: the timm name that the manifest gives, if any."""

    id: str
    digest: str
    path: str
    architecture: str | None


def portrayed(models: Sequence[Seen], shop: Workshop, probes: ProbeSettings | None) -> dict[str, str]:
    """By id, the key of the model's portrait in the store; without those that give none."""
    timm = importlib.metadata.version("timm")  # its registry decides for which models there is a network
    probes = probes and replace(probes, device="cpu")  # a pass or two of each model: no work for a GPU
    work = []
    for model in models:
        named = artefact_key(timm, model.digest, model.architecture)
        work.append((portrait.key(named, probes), PortraitTask(model.path, model.architecture, probes)))
    outcomes = shop.map(PORTRAITS, portrait.compute, work)
    return {m.id: key for m, (key, _), outcome in zip(models, work, outcomes, strict=True) if outcome.value is not None}


def answered(
    questions: Mapping[str, Sequence[str]], keys: Mapping[str, str], shop: Workshop, mode: str | None = None
) -> dict[tuple[str, str], float]:
    """(candidate, child) → the probability that it is the child's nearest ancestor among the child's candidates.

    ``questions``: child → candidates. ``keys``: as :func:`portrayed` gives them; models without one take no part.
    Children about which the detector abstains are absent.
    """
    detector = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    # Candidates in an order of their own: names and the order of the zoo change no bit of an answer.
    asked = {
        child: sorted((other for other in others if other in keys), key=keys.__getitem__)
        for child, others in questions.items()
        if child in keys
    }
    asked = {child: others for child, others in asked.items() if others}
    work = []
    for child, others in asked.items():
        task = QuestionTask(str(shop.store.root), keys[child], tuple(keys[other] for other in others), mode)
        work.append((artefact_key("answer", detector, images.SCHEMA, task.child, task.candidates, mode), task))
    outcomes = shop.map(Artefact("answer", to_bytes, from_bytes), ask, work)
    return {
        (other, child): float(probability)
        for (child, others), outcome in zip(asked.items(), outcomes, strict=True)
        if outcome.value is not None and not outcome.value.abstained
        for other, probability in zip(others, outcome.value.probabilities, strict=True)
    }


def to_bytes(found: Answer) -> bytes:
    """Serialise as JSON."""
    return json.dumps([[float(p) for p in found.probabilities], found.none, found.abstained]).encode()


def from_bytes(data: bytes) -> Answer:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are none."""
    try:
        probabilities, none, abstained = json.loads(data)
        return Answer(np.array(probabilities, dtype=np.float32), none, abstained)
    except TypeError as error:
        raise ValueError(f"no answer: {error}") from error

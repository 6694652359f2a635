"""Where does one checkpoint come from, against a zoo that was built already?

The zoo's index names the few models that could be relatives. These, their families and the one model are then examined
and judged as a build would, from weights where the pair is new and from the store where it was measured before: a build
of a small part of the zoo that is not kept.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lineage_graph import (
    build,
    conclusion,
    declared,
    examination,
    index,
    judgement,
    leads,
    lookup,
    recognition,
    strangers,
)
from lineage_graph.build import BuildSettings
from lineage_graph.cached import Workshop
from lineage_graph.calibration import shipped
from lineage_graph.checkpoints import weight_files
from lineage_graph.errors import LineageGraphError, ModelError
from lineage_graph.executors import make_executor
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.index import Index, Rows
from lineage_graph.joining import joined
from lineage_graph.manifest import HubEntry, PathEntry
from lineage_graph.render.node_link import Families
from lineage_graph.sources import digest
from lineage_graph.store import Store
from lineage_graph.traced import Gone, Trace
from lineage_graph.types import CandidatePair, Checkpoint, LineageGraph, Model, Progress, silent
from lineage_graph.zoo import DIGESTS, Stopwatch, read_zoo

CHANGED = "its weights have changed since the zoo was built"

NEAR = 1e-3
"""Probability of a relation from which a candidate's family is looked at, too: it may bear on the place in it."""


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """``add``: put the model into the zoo. ``jobs``, ``cache``: as in a build."""

    add: bool = False
    jobs: int = 0
    cache: Path | None = None


def place(
    path: Path, name: str, folder: Path, families: Families, settings: TraceSettings, progress: Progress = silent
) -> Trace:
    """Where the checkpoint at ``path`` belongs in the zoo that was built into ``folder``. ``name``: its id, a new one;
    ``families``: those of the graph in that folder. Nothing is written there but with ``settings.add``.

    Raises :class:`~lineage_graph.errors.ModelError` (the checkpoint cannot be used), ``IndexFileError`` and, with
    ``settings.add``, what :func:`add` raises.
    """
    cache = settings.cache or build.default_cache()
    with Index(folder) as kept, make_executor(settings.jobs) as executor:
        shop = Workshop(executor, Store(cache), progress)
        past, probes = build.remembered(kept.about, folder)
        model = read(path, name, probes, cache, shop)
        found = trace(model, kept, families, shop, past, probes)
        if settings.add:
            add(model, found, kept, families, shop, past, probes, folder)
    return found


def read(path: Path, name: str, probes: ProbeSettings | None, cache: Path, shop: Workshop) -> Model:
    """The one model, fingerprinted as a build does. ``path``: where it lies, or, where nothing does, the id of a model
    on the Hub. ``name``: its id here.

    Raises :class:`~lineage_graph.errors.ModelError`, and ``ManifestError`` where there is nothing.
    """
    entry = PathEntry(path=str(path.absolute()), id=name) if path.exists() else HubEntry(hub=path.as_posix(), id=name)
    zoo = read_zoo([entry], path.absolute().parent, cache, shop, Stopwatch(), probes, full=True)
    for failure in zoo.failures:
        raise ModelError(f"{failure.error}: {failure.message}")
    return zoo.models[0]


def trace(
    model: Model,
    kept: Index,
    families: Families,
    shop: Workshop,
    settings: BuildSettings,
    probes: ProbeSettings | None,
) -> Trace:
    """Place ``model``, whose id must be new, in the zoo that ``kept`` and ``families`` were built of.

    ``settings``, ``probes``: those of that build. Raises :class:`~lineage_graph.errors.IndexFileError`.
    """
    model = _resolved([model], kept)[0]
    rows = comparable(kept, model)
    looked_at = sorted({*lookup.worth(kept, model, rows), *kept.rows(model.checkpoint.declared_parents)})
    around = _resolved([*kept.models(looked_at), model], kept)
    copies = [one for one in around if one.fingerprint.digest == model.fingerprint.digest and one.id != model.id]
    stale = _changed(copies, shop)
    around = [one for one in around if one.id not in stale]
    known = {one.id: one for one in around}
    pairs = leads.propose(around, settings.metadata)
    same = {one.id for one in around if one.fingerprint.digest == model.fingerprint.digest}
    own = [pair for pair in pairs if same & {pair.a, pair.b}]
    partners = {one for pair in own for one in (pair.a, pair.b)} - same
    lost = _lost([known[name] for name in sorted(partners)], shop)
    usable = [pair for pair in own if not lost.keys() & {pair.a, pair.b}]
    usable = recognition.worth_comparing(around, usable, shop)
    tested = int(kept.about["pairs"]) + len(usable)
    whole = judgement.surroundings(tested, _strangers(kept, rows, around, [model]))
    measured, _ = examination.measure(around, usable, shop, probes, {})
    first = judgement.judge(around, measured, settings.metadata, shipped(), whole)
    akin = {one for pair in first if pair.confidence >= NEAR for one in (pair.a, pair.b) if same & {pair.a, pair.b}}
    chosen = _families(families, (akin | same) - {model.id}) | partners | same
    part = _part(kept, known, chosen)
    changed = _changed([one for one in part if one.id != model.id], shop)
    chosen -= changed
    part = [one for one in part if one.id not in changed]
    if len(looked_at) < len(rows):
        pairs = leads.propose(part, settings.metadata)
        whole = judgement.surroundings(tested, _strangers(kept, rows, around, part))
    others = [pair for pair in pairs if not same & {pair.a, pair.b} and {pair.a, pair.b} <= chosen]
    worth = leads.follow(part, [*usable, *recognition.worth_comparing(part, others, shop)])
    seen = build.look(part, worth, shop, Stopwatch(), probes, settings)
    graph = joined(families.name, part, [conclusion.drawn(seen, settings.metadata, shipped(), whole)], ())
    scored = judgement.judge(part, seen.measured, settings.metadata, shipped(), whole)
    sampled = _sampled(kept)
    mine = [pair for pair in scored if model.id in (pair.a, pair.b)]
    return Trace(
        model=model.id,
        digest=model.fingerprint.digest,
        lineage=graph,
        compared=tuple(sorted(mine, key=lambda pair: (-pair.confidence, pair.a, pair.b))),
        gone=tuple(_gone(own, lost)),
        zoo=len(kept),
        unlike=len(kept) - len(np.union1d(rows, sampled)),
        failed=len(families.failures),
        sampled=len(sampled),
    )


def _part(kept: Index, known: Mapping[str, Model], chosen: Set[str]) -> list[Model]:
    """The chosen models, in the order of a build; those that are not ``known`` come from the index."""
    beyond = kept.models(kept.rows(chosen - known.keys()))
    return sorted([*(known[name] for name in chosen & known.keys()), *beyond], key=index.order)


def _gone(own: Sequence[CandidatePair], lost: Mapping[str, str]) -> Iterator[Gone]:
    for pair in own:
        for one in (pair.a, pair.b):
            if one in lost:
                yield Gone(one, lost[one], pair.similarity)


def _resolved(models: Sequence[Model], kept: Index) -> list[Model]:
    """The models with their claims read as of the whole zoo, of which only names are needed."""
    if not any(model.checkpoint.claims for model in models):
        return list(models)
    here = {model.id for model in models}
    names = zip(kept.column("id"), kept.column("source"), strict=True)
    others = [Model(Checkpoint(name, "", "", source), models[0].fingerprint) for name, source in names]
    return declared.resolve([*models, *(one for one in others if one.id not in here)])[: len(models)]


def comparable(kept: Index, model: Model) -> Rows:
    """The rows of all models that an index of candidates could propose with ``model``, whole signatures at a time: they
    share the size of a matrix, have as many matrices, or are declared as its parents.
    """
    layouts, codes = kept.layouts()
    own = _sizes([tensor.spec.shape for tensor in model.fingerprint.tensors])
    near = [
        code
        for code, specs in enumerate(layouts)
        if (sizes := _sizes([spec.shape for spec in specs])) and (len(sizes) == len(own) or set(sizes) & set(own))
    ]
    signatures = kept.codes("signature")
    wanted = np.isin(signatures, signatures[np.isin(codes, near)])
    wanted[kept.rows(model.checkpoint.declared_parents)] = True
    return np.flatnonzero(wanted)


def _sampled(kept: Index) -> Rows:
    """The rows of models whose weights were not fetched."""
    layouts, codes = kept.layouts()
    return np.flatnonzero(np.isin(codes, [code for code, specs in enumerate(layouts) if not specs]))


def _strangers(kept: Index, rows: Rows, around: Sequence[Model], judged: Sequence[Model]) -> Mapping[str, float]:
    """The level of strangers by signature, from all of the ``rows``: where not all are decoded, those of the ``judged``
    models, and so many that the new one makes no difference.
    """
    if len(around) > len(rows):
        return strangers.levels(around)
    signatures, found = kept.codes("signature"), {}
    wanted = {one.fingerprint.signature for one in judged}
    near = kept.rows([one.id for one in [*around, *judged] if one.fingerprint.signature in wanted])
    for code in np.unique(signatures[near]):
        members = np.flatnonzero(signatures == code)
        sketches = kept.vectors(members[list(strangers.looked_at(len(members)))])
        level = strangers.level_of(sketches[sketches.any(axis=1)])
        if level is not None:
            found[kept.text("signature", int(members[0]))] = level
    return found


def _sizes(shapes: Sequence[tuple[int, ...]]) -> list[int]:
    return [math.prod(shape) for shape in shapes if len(shape) >= 2]


def _families(known: Families, models: Collection[str]) -> set[str]:
    """Everyone in the families of these models."""
    numbers = {known.families[one] for one in models if one in known.families}
    return {one for one, family in known.families.items() if family in numbers}


def _lost(models: Sequence[Model], shop: Workshop) -> dict[str, str]:
    """Those whose weights are not what they were when the zoo was built, and why."""
    found: dict[str, str] = {}
    work, left = [], []
    for model in models:
        path = Path(model.checkpoint.path)
        try:
            root = path if path.is_dir() else path.parent
            task = digest.DigestTask(tuple(str(file) for file in weight_files(path)), str(root))
            work.append((digest.memo_key(task), task))
            left.append(model)
        except ModelError as error:
            found[model.id] = str(error).replace(str(path), model.id)
    for model, outcome in zip(left, shop.map(DIGESTS, digest.compute, work), strict=True):
        if outcome.value is None:
            found[model.id] = outcome.message.replace(model.checkpoint.path, model.id)
        elif outcome.value != model.checkpoint.digest:
            found[model.id] = CHANGED
    return found


def _changed(models: Sequence[Model], shop: Workshop) -> frozenset[str]:
    """Those that hold other weights now: what was read of them would be kept as if it were of the old ones."""
    return frozenset(name for name, reason in _lost(models, shop).items() if reason == CHANGED)


def add(
    model: Model,
    found: Trace,
    kept: Index,
    families: Families,
    shop: Workshop,
    settings: BuildSettings,
    probes: ProbeSettings | None,
    folder: Path,
) -> LineageGraph:
    """Write the zoo's outputs anew, with ``model`` in it: what a build gives whose manifest had it from the start.

    Raises :class:`~lineage_graph.errors.LineageGraphError` where a candidate's weights are gone or any model's have
    changed, and ``OutputError``.
    """
    if found.gone:
        raise LineageGraphError(
            f"{found.gone[0].id}: {found.gone[0].reason}: nothing was added; bring the zoo in order and build it again"
        )
    others = kept.models()
    for one in sorted(_changed(others, shop)):
        raise LineageGraphError(f"{one}: {CHANGED}: nothing was added; build it again")
    models = [*others, model]
    graph, _, _ = build.assemble(families.name, models, families.failures, folder, shop, Stopwatch(), probes, settings)
    return graph

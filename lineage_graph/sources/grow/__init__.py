"""A small zoo that is trained here, on data that a package ships; its truth is known."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import yaml

from lineage_graph.errors import ManifestError, MissingExtraError, SourceError
from lineage_graph.executors import Executor
from lineage_graph.sources.base import LocatedModel
from lineage_graph.sources.grow.digits import Training
from lineage_graph.sources.grow.plan import ModelPlan, truth
from lineage_graph.sources.grow.recipes import RECIPES, Recipe
from lineage_graph.store import artefact_key, write_atomic
from lineage_graph.types import Progress, silent


@dataclass(frozen=True, slots=True)
class GrownZoo:
    """``models`` in the order of their names, which says nothing; ``truth``: the truth file beside them."""

    models: tuple[LocatedModel, ...]
    truth: Path


def grow(recipe: str, models: int, seed: int, cache: Path, executor: Executor, progress: Progress = silent) -> GrownZoo:
    """Train the zoo, or what is missing of it, under ``cache/grown``.

    Each file appears when it is complete: a run that is killed loses the models under training and the few that wait
    for one before them; the next run goes on, to the same bytes. Raises :class:`ManifestError` (unknown recipe,
    impossible number of models), :class:`MissingExtraError`, :class:`SourceError` (a training failed) and
    ``OutputError``.
    """
    if recipe not in RECIPES:
        raise ManifestError(f"grow: recipe: there is no {recipe!r}; the recipes are: {', '.join(RECIPES)}")
    chosen = RECIPES[recipe]
    plans = chosen.plan(models, seed)
    folder = cache / "grown" / _key(recipe, models, seed)
    prefix = f"{recipe}-{seed}"
    truth_file = folder / "truth.yaml"
    if not truth_file.exists():
        write_atomic(
            truth_file, yaml.safe_dump(truth(plans, prefix), sort_keys=False, default_flow_style=None).encode()
        )
    for done in _train_missing(chosen, plans, folder, executor):
        progress("grow", done, len(plans))
    located = [
        LocatedModel(
            id=f"{prefix}/{plan.name}",
            path=_path(folder, plan.name).absolute(),
            source=f"grow:{recipe}",
            arch=plan.architecture,
        )
        for plan in sorted(plans, key=lambda plan: plan.name)
    ]
    return GrownZoo(tuple(located), truth_file)


def _key(recipe: str, models: int, seed: int) -> str:
    """Everything that the bytes depend on; that includes the libraries which initialise and train."""
    versions = [importlib.metadata.version(package) for package in ("torch", "timm")]
    return artefact_key("grown", recipe, RECIPES[recipe].schema, models, seed, versions)


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"


def _train_missing(recipe: Recipe, plans: Sequence[ModelPlan], folder: Path, executor: Executor) -> Iterator[int]:
    """Train generation after generation; yields the number of models that are there, whenever it grows."""
    done = sum(_path(folder, plan.name).exists() for plan in plans)
    yield done
    if done < len(plans) and importlib.util.find_spec(recipe.needs) is None:
        raise MissingExtraError(f"grow: this recipe needs {recipe.needs}; run: pip install 'lgraph[{recipe.extra}]'")
    for _, generation in groupby(plans, key=lambda plan: plan.generation):
        missing = [
            Training(plan, None if plan.parent is None else str(_path(folder, plan.parent)))
            for plan in generation
            if not _path(folder, plan.name).exists()
        ]
        for training, outcome in zip(missing, executor.map(recipe.train, missing), strict=True):
            if outcome.value is None:
                raise SourceError(f"grow: {training.plan.name} failed: {outcome.error}: {outcome.message}")
            write_atomic(_path(folder, training.plan.name), outcome.value)
            done += 1
            yield done

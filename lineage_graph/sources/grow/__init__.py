"""A small zoo that is trained here, on data that a package ships; its truth is known."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lineage_graph.errors import ManifestError, MissingExtraError, SourceError
from lineage_graph.executors import Executor
from lineage_graph.sources.base import LocatedModel
from lineage_graph.sources.grow.derivation import Derivation
from lineage_graph.sources.grow.plan import ModelPlan
from lineage_graph.sources.grow.recipes import RECIPES, Recipe
from lineage_graph.store import artefact_key, write_atomic
from lineage_graph.types import Progress, silent

AnyPlan = ModelPlan | Derivation


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
        truth = chosen.truth(plans, prefix)
        write_atomic(truth_file, yaml.safe_dump(truth, sort_keys=False, default_flow_style=None).encode())
    for done in _make_missing(chosen, plans, folder, executor):
        progress("grow", done, len(plans))
    located = [
        LocatedModel(
            id=f"{prefix}/{plan.name}",
            path=_place(folder / plan.path, plan).absolute(),
            source=f"grow:{recipe}",
            arch=plan.timm,
        )
        for plan in sorted(plans, key=lambda plan: plan.name)
        if not plan.hidden
    ]
    return GrownZoo(tuple(located), truth_file)


def _place(file: Path, plan: AnyPlan) -> Path:
    """What is the model on disk: the file, or the folder that holds it and a config."""
    return file.parent if plan.config else file


def _key(recipe: str, models: int, seed: int) -> str:
    """Everything that the bytes depend on; that includes the libraries which initialise and train."""
    versions = [importlib.metadata.version(package) for package in ("torch", "timm")]
    return artefact_key("grown", recipe, RECIPES[recipe].schema, models, seed, versions)


def _make_missing(recipe: Recipe, plans: Sequence[AnyPlan], folder: Path, executor: Executor) -> Iterator[int]:
    """Make wave after wave; yields the number of models that are there, whenever it grows."""
    files = {plan.name: folder / plan.path for plan in plans}
    done = sum(file.exists() for file in files.values())
    yield done
    if done < len(plans) and importlib.util.find_spec(recipe.needs) is None:
        raise MissingExtraError(f"grow: this recipe needs {recipe.needs}; run: pip install 'lgraph[{recipe.extra}]'")
    for wave in _waves(plans):
        missing = [plan for plan in wave if not files[plan.name].exists()]
        work: list[Any] = [recipe.work(plan, tuple(str(files[name]) for name in plan.inputs)) for plan in missing]
        for plan, outcome in zip(missing, executor.map(recipe.make, work), strict=True):
            if outcome.value is None:
                raise SourceError(f"grow: {plan.name} failed: {outcome.error}: {outcome.message}")
            if plan.config:
                write_atomic(files[plan.name].with_name("adapter_config.json"), plan.config.encode())
            write_atomic(files[plan.name], outcome.value)
            done += 1
            yield done


def _waves(plans: Sequence[AnyPlan]) -> list[list[AnyPlan]]:
    """Each model after all that go into it; ``plans``: parents first."""
    wave: dict[str, int] = {}
    for plan in plans:
        wave[plan.name] = max((wave[name] + 1 for name in plan.inputs), default=0)
    return [[plan for plan in plans if wave[plan.name] == number] for number in range(max(wave.values()) + 1)]

"""Snapshots: one run's weights at several of its steps."""

from __future__ import annotations

from dataclasses import replace

from lineage_graph.sources.grow.derivation import Derivation
from lineage_graph.sources.grow.draft import MEDIUM, Draft
from lineage_graph.sources.grow.plan import training_seed
from lineage_graph.sources.grow.regimes.tunes import two_architectures
from lineage_graph.sources.grow.steps import Train

_SNAPSHOTS = (3, 4, 5)


def snapshots(draft: Draft, models: int) -> None:
    """Runs from scratch, and fine-tuning runs of models without snapshots, in turn.

    Every other pair of runs leaves files as trainers do, with the run's counters beside the weights.
    """
    pair = two_architectures(draft)
    number = 0
    while models > 0:
        architecture = pair[number // 2 % 2]
        form = "training" if number // 2 % 2 else "safetensors"
        parent = draft.root(architecture) if number % 2 and models > 1 else None
        models -= parent is not None
        count = min(models, draft.dice.pick(_SNAPSHOTS))
        course = draft.scratch(architecture) if parent is None else draft.tuning(parent, MEDIUM)
        _run(draft, architecture, course, parent, count, form)
        models -= count
        number += 1


def _run(draft: Draft, architecture: str, course: Train, parent: Derivation | None, snapshots: int, form: str) -> None:
    """The run's snapshots at equal distances, the first one a root or a fine-tune, each next one the child of the last.

    Each is made by running the run again up to its step: the same seed gives the same weights on the way.
    """
    seed = training_seed(draft.dice)
    inputs = () if parent is None else (parent,)
    before = inputs
    for number in range(1, snapshots + 1):
        how = replace(course, stop=course.steps * number // snapshots)
        kind = "finetune" if before == inputs else "snapshot"
        before = (draft.add(architecture, how, inputs=inputs, parents=before, kind=kind, seed=seed, form=form),)

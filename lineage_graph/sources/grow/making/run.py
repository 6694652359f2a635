"""From a plan and its inputs' files to the content of a model's file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from lineage_graph.sources.grow import digits, steps
from lineage_graph.sources.grow.derivation import Derivation
from lineage_graph.sources.grow.making import adapters, hidden, layouts, lossy, merging, training
from lineage_graph.sources.grow.making.files import read, written
from lineage_graph.sources.grow.making.networks import State, in_order

MAKERS: Mapping[type[Any], Callable[[Any, Sequence[State], str], State]] = {
    steps.Train: training.train,
    steps.Distill: training.distill,
    steps.Transplant: training.transplant,
    steps.Adapt: adapters.adapt,
    steps.Quantize: lossy.quantize,
    steps.Sparsify: lossy.sparsify,
    steps.Narrow: lossy.narrow,
    steps.Noise: lossy.add_noise,
    steps.Relayout: layouts.relayout,
    steps.Merge: merging.merge,
    steps.Splice: merging.splice,
    steps.Permute: hidden.permute,
    steps.Rescale: hidden.rescale,
}
"""By step: (the step, weights that go in, architecture) → weights."""


def made(plan: Derivation, inputs: Sequence[str]) -> bytes:
    """Make one model; ``inputs``: its inputs' files. The same bytes on one machine, whatever the process."""
    with digits.reproducible(plan.seed):
        states = [in_order(read(path), plan.architecture) for path in inputs]
        torch.manual_seed(plan.seed)
        for step in plan.steps:
            states = [MAKERS[type(step)](step, states, plan.architecture)]
    return written(states[0], plan)

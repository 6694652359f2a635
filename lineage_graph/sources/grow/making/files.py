"""Weights as the bytes of a file, and back; the same bytes for the same weights."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from lineage_graph.sources.grow.derivation import Derivation
from lineage_graph.sources.grow.making.networks import State
from lineage_graph.sources.grow.steps import Train


def read(path: str) -> State:
    """The weights in a file that :func:`written` made."""
    kind = Path(path).suffix
    if kind == ".safetensors":
        return safetensors.torch.load(Path(path).read_bytes())
    if kind == ".npz":
        with np.load(path) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    content = torch.load(path, weights_only=True)
    state: State = content.get("state_dict", content)
    return state


def written(state: State, plan: Derivation) -> bytes:
    """The content of the file in the planned form; it says the architecture where that is timm's, and nothing else."""
    tensors = {name: values.detach().contiguous() for name, values in state.items()}
    if plan.form == "safetensors":
        return safetensors.torch.save(tensors, metadata={"architecture": plan.timm} if plan.timm else None)
    buffer = io.BytesIO()
    if plan.form == "npz":
        np.savez(buffer, allow_pickle=False, **{name: values.numpy() for name, values in tensors.items()})
    elif plan.form == "pt":
        torch.save(tensors, buffer)
    else:
        torch.save({"state_dict": tensors, "global_step": _steps(plan)}, buffer)
    return buffer.getvalue()


def _steps(plan: Derivation) -> int:
    """The batches that the model's own run took."""
    runs = [step for step in plan.steps if isinstance(step, Train)]
    return sum(run.steps if run.stop is None else run.stop for run in runs)

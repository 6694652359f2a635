"""A timm architecture as an empty network: its shapes and feature stages, ready to take a checkpoint's weights.

Nothing is ever fetched: an architecture is a name in timm's registry, and is built without weights.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features.layers import behind, called, stages
from lineage_graph.timm_compat import import_timm

FREE_SIZE = 64
"""Pixels a side of the probes for networks that take images of any size: cheap, and enough for 32-fold striding."""

Shapes = Mapping[str, tuple[int, ...]]
"""Shapes of tensors by name."""

_STATISTICS = ("running_mean", "running_var")
_KEPT = 16
"""Skeletons kept for the next checkpoint of the same kind; each holds its buffers only."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build. ``classes``: ``None`` for the architecture's own number, 0 for no head. ``size``: pixels a side,
    where the architecture has to be told.
    """

    architecture: str
    channels: int = 3
    classes: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class Outline:
    """What is known of a network without its weights.

    ``shapes``: of every tensor in its state dict. ``stages``: its feature stages, early to late. ``body``: names of the
    parameters up to the end of the last stage; ``statistics``: names of the running statistics there; ``head``: names
    of the tensors behind it. ``stems``, ``classifiers``: names of the first and the last layers.
    """

    shapes: Shapes
    stages: tuple[str, ...]
    body: tuple[str, ...]
    statistics: tuple[str, ...]
    head: frozenset[str]
    stems: tuple[str, ...]
    classifiers: tuple[str, ...]


@dataclass(frozen=True)
class Skeleton:
    """``module`` is in evaluation mode, its parameters without values (on the meta device), its buffers as built.

    ``input_shape``: (channels, height, width).
    """

    plan: Plan
    module: nn.Module
    outline: Outline
    input_shape: tuple[int, int, int]


@lru_cache(maxsize=_KEPT)
def build(plan: Plan) -> Skeleton:
    """The architecture as planned. Raises :class:`FeaturesUnavailableError` where timm cannot build it."""
    module = empty_module(plan, torch.device("cpu"))
    known = outline(module)
    for prefix, part in module.named_modules():
        for name, values in part.named_parameters(prefix, recurse=False):
            empty = nn.Parameter(values.detach().to("meta"), requires_grad=False)
            part.register_parameter(name.rpartition(".")[2], empty)
    return Skeleton(plan, module, known, _input_shape(module, plan))


def build_for(architecture: str, shapes: Shapes) -> Skeleton:
    """The architecture with the input channels, class count and image size that a state dict's ``shapes`` tell.

    Raises :class:`FeaturesUnavailableError`.
    """
    usual = build(Plan(architecture))
    plan = replace(usual.plan, channels=_channels(usual, shapes), classes=_classes(usual, shapes))
    return _traced(replace(plan, size=_size(usual, shapes)))


@lru_cache(maxsize=_KEPT)
def _traced(plan: Plan) -> Skeleton:
    """The architecture, with what its pass needs before the last stage is done in its body, wherever it is defined."""
    found = build(plan)
    if all(name.rpartition(".")[0] in found.outline.classifiers for name in found.outline.head):
        return found  # a classifier alone: no pass needs it early
    module = empty_module(plan, torch.device("meta"))
    return replace(found, outline=with_early_parts(found.outline, module, found.input_shape))


def with_early_parts(known: Outline, module: nn.Module, input_shape: tuple[int, int, int]) -> Outline:
    """The outline of ``module``, which lies on the meta device, after a look at what its pass really calls."""
    early = called(module, known.stages[-1], torch.empty(1, *input_shape, device="meta"))
    head = frozenset(name for name in known.head if name.rpartition(".")[0] not in early)
    return replace(
        known,
        body=tuple(sys.intern(name) for name, _ in module.named_parameters() if name not in head),
        statistics=tuple(name for name in known.shapes if name.endswith(_STATISTICS) and name not in head),
        head=head,
    )


def empty_module(plan: Plan, device: torch.device) -> nn.Module:
    """The network on ``device``, in evaluation mode; the values of its parameters are arbitrary.

    The caller's random stream stays as it was. Raises :class:`FeaturesUnavailableError`.
    """
    timm = import_timm()
    options = {"in_chans": plan.channels, "num_classes": plan.classes, "img_size": plan.size}
    given = {name: value for name, value in options.items() if value is not None}
    try:
        with torch.random.fork_rng(devices=[]), device, _Uninitialised():
            module: nn.Module = timm.create_model(plan.architecture, pretrained=False, **given)
    except Exception as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        raise FeaturesUnavailableError(f"timm cannot build {plan.architecture} with {given} ({detail})") from error
    return module.eval()


def outline(module: nn.Module) -> Outline:
    """What the stages after this one ask of a network."""
    # Architectures share most names: interned, a thousand outlines fit in memory.
    shapes = {sys.intern(name): tuple(values.shape) for name, values in module.state_dict().items()}
    found = stages(module)
    head = behind(module, found[-1])
    return Outline(
        shapes=shapes,
        stages=found,
        body=tuple(sys.intern(name) for name, _ in module.named_parameters() if name not in head),
        statistics=tuple(name for name in shapes if name.endswith(_STATISTICS) and name not in head),
        head=frozenset(name for name in shapes if name in head),
        stems=_listed(module, "first_conv"),
        classifiers=_listed(module, "classifier"),
    )


def _listed(module: nn.Module, key: str) -> tuple[str, ...]:
    """Timm's configuration names one module, several, or none."""
    value = _config(module).get(key)
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list | tuple) else ()


def _config(module: nn.Module) -> dict[str, Any]:
    config: Any = getattr(module, "default_cfg", None) or {}
    return dict(config)


def _channels(usual: Skeleton, shapes: Shapes) -> int:
    """Input channels; a stem that folds pixels into channels takes a multiple of them."""
    known = usual.outline.shapes
    for name in (f"{stem}.weight" for stem in usual.outline.stems):
        if len(shapes.get(name, ())) == 4 and len(known.get(name, ())) == 4:
            folded = max(known[name][1] // usual.plan.channels, 1)
            return max(shapes[name][1] // folded, 1)
    return usual.plan.channels


def _classes(usual: Skeleton, shapes: Shapes) -> int | None:
    """``None`` where the head has its usual number of classes, 0 where there is no such head."""
    known = usual.outline.shapes
    for name in (f"{classifier}.weight" for classifier in usual.outline.classifiers):
        if name in known and len(shapes.get(name, ())) == len(known[name]):
            return None if shapes[name] == known[name] else shapes[name][0]
    return 0


def _size(usual: Skeleton, shapes: Shapes) -> int | None:
    """Pixels a side where the position embedding is longer or shorter than usual; ``None`` where nothing says so."""
    here, there = usual.outline.shapes.get("pos_embed", ()), shapes.get("pos_embed", ())
    patches: Any = getattr(usual.module, "patch_embed", None)
    if here == there or len(here) != 3 or len(there) != 3 or getattr(patches, "grid_size", None) is None:
        return None
    extra = here[1] - math.prod(patches.grid_size)
    side = math.isqrt(max(there[1] - extra, 0))
    return side * int(patches.patch_size[0]) if side * side + extra == there[1] else None


def _input_shape(module: nn.Module, plan: Plan) -> tuple[int, int, int]:
    config = _config(module)
    height, width = config["input_size"][1:]
    if plan.size is not None:
        height = width = plan.size
    elif not config.get("fixed_input_size"):
        height = width = min(height, width, FREE_SIZE)
    return plan.channels, height, width


class _Uninitialised(TorchFunctionMode):
    """Leaves parameters as they were allocated: initial values would be replaced, and take most of the time."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        changes = name.endswith("_") and not name.startswith("_") and name != "requires_grad_"
        subject = args[0] if args else (kwargs or {}).get("tensor")
        return subject if changes and isinstance(subject, nn.Parameter) else func(*args, **(kwargs or {}))

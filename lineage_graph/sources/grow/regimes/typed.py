"""Edges of every kind but those of several parents: quantised, pruned, adapted, copied and stored otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from lineage_graph.sources.grow.derivation import Derivation
from lineage_graph.sources.grow.draft import MEDIUM, NEAR, Draft
from lineage_graph.sources.grow.steps import Adapt, Narrow, Quantize, Relayout, Sparsify, Step

BASES = ("test_vit", "test_resnet", "convnet", "test_convnext", "mlp")
_MODELS_PER_BASE = 8
_RANKS = (2, 4, 8)
_LORA_RATES = (3e-3, 1e-2)
_SPARSE, _NARROW = (0.3, 0.8), (0.15, 0.4)
_LINEAR = ("test_vit", "test_convnext", "mlp")
_BLOCKS = ("test_vit", "test_convnext")

Way = tuple[str, Callable[[Draft, Derivation], Step | None], tuple[str, ...], dict[str, Any]]
"""Kind of the edge; the step, given the base; the architectures it is for; options of the model."""


def typed(draft: Draft, models: int) -> None:
    """Bases of several architectures, a fine-tune of each, and what can be done to these, in turn."""
    count = max(2, round(models / _MODELS_PER_BASE))
    bases = [draft.root(BASES[number % len(BASES)]) for number in range(count)]
    bases += [draft.child(base, NEAR) for base in bases[: max(0, models - count)]]
    for number in range(models - len(bases)):
        kind, step, architectures, options = WAYS[number % len(WAYS)]
        base = draft.dice.pick([one for one in bases if one.architecture in architectures])
        done = step(draft, base)
        draft.add(base.architecture, *([done] if done else []), inputs=(base,), kind=kind, **options)


def _quantize(to: Literal["int8", "int4", "float16", "bfloat16", "scaled"]) -> Way:
    return "quantize", lambda draft, base: Quantize(to), BASES, {}


def _adapt(form: Literal["merged", "wrapped", "alone"], architectures: tuple[str, ...]) -> Way:
    def step(draft: Draft, base: Derivation) -> Step:
        course = replace(
            draft.tuning(base, MEDIUM),
            optimizer="adamw",
            learning_rate=draft.dice.between(*_LORA_RATES),
            weight_decay=0.0,
            head_rate=1.0,
            frozen=0.0,
        )
        return Adapt(course, draft.dice.pick(_RANKS), form)

    return "adapter", step, architectures, {}


def _stored(to: Literal["transposed", "split-qkv", "fused-norm"], architectures: tuple[str, ...]) -> Way:
    return "duplicate", lambda draft, base: Relayout(to), architectures, {}


def _copied(form: str) -> Way:
    return "duplicate", lambda draft, base: None, BASES, {"form": form}


WAYS: tuple[Way, ...] = (
    _quantize("int8"),
    ("prune", lambda draft, base: Sparsify(draft.dice.between(*_SPARSE)), BASES, {}),
    _adapt("merged", _LINEAR),
    _copied("pt"),
    _quantize("float16"),
    ("prune", lambda draft, base: Narrow(draft.dice.between(*_NARROW)), BASES, {}),
    _adapt("alone", _BLOCKS),
    _stored("transposed", BASES),
    _quantize("int4"),
    _copied("safetensors"),
    _adapt("wrapped", _LINEAR),
    _stored("split-qkv", ("test_vit",)),
    _quantize("bfloat16"),
    _copied("npz"),
    _quantize("scaled"),
    _stored("fused-norm", ("test_resnet",)),
)

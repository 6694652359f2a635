"""What lies beside the weights and names a parent: the base in an adapter's config. A claim, as in a manifest."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from lineage_graph.checkpoints.folder import adapter_base
from lineage_graph.errors import ModelError
from lineage_graph.sources.base import LocatedModel

_ENDING = re.compile(r"\.(safetensors|bin|pt|pth|ckpt|gguf|npz)$")
"""Of a file that a name may go without."""


def with_bases(models: Sequence[LocatedModel]) -> list[LocatedModel]:
    """The models, those that are adapters with their bases among the declared parents.

    A base is the model whose id it is, or the only one whose id ends in the same name (``org/base`` and
    ``zoo/base.safetensors``). What names no model of the zoo, or more than one, or cannot be read, is no claim.
    """
    ids = {model.id for model in models}
    ends: dict[str, list[str]] = defaultdict(list)
    for model in models:
        ends[_end(model.id)].append(model.id)
    found = []
    for model in models:
        base = _base(model)
        named = [base] if base in ids else ends.get(_end(base), []) if base else []
        found.append(_declaring(model, named[0]) if len(named) == 1 else model)
    return found


def _declaring(model: LocatedModel, base: str) -> LocatedModel:
    if base in (model.id, *model.declared_parents):
        return model
    return replace(model, declared_parents=(*model.declared_parents, base))


def _base(model: LocatedModel) -> str:
    try:
        return adapter_base(model.path)
    except ModelError:
        return ""


def _end(name: str) -> str:
    return _ENDING.sub("", name.rstrip("/").rsplit("/", 1)[-1])

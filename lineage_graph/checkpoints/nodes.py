"""What a pickle is turned into: plain containers, tensors still in the file, and inert stand-ins for all else."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.checkpoints.base import Values
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.stored import StoredTensor
from lineage_graph.errors import UnsupportedFormatError
from lineage_graph.types import FloatArray

SCRIPT = "__torch__."
"""How the names of TorchScript's classes begin."""


@dataclass(frozen=True, slots=True)
class Global:
    """A class or function that a pickle names. Nothing is imported: this is only its name."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Inert:
    """An object that a pickle wants built: what by, with which arguments, state and items. Nothing was called."""

    what: object
    args: object = ()
    state: object = None
    items: dict[Hashable, object] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Storage:
    """A torch storage: ``elements`` of ``dtype`` in ``source``; for untyped ones the elements are bytes.

    ``offset``: the element at which a view on it starts.
    """

    key: str
    source: ByteSource
    dtype: str
    elements: int
    offset: int = 0
    untyped: bool = False
    swapped: bool = False


@dataclass(slots=True, eq=False)
class NumpyType:
    """A numpy element type under construction; ``code`` as in ``float32``'s ``f4``."""

    code: str
    order: str = "<"


@dataclass(slots=True, eq=False)
class NumpyArray:
    """A numpy array under construction; ``tensor`` stays ``None`` where its elements are no numbers."""

    tensor: StoredTensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ForeignTensor:
    """A tensor of a kind that only torch itself can rebuild (quantised, sparse): ``what`` rebuilds it."""

    what: Global
    shape: tuple[int, ...]
    dtype: str
    label: str

    def read(self) -> npt.NDArray[Any]:
        """Raises UnsupportedFormatError."""
        raise UnsupportedFormatError(f"{self.label}: tensors made by {self.what} are not supported here")

    def pieces(self) -> Iterator[FloatArray]:
        """Raises UnsupportedFormatError."""
        yield self.read()


def leaf_of(node: object) -> Values | None:
    """The tensor that a node is, if it is one."""
    if isinstance(node, NumpyArray):
        return node.tensor
    return node if isinstance(node, StoredTensor | ForeignTensor) else None


def qualified(node: object) -> str:
    """The dotted name of the class behind an inert object, or of a global; else ``""``."""
    for _ in range(3):
        if isinstance(node, Inert):
            node = node.what
    return str(node) if isinstance(node, Global) else ""


def children(node: object) -> Mapping[Hashable, object]:
    """What lies inside a node, by name or position.

    A pickled ``torch.nn.Module`` gives its parameters, persistent buffers and submodules, as its ``state_dict`` would.
    """
    if isinstance(node, dict):
        return node
    if isinstance(node, list | tuple):
        return dict(enumerate(node))
    if not isinstance(node, Inert):
        return {}
    state = node.state if isinstance(node.state, dict) else {}
    if "_modules" not in state:
        return {**node.items, **state}
    passing = state.get("_non_persistent_buffers_set")
    hidden = passing if isinstance(passing, list | tuple) else ()
    parts = [part if isinstance(part := state.get(kind), dict) else {} for kind in ("_parameters", "_buffers")]
    named = {name: value for part in parts for name, value in part.items() if name not in hidden}
    modules = state.get("_modules")
    return {**named, **(modules if isinstance(modules, dict) else {})}


def child(node: object, name: str) -> object:
    """What lies inside a node that is no module under ``name``, without a copy of all else; ``None`` without it."""
    if isinstance(node, Inert):
        state = node.state if isinstance(node.state, dict) else {}
        return state[name] if name in state else node.items.get(name)
    return node.get(name) if isinstance(node, dict) else None


def is_module(node: object) -> bool:
    """Whether a node is a pickled ``torch.nn.Module``, or a module of TorchScript."""
    if not isinstance(node, Inert) or not isinstance(node.state, dict):
        return False
    return "_modules" in node.state or qualified(node).startswith(SCRIPT)


def is_optimizer(node: object) -> bool:
    """Whether a node is a pickled optimizer or an optimizer's state dict."""
    if qualified(node).startswith("torch.optim."):
        return True
    return child(node, "param_groups") is not None and child(node, "state") is not None


def np_dtype(kind: NumpyType) -> np.dtype[Any] | None:
    """The numpy type behind ``kind``, or ``None`` where it is not a plain number."""
    if kind.code[:1] not in "biufc" or not kind.code[1:].isdecimal() or len(kind.code) > 3:
        return None
    return np.dtype(kind.code).newbyteorder(">" if kind.order == ">" else "<")

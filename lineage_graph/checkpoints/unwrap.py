"""From what a training script saved to the weights in it: which part, and under which names."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, Protocol, TypeVar

from lineage_graph.checkpoints.dtypes import is_weight
from lineage_graph.checkpoints.limits import MAX_DEPTH, MAX_NAME, MAX_NAMES, MAX_NODES, MAX_TENSORS
from lineage_graph.checkpoints.nodes import children, is_module, is_optimizer
from lineage_graph.errors import LimitExceededError

WEIGHT_KEYS = (
    *("state_dict", "model_state_dict", "model", "params_ema", "params", "ema", "model_ema", "state_dict_ema"),
    *("module", "net", "network", "net_state_dict", "weights", "model_state", "model_weights"),
    *("g_ema", "generator", "netG", "G"),
)
"""Where training scripts keep the weights, most telling first; ``params_ema`` is what its authors release."""

OPTIMIZER_KEYS = ("optim", "scheduler", "scaler")
"""Parts of a key below which tensors are no weights."""

SHARED_PREFIXES = ("module.", "_orig_mod.")
"""What wrappers (data parallelism, compilation) put before every name."""


class Described(Protocol):
    """A tensor of which shape and dtype are known."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    @property
    def dtype(self) -> str:
        """Its type's usual name."""


_ENTERING = 8
"""What entering a container costs, against 1 for each thing in it, of the budget of ``MAX_NODES``."""


_Leaf = TypeVar("_Leaf", bound=Described)


def find_weights(root: object, leaf: Callable[[object], _Leaf | None], label: str) -> tuple[object, dict[str, _Leaf]]:
    """The node that holds the weights, and its tensors by dotted name.

    ``leaf`` tells a tensor from other nodes. From ``root`` downwards: a pickled module is the place; else the first of
    ``WEIGHT_KEYS`` that holds weights; else, where everything is made of tensors, all of it; else the part with the
    most elements. Optimizers are passed over. Raises LimitExceededError where shared references unfold without end.
    """
    search = _Search(leaf, label)
    node = root
    for _ in range(MAX_DEPTH):
        inner = search.inner(node)
        if inner is None:
            break
        node = inner
    found: dict[str, _Leaf] = {}
    if not is_optimizer(node):
        search.check_count(node)
        search.flatten(node, "", (), found)
    return node, _without_shared_prefix(found)


class _Search(Generic[_Leaf]):
    """Bounded walks over a graph of nodes that may share parts or run in circles."""

    def __init__(self, leaf: Callable[[object], _Leaf | None], label: str) -> None:
        self._leaf, self._label = leaf, label
        self._left = MAX_NODES
        self._letters = MAX_NAMES
        self._counts: dict[int, tuple[int, int]] = {}

    def inner(self, node: object) -> object | None:
        """The part of a wrapper that holds the weights; ``None`` where ``node`` is no wrapper."""
        if is_module(node) or is_optimizer(node):
            return None
        parts = self._parts(node)
        direct = sum(self._count(part)[0] for part in parts.values() if self._leaf(part) is not None)
        nested = {key: self._count(part)[0] for key, part in parts.items() if self._leaf(part) is None}
        nested = {key: size for key, size in nested.items() if size}
        if not nested or direct >= max(nested.values()):
            return None
        for key in WEIGHT_KEYS:
            if key in nested:
                return parts[key]
        pure = all(key in nested or self._leaf(part) is not None for key, part in children(node).items())
        return None if pure else parts[max(nested, key=lambda key: nested[key])]

    def check_count(self, node: object) -> None:
        """Raises LimitExceededError where shared references unfold to too many tensors."""
        if self._count(node)[1] > MAX_TENSORS:
            raise LimitExceededError(f"{self._label}: shared references unfold to more than {MAX_TENSORS} tensors")

    def flatten(self, node: object, prefix: str, above: tuple[int, ...], found: dict[str, _Leaf]) -> None:
        """Every tensor below ``node`` by dotted name; circles are cut."""
        if id(node) in above or len(above) > MAX_DEPTH:
            return
        for key, part in self._parts(node).items():
            if not isinstance(key, str | int):
                continue
            length = len(prefix) + len(str(key))
            if length > MAX_NAME:
                raise LimitExceededError(f"{self._label}: a tensor's name is longer than {MAX_NAME} characters")
            values = self._leaf(part)
            if values is not None:
                found[f"{prefix}{key}"] = values
                self._letters -= length
                if self._letters < 0:
                    raise LimitExceededError(f"{self._label}: its tensors' names have more than {MAX_NAMES} characters")
            elif self._count(part)[1]:
                self.flatten(part, f"{prefix}{key}.", (*above, id(node)), found)

    def _parts(self, node: object) -> Mapping[Hashable, object]:
        """What lies inside, optimizers left out."""
        inside = children(node)
        self._left -= len(inside) + _ENTERING
        if self._left < 0:
            raise LimitExceededError(f"{self._label}: shared references unfold to more than {MAX_NODES} objects")
        if is_module(node):
            return inside
        return {key: part for key, part in inside.items() if self._leaf(part) is not None or not _passed(key, part)}

    def _count(self, node: object, depth: int = 0) -> tuple[int, int]:
        """Floating-point elements, and tensors of any kind, below ``node``, to a depth of ``MAX_DEPTH``."""
        values = self._leaf(node)
        if values is not None:
            return (math.prod(values.shape) if is_weight(values.dtype) else 0), 1
        if depth > MAX_DEPTH:
            return 0, 0
        if id(node) not in self._counts:
            self._counts[id(node)] = 0, 0
            counts = [self._count(part, depth + 1) for part in self._parts(node).values()]
            self._counts[id(node)] = sum(size for size, _ in counts), sum(number for _, number in counts)
        return self._counts[id(node)]


def _passed(key: Hashable, part: object) -> bool:
    named = isinstance(key, str) and any(word in key.lower() for word in OPTIMIZER_KEYS)
    return named or is_optimizer(part)


def _without_shared_prefix(found: dict[str, _Leaf]) -> dict[str, _Leaf]:
    for prefix in SHARED_PREFIXES * 2:
        if found and all(name.startswith(prefix) and len(name) > len(prefix) for name in found):
            found = {name.removeprefix(prefix): values for name, values in found.items()}
    return found

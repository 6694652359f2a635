"""What the pickle machine rebuilds: torch tensors that stay in the file, numpy arrays, plain containers.

The names are those that torch and numpy write; what each does is re-stated here, so nothing of theirs is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage_graph.checkpoints.nodes import ForeignTensor, Global, Inert, NumpyArray, NumpyType, Storage, np_dtype
from lineage_graph.checkpoints.npz import array_dtype
from lineage_graph.checkpoints.source import memory_source
from lineage_graph.checkpoints.storages import retyped
from lineage_graph.checkpoints.stored import StoredTensor, fortran_strides
from lineage_graph.errors import CorruptFileError, TruncatedFileError

if TYPE_CHECKING:
    from lineage_graph.checkpoints.unpickle import Machine

_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg", "numpy._core": "numpy.core"}


def canonical(module: str, name: str) -> Global:
    """A global's name as today's Python and the numpy of before version 2 spell it."""
    for old, new in _MODULES.items():
        if module == old or module.startswith(f"{old}."):
            module = new + module[len(old) :]
    return Global(module, name)


def _tensor(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    """``_rebuild_tensor(storage, offset, size, stride, …)``; version 3 has the dtype as its seventh argument."""
    if len(arguments) < 4 or not isinstance(storage := arguments[0], Storage):
        return Inert(what, arguments)
    if what.name == "_rebuild_tensor_v3" and len(arguments) > 6 and isinstance(arguments[6], Global):
        storage = retyped(storage, arguments[6].name, machine.label)
    (offset,) = machine.naturals((arguments[1],))
    shape, strides = machine.naturals(arguments[2]), machine.naturals(arguments[3])
    if len(shape) != len(strides):
        raise CorruptFileError(f"{machine.label}: a tensor has {len(shape)} dimensions and {len(strides)} strides")
    return StoredTensor.checked(
        storage.source,
        storage.dtype,
        shape,
        storage.elements,
        offset=storage.offset + offset,
        strides=strides,
        swapped=storage.swapped,
    )


def _first(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    """A wrapper that adds nothing to the values of its first argument."""
    return arguments[0] if arguments else Inert(what, arguments)


def _subclass(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    """``_rebuild_from_type_v2(function, type, arguments, state)``: the plain tensor inside."""
    return machine.make(arguments[0], arguments[2]) if len(arguments) > 2 else Inert(what, arguments)


def _quantized(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    if len(arguments) < 3 or not isinstance(arguments[0], Storage):
        return Inert(what, arguments)
    return ForeignTensor(what, machine.naturals(arguments[2]), arguments[0].dtype, machine.label)


def _sparse(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    """``_rebuild_sparse_tensor(layout, (indices…, values, size, …))``: size is the first tuple among its parts."""
    parts = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], tuple) else ()
    values = [part for part in parts if isinstance(part, StoredTensor)]
    size = next((part for part in parts if isinstance(part, tuple | list)), None)
    if not values or size is None:
        return Inert(what, arguments)
    return ForeignTensor(what, machine.naturals(size), values[-1].dtype, machine.label)


def _storage(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    """``_load_from_bytes(data)``: what plain ``pickle`` writes for a storage, a torch file of its own inside."""
    if machine.nested or not arguments or not isinstance(arguments[0], bytes):
        return Inert(what, arguments)
    machine.spend(len(arguments[0]))
    from lineage_graph.checkpoints.pytorch import load_tree  # a torch file within a pickle: the one circle

    tree = load_tree(memory_source(arguments[0], machine.label), nested=True)
    machine.met |= tree.met
    machine.count(tree.opcodes)
    return tree.root


def _ordered_dict(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    pairs = arguments[0] if arguments and isinstance(arguments[0], list | tuple) else ()
    machine.spend(0, entries=2 * len(pairs))
    return machine.fill(
        {}, [part for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2 for part in pair]
    )


def _encode(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    """``encode(text, "latin1")``: how protocol 2 writes bytes."""
    if len(arguments) < 1 or not isinstance(arguments[0], str):
        return Inert(what, arguments)
    machine.spend(len(arguments[0]))
    return arguments[0].encode("latin-1")


def _reconstructor(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    """``_reconstructor(class, base, state)``: how protocols 0 and 1 write an object."""
    made = Inert(arguments[0] if arguments else what, arguments)
    if len(arguments) > 2 and isinstance(arguments[2], dict):
        made.items = arguments[2]
    return made


def _numpy_type(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    return NumpyType(arguments[0]) if arguments and isinstance(arguments[0], str) else Inert(what, arguments)


def _build_numpy_type(machine: Machine, target: NumpyType, state: object) -> None:
    if isinstance(state, tuple) and len(state) > 1 and isinstance(state[1], str):
        target.order = state[1]


def _numpy_array(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    return NumpyArray()


def _build_numpy_array(machine: Machine, target: NumpyArray, state: object) -> None:
    """The state is (version, shape, type, Fortran order, bytes)."""
    if isinstance(state, tuple) and len(state) == 5:
        _, shape, kind, fortran, data = state
        target.tensor = _array(machine, shape, kind, bool(fortran), data)


def _from_buffer(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    """``_frombuffer(bytes, type, shape, order)``: how protocol 5 writes an array."""
    if len(arguments) < 4:
        return Inert(what, arguments)
    data, kind, shape, order = arguments[:4]
    return NumpyArray(_array(machine, shape, kind, order == "F", data))


def _array(machine: Machine, shape: object, kind: object, fortran: bool, data: object) -> StoredTensor | None:
    dtype = np_dtype(kind) if isinstance(kind, NumpyType) else None
    if isinstance(data, str):
        machine.spend(len(data))
        data = data.encode("latin-1")
    if dtype is None or not isinstance(data, bytes | bytearray):
        return None
    sizes = machine.naturals(shape)
    name, swapped = array_dtype(dtype)
    if math.prod(sizes) * dtype.itemsize != len(data):
        raise TruncatedFileError(f"{machine.label}: an array of shape {sizes} has {len(data)} bytes")
    if name is None:
        return None
    strides = fortran_strides(sizes) if fortran else None
    source = memory_source(bytes(data), machine.label)
    return StoredTensor.checked(source, name, sizes, math.prod(sizes), strides=strides, swapped=swapped)


def _scalar(machine: Machine, what: Global, arguments: tuple[Any, ...]) -> object:
    """``scalar(type, bytes)``: a plain number."""
    kind, data = arguments if len(arguments) == 2 else (None, None)
    dtype = np_dtype(kind) if isinstance(kind, NumpyType) else None
    data = data.encode("latin-1") if isinstance(data, str) and len(data) <= 32 else data
    if dtype is None or not isinstance(data, bytes) or len(data) != dtype.itemsize:
        return Inert(what, arguments)
    return np.frombuffer(data, dtype)[0].item()


Rebuilder = Callable[["Machine", Global, tuple[Any, ...]], object]

REBUILDERS: Mapping[str, Rebuilder] = {
    **{f"torch._utils._rebuild_tensor{version}": _tensor for version in ("", "_v2", "_v3")},
    **{f"torch._utils._rebuild_parameter{kind}": _first for kind in ("", "_with_state")},
    **dict.fromkeys(("torch.nn.parameter.Parameter", "torch.Size", "builtins.set", "builtins.frozenset"), _first),
    "torch._tensor._rebuild_from_type_v2": _subclass,
    "torch._utils._rebuild_qtensor": _quantized,
    "torch._utils._rebuild_sparse_tensor": _sparse,
    "torch.storage._load_from_bytes": _storage,
    "collections.OrderedDict": _ordered_dict,
    "_codecs.encode": _encode,
    "copyreg._reconstructor": _reconstructor,
    "numpy.dtype": _numpy_type,
    "numpy.core.multiarray._reconstruct": _numpy_array,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _from_buffer,
}
"""Every function that is understood; what is absent here becomes inert."""

HARMLESS = frozenset({*REBUILDERS, "numpy.ndarray", "builtins.object"})
"""Names that say nothing against a pickle."""

BUILDERS: Mapping[type, Callable[[Machine, Any, object], None]] = {
    NumpyType: _build_numpy_type,
    NumpyArray: _build_numpy_array,
}
"""How a half-built numpy object takes its state."""

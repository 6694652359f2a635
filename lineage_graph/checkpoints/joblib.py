"""Arrays that joblib.dump writes into a pickle: a record of shape and type, then the raw values in the stream.

Layout as joblib.numpy_pickle.NumpyArrayWrapper reads it; joblib itself is not needed, nor would it be safe.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lineage_graph.checkpoints.nodes import NumpyType, np_dtype
from lineage_graph.checkpoints.npz import array_dtype
from lineage_graph.checkpoints.stored import StoredTensor, fortran_strides
from lineage_graph.errors import UnsupportedFormatError

if TYPE_CHECKING:
    from lineage_graph.checkpoints.unpickle import Machine

WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"


def inline_array(machine: Machine, state: Mapping[Any, object]) -> StoredTensor:
    """The array whose values start where the machine's stream stands; the stream is moved past them.

    Raises UnsupportedFormatError for arrays of Python objects, TruncatedFileError, CorruptFileError.
    """
    kind = state.get("dtype")
    dtype = np_dtype(kind) if isinstance(kind, NumpyType) else None
    name, swapped = (None, False) if dtype is None else array_dtype(dtype)
    if dtype is None or name is None:
        raise UnsupportedFormatError(f"{machine.label}: a joblib file with an array of Python objects")
    shape = machine.naturals(state.get("shape"))
    if state.get("numpy_array_alignment_bytes") is not None:
        padding = machine.stream.read(1)
        machine.stream.seek(padding[0], io.SEEK_CUR)
    elements = math.prod(shape)
    data = machine.source.window(machine.stream.tell(), elements * dtype.itemsize, "an array")
    machine.stream.seek(data.size, io.SEEK_CUR)
    strides = fortran_strides(shape) if state.get("order") == "F" else None
    return StoredTensor.checked(data, name, shape, elements, strides=strides, swapped=swapped)

"""numpy's .npy and .npz (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lineage_graph.checkpoints.base import Contents
from lineage_graph.checkpoints.counters import counters_in, is_counter
from lineage_graph.checkpoints.dtypes import RAW
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.stored import StoredTensor, fortran_strides
from lineage_graph.checkpoints.zips import Archive
from lineage_graph.errors import CorruptFileError, TruncatedFileError, UnsafePickleError, UnsupportedFormatError

MAGIC = b"\x93NUMPY"


def read_npy(source: ByteSource) -> Contents:
    """The one array of a .npy file, under the name that numpy gives a nameless array in an archive."""
    tensor = _array(source)
    if tensor is None:
        raise UnsafePickleError(f"{source.label}: the array holds no plain numbers (Python objects are not unpickled)")
    return Contents("npz", {"arr_0": tensor})


def read_npz(archive: Archive) -> Contents:
    """The index of a .npz archive. Arrays of text or Python objects are no weights and are left out."""
    arrays = {name.removesuffix(".npy"): _array(archive.member(name)) for name in archive.names}
    tensors = {name: tensor for name, tensor in arrays.items() if tensor is not None}
    scalars = {name: tensor.read().item() for name, tensor in tensors.items() if tensor.size == 1 and is_counter(name)}
    return Contents("npz", tensors, counters_in(scalars))


def _array(source: ByteSource) -> StoredTensor | None:
    """One array, or ``None`` where its elements are no numbers that a tensor has."""
    shape, fortran, dtype, start = _header(source)
    name, swapped = array_dtype(dtype)
    if name is None:
        return None
    data = source.window(start, source.size - start, "the array")
    needed = math.prod(shape) * dtype.itemsize
    if needed > data.size:
        raise TruncatedFileError(f"{source.label}: the array needs {needed} bytes, there are {data.size}")
    strides = fortran_strides(shape) if fortran else None
    return StoredTensor.checked(data, name, shape, math.prod(shape), strides=strides, swapped=swapped)


def _header(source: ByteSource) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether Fortran order, element type and where the values start."""
    with source.stream() as stream:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise UnsupportedFormatError(f"{source.label}: .npy format {version} is not supported")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        try:
            shape, fortran, dtype = read(stream)
        except (MemoryError, RecursionError) as error:
            # Python's parser says so of a few thousand brackets.
            raise CorruptFileError(f"{source.label}: the .npy header is nested too deeply") from error
        return tuple(shape), bool(fortran), dtype, stream.tell()


def array_dtype(dtype: np.dtype[Any]) -> tuple[str | None, bool]:
    """A numpy element type's usual name (``None``: no number that a tensor has) and whether it is big-endian.

    numpy writes the bfloat16 of the package ml_dtypes, and no other type of models, as nameless two-byte elements.
    """
    name = "bfloat16" if dtype.str in ("<V2", "|V2") else dtype.newbyteorder("=").name
    return (name if name in RAW else None), dtype.str.startswith(">")

"""torch storages as a pickle refers to them: type, key, and number of elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lineage_graph.checkpoints.dtypes import RAW
from lineage_graph.checkpoints.nodes import Global, Storage, qualified
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.errors import CorruptFileError, UnsupportedFormatError

_DTYPES = {
    "Float": "float32",
    "Double": "float64",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexFloat": "complex64",
    "ComplexDouble": "complex128",
    "Untyped": "uint8",
    "QInt8": "qint8",
    "QUInt8": "quint8",
    "QInt32": "qint32",
}
_QUANTIZED_BYTES = {"qint8": 1, "quint8": 1, "qint32": 4}


def storage_dtype(label: str, kind: object) -> str:
    """The dtype of a storage class. Raises UnsupportedFormatError for a class that is no torch storage."""
    name = qualified(kind)
    dtype = _DTYPES.get(name.rsplit(".", 1)[-1].removesuffix("Storage"))
    if dtype is None or not name.startswith("torch."):
        raise UnsupportedFormatError(f"{label}: a storage of type {name[:80] or type(kind).__name__} is not supported")
    return dtype


def storage_bytes(storage: Storage) -> int:
    """How many bytes a whole storage takes in the file."""
    itemsize = _QUANTIZED_BYTES.get(storage.dtype) or RAW[storage.dtype].itemsize
    return storage.elements * itemsize


def persistent_storage(label: str, ident: object, locate: Callable[[str], ByteSource]) -> Storage:
    """The storage behind the persistent id ``("storage", type, key, device, elements[, view])``.

    A view is ``(key, offset, size)`` in elements. Raises CorruptFileError, UnsupportedFormatError.
    """
    if not isinstance(ident, tuple) or len(ident) < 5 or ident[0] not in ("storage", b"storage"):
        raise CorruptFileError(f"{label}: the pickle refers to something that is no torch storage")
    key, elements = ident[2], ident[4]
    view = ident[5] if len(ident) > 5 else None
    offset = view[1] if isinstance(view, tuple) and len(view) > 1 else 0
    if not isinstance(key, str | int):
        raise CorruptFileError(f"{label}: a storage's key is no text")
    if not all(type(number) is int and 0 <= number < 1 << 60 for number in (elements, offset)):
        raise CorruptFileError(f"{label}: a storage's size is no natural number")
    untyped = isinstance(ident[1], Global) and ident[1].name == "UntypedStorage"
    return Storage(str(key), locate(str(key)), storage_dtype(label, ident[1]), elements, offset, untyped)


def retyped(storage: Storage, dtype: str, label: str) -> Storage:
    """An untyped storage with its bytes taken as elements of ``dtype``."""
    if dtype not in RAW:
        raise UnsupportedFormatError(f"{label}: tensors of type {dtype[:40]} are not supported")
    elements = storage.elements // RAW[dtype].itemsize if storage.untyped else storage.elements
    return replace(storage, dtype=dtype, elements=elements)

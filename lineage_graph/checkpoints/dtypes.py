"""Element types: their usual names, how they lie on disk, and how they become numbers that numpy has."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

_PLAIN = (
    *("float16", "float32", "float64", "complex64", "complex128"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)
_FLOAT8 = ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu")

RAW: dict[str, np.dtype[Any]] = {
    **{name: np.dtype(name).newbyteorder("<") for name in _PLAIN},
    **{name: np.dtype(np.uint8) for name in (*_FLOAT8, "bool")},
    "bfloat16": np.dtype("<u2"),
}
"""How one element of each type lies on disk, little-endian; a type that numpy lacks as its bare bits."""


def is_weight(dtype: str) -> bool:
    """Whether values of this type are (possibly quantised) real numbers, and no plain integers or flags."""
    return not dtype.startswith(("int", "uint", "bool"))


def decode(raw: npt.NDArray[Any], dtype: str) -> npt.NDArray[Any]:
    """Values of elements read as ``RAW[dtype]`` in either byte order: same shape, native byte order.

    bfloat16 and float8 become float32, exactly.
    """
    values: npt.NDArray[Any]
    if dtype == "bfloat16":
        values = (raw.astype(np.uint32) << 16).view(np.float32)
    elif dtype in _FLOAT8:
        values = _float8_values(dtype)[raw]
    elif dtype == "bool":
        values = raw != 0
    else:
        values = raw.astype(raw.dtype.newbyteorder("="), copy=False)
    return values


@cache
def _float8_values(dtype: str) -> npt.NDArray[np.float32]:
    """The float32 value of each of the 256 codes of a float8 type (OCP 8-bit floating point specification)."""
    import torch

    codes = torch.arange(256, dtype=torch.int32).to(torch.uint8)
    values: npt.NDArray[np.float32] = codes.view(getattr(torch, dtype)).to(torch.float32).numpy()
    return values

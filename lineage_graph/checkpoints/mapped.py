"""torch's own loader over a memory mapping, for the files that it accepts with ``weights_only=True``.

A mapping stays resident once it is read, so after ``REMAP_BYTES`` the file is opened afresh and the old one released.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from lineage_graph.checkpoints.base import CHUNK
from lineage_graph.checkpoints.dtypes import RAW
from lineage_graph.checkpoints.limits import MAX_EXPANDED, REMAP_BYTES
from lineage_graph.checkpoints.stored import pieces_of
from lineage_graph.checkpoints.unwrap import find_weights
from lineage_graph.errors import CorruptFileError, LimitExceededError, TruncatedFileError
from lineage_graph.types import FloatArray

if TYPE_CHECKING:
    import torch

ACCEPTED = frozenset(
    {
        *("collections.OrderedDict", "torch.Size", "torch.device", "torch.serialization._get_layout"),
        *(f"torch._utils._rebuild_tensor{version}" for version in ("", "_v2", "_v3")),
        *("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"),
        *("torch._utils._rebuild_qtensor", "torch._utils._rebuild_sparse_tensor"),
        *(f"torch.{name}" for name in (*RAW, "qint8", "quint8", "qint32", "per_tensor_affine", "per_channel_affine")),
    }
)
"""Names, besides storages, that torch may be handed: known to call nothing else and take no memory
of their own. ``weights_only=True`` alone also calls, for one, ``bytearray`` with any size."""

_STORAGE = re.compile(r"torch\.(\w+\.)?\w+Storage")


def acceptable(met: frozenset[str]) -> bool:
    """Whether a pickle that needs these globals may be handed to torch."""
    return all(name in ACCEPTED or _STORAGE.fullmatch(name) for name in met)


class MappedFile:
    """The tensors of one file, by the names that ``unwrap`` gives them.

    Opening raises ``pickle.UnpicklingError`` or ``RuntimeError`` where torch refuses the file.
    """

    def __init__(self, path: Path, label: str) -> None:
        self._path, self._label = path, label
        self._size = path.stat().st_size
        self._used = 0
        self._tensors = self._load()

    def tensor(self, name: str) -> torch.Tensor:
        """One tensor; hold it only until the next call.

        Raises TruncatedFileError where the file has shrunk: reading a mapping beyond the end would kill the process.
        """
        if self._path.stat().st_size < self._size:
            raise TruncatedFileError(f"{self._label}: the file has become shorter while it was read")
        found = self._tensors.get(name)
        if found is None:
            raise CorruptFileError(f"{self._label}: torch finds no tensor {name[:80]!r}")
        return found

    def used(self, size: int) -> None:
        """Note that ``size`` bytes were read; now and then this releases the mapping."""
        self._used += size
        if self._used > REMAP_BYTES:
            self._used, self._tensors = 0, {}
            self._tensors = self._load()

    def _load(self) -> dict[str, torch.Tensor]:
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            root = torch.load(self._path, map_location="cpu", mmap=True, weights_only=True)
        _, found = find_weights(root, _loaded, self._label)
        return {name: loaded.tensor for name, loaded in found.items()}


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """A tensor in torch's tree, as ``unwrap`` wants to see it."""

    tensor: torch.Tensor
    shape: tuple[int, ...]
    dtype: str


def _loaded(node: object) -> _Loaded | None:
    import torch

    if not isinstance(node, torch.Tensor):
        return None
    return _Loaded(node, tuple(node.shape), str(node.dtype).removeprefix("torch."))


@dataclass(frozen=True, slots=True, eq=False)
class MappedTensor:
    """One tensor of a :class:`MappedFile`; shape and dtype as the file's own index says."""

    file: MappedFile
    name: str
    shape: tuple[int, ...]
    dtype: str

    def read(self) -> npt.NDArray[Any]:
        """The values: bfloat16, float8 and quantised ones as float32, sparse ones filled up."""
        values = _as_numpy(self._plain().contiguous()).copy()
        self.file.used(values.nbytes)
        return values.reshape(self.shape)

    def pieces(self) -> Iterator[FloatArray]:
        """Views on the mapping where the tensor lies in C order."""
        if not _in_place(self.file.tensor(self.name)):
            yield from pieces_of(self.read())
            return
        for start in range(0, math.prod(self.shape), CHUNK):
            piece = _as_numpy(self._plain().reshape(-1)[start : start + CHUNK])
            yield piece.astype("float32", copy=False)
            self.file.used(piece.nbytes)

    def _plain(self) -> torch.Tensor:
        """A real strided tensor. Raises LimitExceededError for a sparse one that is too large to fill up."""
        import torch

        tensor = self.file.tensor(self.name).detach()
        if tensor.is_quantized:
            tensor = tensor.dequantize()
        elif tensor.layout != torch.strided:
            if tensor.numel() > MAX_EXPANDED:
                raise LimitExceededError(f"a sparse tensor of {tensor.numel()} elements")
            tensor = tensor.to_dense()
        return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _in_place(tensor: torch.Tensor) -> bool:
    """Whether the elements lie one after another, as they are."""
    import torch

    return not tensor.is_quantized and tensor.layout == torch.strided and tensor.is_contiguous()


def _as_numpy(tensor: torch.Tensor) -> npt.NDArray[Any]:
    """The values as numpy's own types; types that numpy lacks as float32."""
    import torch

    narrow = tensor.is_floating_point() and tensor.dtype not in (torch.float16, torch.float32, torch.float64)
    values: npt.NDArray[Any] = (tensor.to(torch.float32) if narrow else tensor).numpy()
    return values

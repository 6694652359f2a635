"""The reader protocol: an index first, values later, a tensor at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from lineage_graph.types import FloatArray, TensorSpec

CHUNK = 1 << 20
"""Elements that :meth:`Reader.chunks` yields at a time (4 MiB of float32), whatever the format, so that two readers
walk in step."""


class Reader(Protocol):
    """An open checkpoint. Opening reads names, shapes and dtypes; no weight is read before it is asked for.

    ``format``: the reader's short name (``safetensors``, ``pytorch``, ``keras``, ``onnx``, ``npz``, ``gguf``).
    ``tensors``: every tensor that is not empty, in file order. ``counters``: training counters stored beside the
    weights (epoch, global step, timesteps), as floats by name. ``architecture``: what the checkpoint or the config
    beside it says it is, or ``""``.
    """

    format: str
    tensors: tuple[TensorSpec, ...]
    counters: Mapping[str, float]
    architecture: str

    def read(self, name: str) -> npt.NDArray[Any]:
        """The tensor's values in its shape, C order; types numpy lacks (bfloat16, float8, quantised) as float32.

        Raises a :class:`~lineage_graph.errors.CheckpointError` that names file and tensor.
        """

    def chunks(self, name: str) -> Iterator[FloatArray]:
        """The values as flat float32 pieces of ``CHUNK`` elements (the last one shorter), in C order.

        A piece may be a view on a buffer that the next piece overwrites.
        """

    def close(self) -> None:
        """Release the file."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class BaseReader:
    """Shared parts of the readers; a subclass sets the attributes and ``read``."""

    format: str = ""
    tensors: tuple[TensorSpec, ...] = ()
    counters: Mapping[str, float] = MappingProxyType({})
    architecture: str = ""

    def read(self, name: str) -> npt.NDArray[Any]:
        """See :meth:`Reader.read`."""
        raise KeyError(name)

    def chunks(self, name: str) -> Iterator[FloatArray]:
        """See :meth:`Reader.chunks`; reads the whole tensor. Formats that can read in pieces override this."""
        flat = self.read(name).reshape(-1)
        for start in range(0, flat.size, CHUNK):
            yield flat[start : start + CHUNK].astype(np.float32, copy=False)

    def close(self) -> None:
        """See :meth:`Reader.close`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

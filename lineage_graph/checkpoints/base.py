"""The reader protocol: an index first, values later, a tensor at a time; and the one reader behind every format."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

import numpy.typing as npt

from lineage_graph.checkpoints.border import border
from lineage_graph.checkpoints.dtypes import is_weight
from lineage_graph.checkpoints.limits import MAX_NAME, MAX_TENSORS
from lineage_graph.errors import CorruptFileError, LimitExceededError, NoWeightsError
from lineage_graph.types import FloatArray, TensorSpec

CHUNK = 1 << 20
"""Elements that :meth:`Reader.chunks` yields at a time (4 MiB of float32), whatever the format, so that two readers
walk in step."""


class Reader(Protocol):
    """An open checkpoint. Opening reads names, shapes and dtypes; no weight is read before it is asked for.

    ``format``: the reader's short name (``safetensors``, ``pytorch``, ``keras``, ``onnx``, ``npz``, ``gguf``;
    ``pickle`` for one without torch).
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


class Values(Protocol):
    """One tensor of an index: what is known of it, and how its values are fetched."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    @property
    def dtype(self) -> str:
        """Its stored type's usual name."""

    def read(self) -> npt.NDArray[Any]:
        """See :meth:`Reader.read`."""

    def pieces(self) -> Iterator[FloatArray]:
        """See :meth:`Reader.chunks`."""


@dataclass(frozen=True)
class Contents:
    """What a format's module finds in a file: an index whose values are still unread."""

    format: str
    tensors: Mapping[str, Values]
    counters: Mapping[str, float] = field(default_factory=dict)
    architecture: str = ""


class TensorReader:
    """The :class:`Reader` over any :class:`Contents`; it takes the ``resources`` over and closes them."""

    def __init__(self, label: str, contents: Contents, resources: ExitStack) -> None:
        """Raises NoWeightsError where no tensor is floating-point, LimitExceededError for too many tensors."""
        _check(label, contents.tensors)
        self._label = label
        self._resources = resources.pop_all()
        self._values = {name: values for name, values in contents.tensors.items() if math.prod(values.shape)}
        self.format = contents.format
        self.counters = contents.counters
        self.architecture = contents.architecture
        self.tensors = tuple(TensorSpec(name, tuple(v.shape), v.dtype) for name, v in self._values.items())

    def read(self, name: str) -> npt.NDArray[Any]:
        """See :meth:`Reader.read`."""
        values = self._find(name)
        with border(self._label, f"tensor {name}"):
            return values.read()

    def chunks(self, name: str) -> Iterator[FloatArray]:
        """See :meth:`Reader.chunks`."""
        values = self._find(name)
        with border(self._label, f"tensor {name}"):
            yield from values.pieces()

    def close(self) -> None:
        """See :meth:`Reader.close`."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _find(self, name: str) -> Values:
        if name not in self._values:
            raise CorruptFileError(f"{self._label}: there is no tensor {name!r}")
        return self._values[name]


def _check(label: str, tensors: Mapping[str, Values]) -> None:
    if len(tensors) > MAX_TENSORS:
        raise LimitExceededError(f"{label}: {len(tensors)} tensors, more than {MAX_TENSORS}")
    if any(len(name) > MAX_NAME for name in tensors):
        raise LimitExceededError(f"{label}: a tensor's name is longer than {MAX_NAME} characters")
    if not any(is_weight(values.dtype) and math.prod(values.shape) for values in tensors.values()):
        raise NoWeightsError(f"{label}: holds no floating-point tensor")

"""The columns of the index of a built zoo, ``index.arrow``: one row a model, in the order of their digests.

An Arrow IPC file (uncompressed, so that it is read where it lies, through a memory map). What a search touches first,
ids, signatures and sketches, are columns of their own; what only a closer look needs, the tensors, are lists, one entry
a tensor in natural order of names. Names, shapes and types are the same in all checkpoints of one architecture: such a
``layout`` is written once, as JSON ``[[name, shape, dtype], …]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

INDEX = "index.arrow"
"""Its name in the folder of a build."""

VERSION = 1
"""Raise it when a column changes its name, its type or its meaning; older files are then refused."""

ROWS = 4096
"""Rows of one record batch."""

ABOUT = b"lgraph"
"""Key of the file's metadata: JSON with the ``version`` of this schema and the ``fingerprint`` schema, and what the
writer tells of the zoo as a whole."""

CHECKPOINT = ("id", "digest", "path", "source", "arch", "created", "declared_parents")
"""Fields of a checkpoint that are columns; all others are claims."""

NUMBERS = ("mean", "std", "norm", "kurtosis", "zeros")
"""Fields of a tensor's fingerprint that are doubles, each a column of lists."""


def schema(about: bytes) -> pa.Schema:
    """The columns, with ``about`` as the file's metadata."""
    import pyarrow as pa

    text, floats = pa.string(), pa.large_list(_item(pa.float32()))
    fields = [
        ("id", text, False),
        ("digest", text, False),
        ("signature", text, False),
        ("sketch", floats, False),  # sketch.WIDE of them, or none
        ("path", text, False),  # posix, relative to the folder of the index
        ("source", text, False),
        ("arch", text, True),
        ("created", pa.date32(), True),
        ("declared_parents", pa.list_(_item(text)), False),
        ("claims", text, True),  # what else people say of the model, as JSON; null: nothing
        ("format", text, False),
        ("architecture", text, False),
        ("parameters", pa.int64(), False),
        ("counters", pa.map_(text, pa.float64()), False),
        ("features_group", text, True),  # null: no features were asked for
        ("features_note", text, True),
        ("features_anchored", floats, False),
        ("features_plain", floats, False),
        ("layout", pa.dictionary(pa.int32(), text), False),
        ("hash", pa.large_list(_item(pa.binary(16))), False),
        *((name, pa.large_list(_item(pa.float64())), False) for name in NUMBERS),
        ("weight", pa.large_list(_item(pa.bool_())), False),
        ("bits", pa.large_list(_item(pa.uint8())), False),
        ("levels", pa.large_list(_item(pa.uint16())), False),
        ("sketched", pa.large_list(_item(pa.uint16())), False),  # values of each tensor in tensor_sketch
        ("profiled", pa.large_list(_item(pa.uint16())), False),  # and in profile
        ("tensor_sketch", floats, False),
        ("profile", floats, False),
    ]
    made = [pa.field(name, kind, nullable=nullable) for name, kind, nullable in fields]
    return pa.schema(made, metadata={ABOUT: about})


def _item(kind: pa.DataType) -> pa.Field:
    import pyarrow as pa

    return pa.field("item", kind, nullable=False)

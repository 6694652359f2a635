"""Every bound that a checkpoint is held to, with its reason. A file beyond one is refused, never read halfway."""

from __future__ import annotations

MAX_HEADER_BYTES = 100_000_000
"""Largest index of names and shapes. The safetensors format sets this same bound."""

MAX_TENSORS = 400_000
"""Most tensors in one checkpoint: several times the largest published mixture of experts."""

MAX_SHARDS = 2000
"""Most files that one model is spread over, since all are open at once."""

MAX_MEMBERS = 400_000
"""Most members of a zip archive; each takes about a kilobyte of memory."""

MAX_NAME = 1024
"""Longest tensor name in characters; a tree of long keys would otherwise multiply into gigabytes of names."""

MAX_NAMES = 64 << 20
"""Most characters in the names of one pickle's tensors together."""

MAX_RANK = 64
"""Most dimensions of a tensor; numpy's own bound."""

MAX_AXIS = 1 << 62
"""Largest extent of an axis: beyond it, sizes are no number that a machine has."""

MAX_DEPTH = 64
"""Deepest nesting of dicts, modules and groups around a tensor; real models stay below 20."""

MAX_NODES = 4_000_000
"""Most objects visited while weights are looked for, so that shared references cannot unfold without end."""

MAX_PICKLE_OPCODES = 2_000_000
"""Longest pickle program: about 60,000 tensors, or a few seconds of interpreting."""

MAX_PICKLE_BYTES = 384 << 20
"""Most bytes of literals in a pickle, since those are held in memory, sometimes twice; each byte of a text counts four
times, since that is what it can take."""

MAX_TYPED_BYTES = 256 << 20
"""Largest ONNX initializer that is not a run of raw bytes, since the library unpacks it in memory."""

MAX_FIELDS = 400_000
"""Most protocol buffer fields looked at in one ONNX file: some 40,000 initializers, and a second or two."""

MAX_WORDS = 4_000_000
"""Most strings in the arrays of a GGUF header: sixteen times the largest vocabulary."""

MAX_KEY = 65_535
"""Longest name of a GGUF metadata field; the format's own bound."""

MAX_EXPANDED = 1 << 26
"""Most elements of a tensor that repeats a smaller storage (stride 0) or is sparse: 256 MiB of float32."""

MAX_SHARING = 64
"""How often the tensors of a file may read its bytes over, at one byte an element; layers that share weights stay far
below. ``SHARING_FREE`` elements are always allowed."""

SHARING_FREE = 1 << 28
"""Elements that tensors may take from a small file together, before ``MAX_SHARING`` holds: 1 GiB of float32."""

MAX_JSON_BYTES = 64 << 20
"""Largest JSON text: a header, a config, a shard index, an agent's data."""

MAX_JSON_PARTS = 2_000_000
"""Most commas and brackets in a JSON text, each of which can stand for an object of some 200 bytes."""

MAX_INFLATION = 200
"""Highest ratio of unpacked to packed bytes for a large part: weights hardly compress, bombs reach 1000."""

INFLATION_FREE_BYTES = 64 << 20
"""Parts that unpack to less than this are not held to ``MAX_INFLATION``: a bias of zeros may compress well."""

MAX_INFLATED_BYTES = 16 << 30
"""Most bytes that the compressed members of one archive may unpack to together."""

MAX_CHUNK_BYTES = 64 << 20
"""Largest chunk of a packed HDF5 dataset, which is unpacked whole whatever part of it is asked for."""

MAX_UNPACKING = 4
"""How often the compressed members of an archive may be unpacked over while it is open, beside 1 GiB: going backwards
in one starts it anew."""

UNPACKING_FREE_BYTES = 1 << 30
"""Bytes that may always be unpacked, before ``MAX_UNPACKING`` holds."""

MAX_HOLES = 200
"""Highest ratio of a file's size to what it takes on disk; ``HOLES_FREE_BYTES`` are always allowed."""

HOLES_FREE_BYTES = 1 << 30
"""Files of less than this may be nothing but a hole."""

REMAP_BYTES = 256 << 20
"""Bytes read through a memory mapping before it is released, so that resident memory stays flat."""

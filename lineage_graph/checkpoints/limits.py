"""Every bound that a checkpoint is held to, with its reason. A file beyond one is refused, never read halfway."""

from __future__ import annotations

MAX_HEADER_BYTES = 100_000_000
"""Largest index of names and shapes (JSON header, zip directory). The safetensors format sets this same bound."""

MAX_TENSORS = 1_000_000
"""Most tensors in one checkpoint: ten times the largest published mixture of experts."""

MAX_NAME = 1024
"""Longest tensor name in characters; a tree of long keys would otherwise multiply into gigabytes of names."""

MAX_RANK = 64
"""Most dimensions of a tensor; numpy's own bound."""

MAX_DEPTH = 64
"""Deepest nesting of dicts, modules and groups around a tensor; real models stay below 20."""

MAX_NODES = 4_000_000
"""Most objects visited while weights are looked for, so that shared references cannot unfold without end."""

MAX_PICKLE_OPCODES = 2_000_000
"""Longest pickle program: about 60,000 tensors, or a few seconds of interpreting."""

MAX_PICKLE_BYTES = 1 << 30
"""Largest pickle whose values lie inside it, since those are held in memory."""

MAX_EXPANDED = 1 << 26
"""Most elements of a tensor that repeats a smaller storage (stride 0) or is sparse: 256 MiB of float32."""

MAX_JSON_BYTES = 64 << 20
"""Largest JSON file read beside the weights (config, shard index, agent data)."""

MAX_INFLATION = 200
"""Highest ratio of unpacked to packed bytes for a large part: weights hardly compress, bombs reach 1000."""

INFLATION_FREE_BYTES = 64 << 20
"""Parts that unpack to less than this are not held to ``MAX_INFLATION``: a bias of zeros may compress well."""

MAX_INFLATED_BYTES = 16 << 30
"""Most bytes that the compressed members of one archive may unpack to together."""

REMAP_BYTES = 256 << 20
"""Bytes read through a memory mapping before it is released, so that resident memory stays flat."""

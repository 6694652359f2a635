"""Agents of reinforcement-learning libraries: torch archives inside a zip.

Stable-Baselines3 (https://stable-baselines3.readthedocs.io/en/master/guide/save_format.html) stores ``policy.pth``,
the optimizers, and in ``data`` the constructor's arguments as JSON, of which only the counters are read.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack

from lineage_graph.checkpoints.base import Contents
from lineage_graph.checkpoints.counters import counters_in
from lineage_graph.checkpoints.jsons import parse_object
from lineage_graph.checkpoints.limits import MAX_JSON_BYTES
from lineage_graph.checkpoints.pytorch import read_pytorch
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.zips import Archive
from lineage_graph.errors import NoWeightsError

_ENDINGS = (".pth", ".pt")
_POLICY = "policy"
_OPTIMIZER = "optim"
_DATA = "data"
_BLOCK = 1 << 20


def weight_members(archive: Archive) -> list[str]:
    """The members that are torch files of weights, the policy first, then by size."""
    names = [name for name in archive.names if name.endswith(_ENDINGS) and _OPTIMIZER not in name]
    return sorted(names, key=lambda name: (not name.rsplit("/", 1)[-1].startswith(_POLICY), -archive.member(name).size))


def read_agent(archive: Archive, resources: ExitStack) -> Contents:
    """The index of the policy inside an agent's zip. Raises NoWeightsError where there is none."""
    members = weight_members(archive)
    if not members:
        raise NoWeightsError(f"{archive.label}: the archive holds no torch file of weights")
    source = archive.member(members[0])
    if not archive.stored(members[0]):
        source = _unpacked(source, resources)
    contents = read_pytorch(source, None)
    counters = dict(contents.counters)
    if _DATA in archive and archive.member(_DATA).size <= MAX_JSON_BYTES:
        data = archive.member(_DATA)
        counters |= counters_in(parse_object(data.read(0, data.size), data.label))
    return Contents(contents.format, contents.tensors, counters, contents.architecture)


def _unpacked(source: ByteSource, resources: ExitStack) -> ByteSource:
    """A compressed member in a nameless temporary file, since an archive inside is read in no order."""
    file = resources.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    for start in range(0, source.size, _BLOCK):
        file.write(source.read(start, min(_BLOCK, source.size - start)))
    file.flush()
    return ByteSource(file, 0, source.size, source.label)

"""Reading in pieces keeps memory small, and opening imports nothing heavy."""

import json
import os
import struct
import subprocess
import sys

import pytest

BYTES = 256 << 20

READ = """
import resource, sys
from pathlib import Path
from lineage_graph.checkpoints import open_checkpoint
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open_checkpoint(Path(sys.argv[1])) as reader:
    total = sum(float(piece.sum()) for spec in reader.tensors for piece in reader.chunks(spec.name))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(total, (after - before) // 1024, "torch" in sys.modules)
"""


def read_apart(path):
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    total, grown, torch = done.stdout.split()
    return float(total), int(grown), torch == "True"


def test_a_large_safetensors_file(tmp_path):
    """One tensor of 256 MiB, a hole on disk but for its last value."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [BYTES // 4], "data_offsets": [0, BYTES]}}).encode()
    with (tmp_path / "x").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.seek(BYTES - 4, os.SEEK_CUR)
        file.write(struct.pack("<f", 1.5))
    total, grown, torch = read_apart(tmp_path / "x")
    assert total == 1.5
    assert grown < 40
    assert not torch


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("refused", [False, True])
def test_a_large_torch_file(tmp_path, legacy, refused):
    """Mapped by torch, memory stays below its library and one window; else within a few MiB, and without torch."""
    import argparse

    import torch

    mapped = not legacy and not refused
    elements = (48 if mapped else 16) << 20
    state = {"a": torch.ones(elements), "b": torch.ones(elements)}
    extra = {"args": argparse.Namespace()} if refused else {}
    torch.save({"state_dict": state, **extra}, tmp_path / "x", _use_new_zipfile_serialization=not legacy)
    total, grown, torch_imported = read_apart(tmp_path / "x")
    assert total == 2 * elements
    assert torch_imported == mapped
    assert grown < (540 if mapped else 40)


def test_importing_the_readers_is_light():
    """No library that only one format needs."""
    code = "import sys, lineage_graph.checkpoints; print([m for m in sys.modules if '.' not in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "h5py", "onnx", "gguf", "safetensors", "ml_dtypes", "joblib", "pandas"}
    assert heavy.isdisjoint(eval(done.stdout))

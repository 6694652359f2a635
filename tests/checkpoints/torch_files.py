"""Writing PyTorch files, and comparing what is read with what was written."""

import argparse

import numpy as np
import torch

from lineage_graph.checkpoints import open_checkpoint

REFUSED = argparse.Namespace(note="torch's own loader refuses a file with this inside")


def save(path, value, legacy=False):
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    return path


def names(path):
    with open_checkpoint(path) as reader:
        return [spec.name for spec in reader.tensors]


def agree(path, expected):
    """Whole and in pieces, the file holds these tensors and no others."""
    with open_checkpoint(path) as reader:
        assert {spec.name: spec.shape for spec in reader.tensors} == {k: tuple(v.shape) for k, v in expected.items()}
        for name, tensor in expected.items():
            values = tensor.detach().to(torch.float32).numpy()
            np.testing.assert_array_equal(reader.read(name).astype(np.float32), values)
            np.testing.assert_array_equal(np.concatenate([p.copy() for p in reader.chunks(name)]), values.reshape(-1))

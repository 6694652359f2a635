"""Every published checkpoint of the collection opens, and its values are what the formats' own libraries read."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from lineage_graph.checkpoints import open_checkpoint, weight_files

WILD = Path(__file__).parents[3] / "shared" / "wild"
FAMILIES = {
    "ai8x": 40,
    "fedavg": 9,
    "pretrain_gnns": 10,
    "proteinmpnn": 2,
    "retinaface": 17,
    "rl_agents": 50,
    "strangers": 6,
    "textgenrnn": 23,
    "toylora": 3,
}

pytestmark = pytest.mark.skipif(not WILD.is_dir(), reason="the collection of real checkpoints is not here")


def files(family):
    return sorted(path for path in (WILD / family).iterdir() if path.suffix not in (".yaml", ".md"))


def joined(reader, name):
    return np.concatenate([piece.copy() for piece in reader.chunks(name)])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_file_reads(family):
    assert len(files(family)) == FAMILIES[family]
    for path in files(family):
        assert weight_files(path) == (path,)
        with open_checkpoint(path) as reader:
            for spec in reader.tensors:
                values = reader.read(spec.name)
                assert values.shape == spec.shape
                assert np.isfinite(values).all()
                np.testing.assert_array_equal(joined(reader, spec.name), values.reshape(-1).astype(np.float32))


@pytest.mark.parametrize("family", ["fedavg", "pretrain_gnns", "retinaface", "toylora"])
def test_values_agree_with_torch(family):
    import torch

    for path in files(family):
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("state_dict", state)
        prefix = "module." if all(name.startswith("module.") for name in state) else ""
        with open_checkpoint(path) as reader:
            assert {f"{prefix}{spec.name}" for spec in reader.tensors} == {n for n, t in state.items() if t.numel()}
            for spec in reader.tensors:
                np.testing.assert_array_equal(reader.read(spec.name), state[prefix + spec.name].numpy())


def test_values_agree_with_hdf5():
    import h5py

    for path in files("textgenrnn"):
        with open_checkpoint(path) as reader, h5py.File(path) as file:
            for spec in reader.tensors:
                np.testing.assert_array_equal(reader.read(spec.name), file[spec.name][()])


def test_both_spellings_of_one_model_have_equal_values():
    """A joblib pickle of JAX arrays, converted from a torch file: the same matrices, transposed."""
    pickled, saved = files("proteinmpnn")
    with open_checkpoint(pickled) as first, open_checkpoint(saved) as second:

        def norms(reader):
            matrices = [spec.name for spec in reader.tensors if len(spec.shape) == 2]
            return sorted(float(np.linalg.norm(reader.read(name))) for name in matrices)

        np.testing.assert_allclose(norms(first), norms(second), rtol=1e-6)


def test_what_the_files_say_of_themselves():
    with open_checkpoint(WILD / "ai8x" / "m04.pth.tar") as reader:
        assert isinstance(reader.counters, dict | OrderedDict)
        assert reader.architecture == "ai85aslnet"
        assert reader.counters == {"epoch": 90.0, "optimizer_step": 23387.0}
    with open_checkpoint(WILD / "rl_agents" / "m01.zip") as reader:
        assert reader.counters == {"num_timesteps": 1900000.0, "n_updates": 1181.0}

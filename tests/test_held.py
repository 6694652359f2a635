"""What a worker holds of a model changes no bit of a comparison, and is bounded."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from lineage_graph import held
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.comparison import TensorPair, compare_tensors
from lineage_graph.errors import CorruptFileError
from lineage_graph.held import HeldModel, Side, opened
from lineage_graph.sketch import BLOCK


@pytest.fixture(autouse=True)
def nothing_held():
    held._held.clear()
    yield
    held._held.clear()


def saved(path, **state):
    save_file({name: np.ascontiguousarray(values) for name, values in state.items()}, path)
    return path


SHAPES = [(40, 24), (5, 60), (300, 7), (8, 3, 3, 3), (17,), (1,), (3, BLOCK), (2 * BLOCK + 11,), (260, 300)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("step", [0.0, 0.1, 5.0])
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_held_models_compare_to_the_same_bits(tmp_path, shape, step, dtype):
    dice = np.random.default_rng(len(shape))
    x, noise = dice.normal(size=(2, *shape))
    files = [saved(tmp_path / f"{number}", w=(x + number * step * noise).astype(dtype)) for number in range(2)]
    means = [float(x.mean()), float((x + step * noise).mean())]
    pair = TensorPair("w", "w", x.size, shape[0] if len(shape) > 1 else 0, *means)
    with open_checkpoint(files[0]) as a, open_checkpoint(files[1]) as b:
        expected = compare_tensors(a, b, pair)
    sides = [opened(Side(str(file), file.name)) for file in files]
    assert all(isinstance(side, HeldModel) for side in sides)
    for _ in range(2):  # made, and taken again
        assert str(held.compare(*sides, pair)) == str(expected)


def test_what_is_made_of_a_tensor_is_made_once(tmp_path):
    made = []
    a = opened(Side(str(saved(tmp_path / "a", w=np.ones((3, 2), np.float32))), "a"))
    found = [held.derived(a, "w", "sum", lambda values: made.append(1) or float(values.sum())) for _ in range(3)]
    assert (found, len(made)) == ([6.0] * 3, 1)
    with pytest.raises(ValueError, match="read-only"):
        held.whole(a, "w")[0, 0] = 2


def test_a_file_of_another_digest_is_read_anew(tmp_path):
    file = saved(tmp_path / "a", w=np.zeros(4, np.float32))
    opened(Side(str(file), "before"))
    saved(file, w=np.ones(4, np.float32))
    for digest in ("after", ""):
        with opened(Side(str(file), digest)) as reader:
            assert reader.read("w").sum() == 4
    assert list(held._held) == ["before", "after"]


def test_few_models_are_held_and_large_ones_never(tmp_path, monkeypatch):
    files = [saved(tmp_path / name, w=np.zeros(100, np.float32)) for name in "abc"]
    monkeypatch.setattr(held, "HELD_BYTES", 2 * held.COPIES * 400)
    for name in "abac":
        opened(Side(str(files["abc".index(name)]), name))
    assert list(held._held) == ["a", "c"]
    monkeypatch.setattr(held, "LARGEST_HELD", 99)
    with opened(Side(str(files[1]), "b")) as reader:
        assert not isinstance(reader, HeldModel)
        assert reader.read("w").shape == (100,)


def test_a_tensor_that_is_not_there_is_named(tmp_path):
    file = saved(tmp_path / "a", w=np.zeros(4, np.float32), count=np.zeros(1, np.int64))
    with opened(Side(str(file), "a")) as reader, pytest.raises(CorruptFileError, match=r"a: there is no tensor 'v'"):
        reader.read("v")
    assert [spec.name for spec in reader.tensors] == ["w"]

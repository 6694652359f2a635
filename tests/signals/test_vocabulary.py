import math

import numpy as np
import pytest
from safetensors.numpy import save_file

from lineage_graph import evidence, fingerprint
from lineage_graph.held import Side
from lineage_graph.signals.vocabulary import measure
from lineage_graph.types import Checkpoint, Model
from pairs import context

TABLES = ("embeddings.word.weight", "head.weight")


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def net(generator, words=60, classes=10):
    return {
        "embeddings.word.weight": generator.standard_normal((words, 16)),
        "body.weight": generator.standard_normal((24, 16)),
        "head.weight": generator.standard_normal((classes, 24)),
    }


def longer(generator, state, name, rows):
    """Trained a little further, with new rows at the end of one table."""
    moved = {name: w + 0.1 * generator.standard_normal(w.shape) for name, w in state.items()}
    return moved | {name: np.concatenate([moved[name], generator.standard_normal((rows, state[name].shape[1]))])}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("piece", [7, 1 << 20])
def test_the_longer_table_is_the_child_s(generator, name, piece):
    a = net(generator)
    b = longer(generator, a, name, 5)
    grown = math.log((len(a[name]) + 5) / len(a[name]))
    assert measure(context(a, b, piece=piece))["rows_added"] == pytest.approx(grown)
    assert measure(context(b, a, piece=piece))["rows_added"] == pytest.approx(-grown)


def test_a_new_head_and_another_vocabulary_were_not_added_to(generator):
    a = net(generator)
    b = longer(generator, net(generator, words=50, classes=12), "body.weight", 0) | {"body.weight": a["body.weight"]}
    assert measure(context(a, b)) == {}


def test_rows_that_moved_up_were_not_cut_off_the_end(generator):
    a = net(generator)
    left = np.delete(a["embeddings.word.weight"], np.arange(3, 40, 2), axis=0)
    assert measure(context(a, a | {"embeddings.word.weight": left})) == {}


def test_equal_and_tiny_tables_say_nothing(generator):
    a = net(generator, classes=3)
    assert measure(context(a, a)) == measure(context(a, longer(generator, a, "head.weight", 2))) == {}


def test_files_are_compared_as_far_as_both_go(generator, tmp_path):
    """The leading rows come with the comparison of the pair, and take no part in its distance."""
    a = net(generator)
    sides = []
    for name, state in (("a", a), ("b", longer(generator, a, "embeddings.word.weight", 20))):
        path = str(tmp_path / f"{name}.safetensors")
        save_file({key: w.astype(np.float32) for key, w in state.items()}, path)
        one = fingerprint.compute(fingerprint.FingerprintTask(path, name))
        sides.append(Model(Checkpoint(name, path, name, "path"), one))
    matched = evidence.align(*(side.fingerprint for side in sides))
    tensors = evidence.compare(evidence.plan(*(Side(side.checkpoint.path) for side in sides), matched))
    assert [(t.name_a, t.layout, t.size) for t in tensors] == [
        ("body.weight", "", 24 * 16),
        ("embeddings.word.weight", "rows", 60 * 16),
    ]
    found = evidence.gather(*sides, evidence.weigh(*(side.fingerprint for side in sides), matched, tensors), tensors)
    assert found.signals["rows_added"] == pytest.approx(math.log(80 / 60))
    assert [t.name_a for t in found.tensors] == ["body.weight"]
    assert found.signals["distance"] == pytest.approx(0.1, abs=0.02)

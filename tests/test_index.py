"""The index of a built zoo gives back what went in, in one file that is the same every time."""

import datetime
import random
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fingerprints
from lineage_graph import fingerprint, index, index_schema
from lineage_graph.errors import IndexFileError, OutputError
from lineage_graph.index import Index
from lineage_graph.types import Checkpoint, LinearizedFeatures, Model


def made(number, **claims):
    """A model with matrices, a bias and no features; two widths."""
    generator = np.random.default_rng(number)
    width = 12 if number % 3 else 16
    state = {
        "a.weight": generator.standard_normal((width, 24)),
        "a.bias": generator.standard_normal(width),
        "b.weight": generator.standard_normal((8, width)),
    }
    return fingerprints.model(f"m{number}", state, {"epoch": float(number)} if number % 2 else {}, **claims)


def with_features(model, group="test_vit@64"):
    width = len(model.fingerprint.sketch)
    sketches = [np.full(width, value, dtype=np.float32) for value in (0.25, 0.5)]
    return Model(model.checkpoint, model.fingerprint, LinearizedFeatures(group, "a note", *sketches))


def plain(model):
    """Everything of a model that can be compared with ==."""
    features = model.features
    return (
        model.checkpoint,
        fingerprint.to_bytes(model.fingerprint),
        features and (features.group, features.note, features.anchored.tolist(), features.plain.tolist()),
    )


@pytest.fixture
def models(tmp_path):
    claims = {"arch": "test_vit", "created": datetime.date(2024, 5, 1), "declared_parents": ("m2", "élève \x1b[31m")}
    some = [made(1, **claims), with_features(made(2)), made(3), made(4)]
    none = Model(some[3].checkpoint, some[3].fingerprint, LinearizedFeatures("", "no network"))
    return [*some[:3], none]


def test_what_goes_in_comes_out(models, tmp_path):
    index.write(tmp_path, models, {"name": "zoo"})
    with Index(tmp_path) as found:
        assert len(found) == 4
        assert found.about["name"] == "zoo"
        assert [plain(one) for one in found.models()] == [plain(one) for one in sorted(models, key=index.order)]


def test_models_outlive_the_open_file(models, tmp_path):
    index.write(tmp_path, models, {})
    with Index(tmp_path) as found:
        kept = found.models()
    (tmp_path / index_schema.INDEX).unlink()
    assert [plain(one) for one in kept] == [plain(one) for one in sorted(models, key=index.order)]


def test_the_bytes_depend_on_the_models_alone(models, tmp_path):
    first = index.write(tmp_path, models, {"name": "zoo"}).read_bytes()
    random.Random(0).shuffle(models)
    assert index.write(tmp_path, models, {"name": "zoo"}).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == [index_schema.INDEX]


def test_batches_are_a_matter_of_memory_only(models, tmp_path, monkeypatch):
    monkeypatch.setattr(index, "ROWS", 2)
    index.write(tmp_path, models, {})
    with Index(tmp_path) as found:
        assert [plain(one) for one in found.models()] == [plain(one) for one in sorted(models, key=index.order)]
        assert [start for start, _ in found.sketches()] == [0, 2]
        assert found.column("id") == [one.id for one in sorted(models, key=index.order)]


def test_sketches_are_read_where_they_lie(models, tmp_path):
    index.write(tmp_path, models, {})
    expected = np.stack([one.fingerprint.sketch for one in sorted(models, key=index.order)])
    with Index(tmp_path) as found:
        ((start, sketches),) = found.sketches()
        assert (start, sketches.tolist()) == (0, expected.tolist())
        assert not sketches.flags.owndata
        ((_, anchored),) = found.sketches("features_anchored")
        assert sorted(anchored[:, 0]) == [0, 0, 0, 0.25]


def test_paths_are_relative_so_that_outputs_move_with_the_models(models, tmp_path):
    inside = Checkpoint("m", str(tmp_path / "zoo" / "a.safetensors"), models[0].checkpoint.digest, "path")
    (tmp_path / "out").mkdir()
    index.write(tmp_path / "out", [Model(inside, models[0].fingerprint)], {})
    assert str(tmp_path).encode() not in (tmp_path / "out" / index_schema.INDEX).read_bytes()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").rename(tmp_path / "elsewhere" / "out")
    with Index(tmp_path / "elsewhere" / "out") as found:
        assert found.models([0])[0].checkpoint.path == str(tmp_path / "elsewhere" / "zoo" / "a.safetensors")


def test_an_empty_zoo_has_an_index(tmp_path):
    index.write(tmp_path, [], {})
    with Index(tmp_path) as found:
        assert found.models() == []


def test_a_folder_without_an_index_says_to_build_again(tmp_path):
    with pytest.raises(IndexFileError, match=r"holds no index\.arrow; build the zoo again"):
        Index(tmp_path)


def test_another_version_is_refused(models, tmp_path, monkeypatch):
    index.write(tmp_path, models, {})
    monkeypatch.setattr(index, "VERSION", 99)
    with pytest.raises(IndexFileError, match=r"another version of lgraph; build the zoo again"):
        Index(tmp_path)


def test_another_arrow_file_is_no_index(tmp_path):
    import pyarrow as pa

    table = pa.table({"id": ["a"]})
    with pa.OSFile(str(tmp_path / index_schema.INDEX), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(IndexFileError, match="no index of a zoo; build the zoo again"):
        Index(tmp_path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 1), flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), max_size=3))
def test_a_damaged_index_is_one_error_or_still_a_list_of_models(tmp_path, cut, flips):
    """Numbers that were changed inside cannot be noticed; offsets, texts and the structure are."""
    whole = index.write(tmp_path, [made(1), with_features(made(2)), made(3)], {}).read_bytes()
    data = bytearray(whole[: int(len(whole) * cut) + 1])
    for place, mask in flips:
        data[int(place * len(data))] ^= mask
    (tmp_path / index_schema.INDEX).write_bytes(data)
    with suppress(IndexFileError), Index(tmp_path) as found:
        found.models()
        list(found.sketches())


def test_a_cut_index_says_to_build_again(models, tmp_path):
    path = index.write(tmp_path, models, {})
    for size in (0, 7, 1000, path.stat().st_size - 1):
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(IndexFileError, match=r"damaged .*; build the zoo again"):
            Index(tmp_path)
        index.write(tmp_path, models, {})


def test_a_place_that_cannot_be_written_is_one_error(models, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="out"):
        index.write(tmp_path / "out", models, {})


def test_a_row_takes_a_few_kilobytes(tmp_path):
    size = index.write(tmp_path, [made(number) for number in range(200)], {}).stat().st_size / 200
    assert size < 4096

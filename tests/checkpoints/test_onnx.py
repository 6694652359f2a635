"""ONNX: raw, typed and packed initializers, and data in files beside the model."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from checkpoints.samples import arrays
from lineage_graph.checkpoints import open_checkpoint, weight_files
from lineage_graph.errors import CorruptFileError, MissingExtraError, TruncatedFileError, UnreadableFileError


def save(path, initializers, **options):
    node = helper.make_node("Identity", ["x"], ["y"])
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])]
    model = helper.make_model(helper.make_graph([node] * 3, "graph", inputs, [], initializers))
    onnx.save_model(model, path, **options)
    return path


def test_typed_and_packed_values(tmp_path):
    float4 = helper.make_tensor("float4", TensorProto.FLOAT4E2M1, [3], [0.5, -1.0, 6.0])
    initializers = [
        helper.make_tensor("floats", TensorProto.FLOAT, [2, 2], [1.0, 2.0, 3.0, 4.0]),
        helper.make_tensor("doubles", TensorProto.DOUBLE, [2], [0.1, 0.2]),
        helper.make_tensor("longs", TensorProto.INT64, [2], [-1, 1 << 40]),
        helper.make_tensor("halves", TensorProto.FLOAT16, [2], [0.5, -2.0]),
        helper.make_tensor("bfloats", TensorProto.BFLOAT16, [2], [0.5, -3.0]),
        helper.make_tensor("nibbles", TensorProto.INT4, [3], [-8, 7, 1]),
        float4,
        helper.make_tensor("texts", TensorProto.STRING, [1], [b"a"]),
    ]
    with open_checkpoint(save(tmp_path / "x", initializers)) as reader:
        values = {spec.name: reader.read(spec.name).tolist() for spec in reader.tensors}
        assert values == {
            "floats": [[1.0, 2.0], [3.0, 4.0]],
            "doubles": [0.1, 0.2],
            "longs": [-1, 1 << 40],
            "halves": [0.5, -2.0],
            "bfloats": [0.5, -3.0],
            "nibbles": [-8, 7, 1],
            "float4": [0.5, -1.0, 6.0],
        }
        assert {spec.name: spec.dtype for spec in reader.tensors}["bfloats"] == "bfloat16"
        assert np.concatenate(list(reader.chunks("nibbles"))).tolist() == [-8.0, 7.0, 1.0]


def external(folder, **entries):
    """A model with one initializer in ``data`` beside it, its location rewritten."""
    tensor = numpy_helper.from_array(np.arange(6, dtype=np.float32), "w")
    (folder / "data").write_bytes(b"\0" * 8 + tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "data", "offset": "8", "length": "24", **entries}.items():
        tensor.external_data.add(key=key, value=value)
    return save(folder / "x", [tensor, numpy_helper.from_array(np.ones(2, np.float32), "b")])


def test_external_data(tmp_path):
    path = external(tmp_path)
    assert weight_files(path) == (tmp_path / "data", path)
    with open_checkpoint(path) as reader:
        assert reader.read("w").tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        assert reader.read("b").tolist() == [1.0, 1.0]


def test_external_data_as_the_library_writes_it(tmp_path):
    initializers = [numpy_helper.from_array(array, name) for name, array in arrays().items()]
    options = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}
    path = save(tmp_path / "x.onnx", initializers, **options)
    assert [file.name for file in weight_files(path)] == ["weights.bin", "x.onnx"]
    with open_checkpoint(path) as reader:
        for name, array in arrays().items():
            np.testing.assert_array_equal(reader.read(name), array)


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ({"location": "../data"}, CorruptFileError),
        ({"location": "/etc/hostname"}, CorruptFileError),
        ({"location": ""}, CorruptFileError),
        ({"location": "absent"}, UnreadableFileError),
        ({"length": "20"}, CorruptFileError),
        ({"offset": "16"}, TruncatedFileError),
        ({"offset": "-8"}, TruncatedFileError),
        ({"offset": "x"}, CorruptFileError),
    ],
)
def test_external_data_that_leads_elsewhere(tmp_path, entries, error):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "data").write_bytes(b"\0" * 100)
    with pytest.raises(error):
        open_checkpoint(external(folder, **entries))


def test_a_shape_that_its_values_do_not_fill(tmp_path):
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "w")
    tensor.dims[0] = 1 << 40
    with pytest.raises(CorruptFileError, match="16 bytes for a shape"):
        open_checkpoint(save(tmp_path / "x", [tensor]))
    tensor = helper.make_tensor("w", TensorProto.INT64, [4], [1, 2, 3, 4])
    tensor.dims[0] = 1 << 40
    with pytest.raises(CorruptFileError, match="beyond its storage"):
        open_checkpoint(save(tmp_path / "y", [tensor]))


def test_two_initializers_of_one_name(tmp_path):
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "w")
    with pytest.raises(CorruptFileError, match="'w'"):
        open_checkpoint(save(tmp_path / "x", [tensor, tensor]))


def test_the_library_is_asked_for_only_where_it_is_needed(tmp_path, monkeypatch):
    raw = save(tmp_path / "raw", [numpy_helper.from_array(np.ones(2, np.float32), "w")])
    typed = save(tmp_path / "typed", [helper.make_tensor("w", TensorProto.FLOAT16, [1], [1.0])])
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with open_checkpoint(raw) as reader:
        assert reader.read("w").tolist() == [1.0, 1.0]
    with pytest.raises(MissingExtraError, match=r"pip install 'lgraph\[onnx\]'"):
        open_checkpoint(typed)

"""Corners of the pickle machine that real files reach: old Pythons, odd containers, references that lead nowhere."""

import collections
import io
import pickle
import struct
import tarfile

import numpy as np
import pytest
import torch

from checkpoints.hostile import as_legacy, as_plain, as_zip, plain_weights, text, torch_weights
from checkpoints.torch_files import names, save
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import (
    CorruptFileError,
    LimitExceededError,
    NoWeightsError,
    TruncatedFileError,
    UnsafePickleError,
    UnsupportedFormatError,
)

PYTHON_2 = (
    b"\x80\x02}U\x01wcnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR(K\x01(K\x03tcnumpy\ndtype\n"
    b"(U\x02f4K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbI00\nU\x0c%stbs."
)


def test_an_array_from_python_2(tmp_path):
    as_plain(tmp_path / "x", PYTHON_2 % struct.pack("<3f", 1, -2, 3))
    with open_checkpoint(tmp_path / "x") as reader:
        assert reader.read("w").tolist() == [1.0, -2.0, 3.0]


def test_an_array_with_too_few_bytes(tmp_path):
    as_plain(tmp_path / "x", (PYTHON_2 % (b"\0" * 12)).replace(b"(K\x03t", b"(K\x05t"))
    with pytest.raises(TruncatedFileError, match="has 12 bytes"):
        open_checkpoint(tmp_path / "x")


class Slots:
    __slots__ = ("w",)

    def __init__(self):
        self.w = np.ones(3, np.float32)


class Table(dict):
    pass


class Row(list):
    pass


@pytest.mark.parametrize("protocol", [2, 4])
def test_odd_containers(tmp_path, protocol):
    array = np.ones(3, np.float32)
    value = {
        "a": Slots(),
        "b": Table(w=array),
        "c": Row([array, array]),
        "d": collections.defaultdict(list, w=array),
        "e": collections.OrderedDict(w=array),
        "f": np.array(["text", None], dtype=object),
        ("g", 1): array,
        (("h", 1), 2): array,
        5: array,
    }
    as_plain(tmp_path / "x", pickle.dumps({"state_dict": value, "scalar": np.float32(3)}, protocol))
    assert names(tmp_path / "x") == ["a.w", "b.w", "c.0", "c.1", "d.w", "e.w", "5"]


def test_weights_nested_too_deeply(tmp_path):
    value = {"w": np.ones(3, np.float32)}
    for _ in range(80):
        value = {"deeper": value}
    as_plain(tmp_path / "x", pickle.dumps(value))
    with pytest.raises(NoWeightsError):
        open_checkpoint(tmp_path / "x")


def test_the_values_on_top_can_be_dropped(tmp_path):
    as_plain(tmp_path / "x", b"\x80\x02}" + plain_weights() + b"s(K\x011(0" + b"K\x010" + b".")
    assert names(tmp_path / "x") == ["w"]


@pytest.mark.parametrize(
    ("opcodes", "error"),
    [
        (b".", CorruptFileError),
        (b"h\x05.", CorruptFileError),
        (b"t.", CorruptFileError),
        (b"\x85.", CorruptFileError),
        (b"K\x01K\x02\x93.", CorruptFileError),
        (b"\x97.", CorruptFileError),
        (b"}", TruncatedFileError),
        (b"X\xff\x00\x00\x00abc", TruncatedFileError),
        (b"cos\nsys", TruncatedFileError),
        (b"K\x01Q.", UnsafePickleError),
        (b"Psomething\n.", UnsafePickleError),
        (b"X\x02\x00\x00\x00\xff\xfe.", CorruptFileError),
        (b"I12x\n.", CorruptFileError),
    ],
)
def test_programs_that_no_pickler_writes(tmp_path, opcodes, error):
    as_plain(tmp_path / "x", b"\x80\x02" + opcodes)
    with pytest.raises(error):
        open_checkpoint(tmp_path / "x")


@pytest.mark.parametrize("container", [as_zip, as_legacy])
@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (text("storage"), text("others"), CorruptFileError),
        (text("0") + text("cpu"), b"]" + text("cpu"), CorruptFileError),
        (b"FloatStorage", b"QUInt4x2Storage", UnsupportedFormatError),
        (b"FloatStorage", b"DoubleStorage", (TruncatedFileError, CorruptFileError)),
        (b"cpu\nK\x03", b"cpu\nN", CorruptFileError),
    ],
)
def test_storages_that_are_not_there(tmp_path, container, old, new, error):
    container(tmp_path / "x", b"\x80\x02}" + torch_weights().replace(old, new) + b"s.")
    with pytest.raises(error):
        open_checkpoint(tmp_path / "x")


def test_a_legacy_file_that_lists_other_storages(tmp_path):
    as_legacy(tmp_path / "x", b"\x80\x02}" + torch_weights() + b"s.")
    data = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(data.replace(pickle.dumps(["0"], 2), pickle.dumps(["1"], 2)))
    with pytest.raises(CorruptFileError, match="list of storages"):
        open_checkpoint(tmp_path / "x")


def test_a_view_of_a_storage_in_a_legacy_file(tmp_path):
    view = (
        torch_weights()
        .replace(b"cpu\nK\x03t", b"cpu\nK\x03(" + text("v") + b"K\x01K\x02tt")
        .replace(b"K\x03\x85", b"K\x02\x85")
    )
    as_legacy(tmp_path / "x", b"\x80\x02}" + view + b"s.")
    with open_checkpoint(tmp_path / "x") as reader:
        assert reader.read("w").tolist() == [2.0, 3.0]


def test_a_module_class_with_its_source_in_a_legacy_file(tmp_path):
    save(tmp_path / "x", {"state_dict": {"w": torch.ones(2)}, "kind": torch.nn.Linear}, legacy=True)
    assert b"module" in (tmp_path / "x").read_bytes()
    assert names(tmp_path / "x") == ["w"]


def tar(path, storages, tensors, pickled):
    with tarfile.open(path, "w") as archive:
        for name, data in (("storages", storages), ("tensors", tensors), ("pickle", pickled)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def dumps(value):
    return pickle.dumps(value, 2)


STORAGES = dumps(1) + dumps((7, "cpu", torch.FloatStorage)) + struct.pack("<q4f", 4, 1, 2, 3, 4)
TENSORS = dumps(1) + dumps((8, 9, torch.FloatTensor)) + struct.pack("<ii3q", 1, 0, 2, 1, 0)
WIDE = TENSORS.replace(struct.pack("<iiq", 1, 0, 2), struct.pack("<iiq", 127, 0, 2))
ROOT = b"\x80\x02}" + text("w") + text("8") + b"Qs."


def test_a_view_in_a_tar(tmp_path):
    tar(tmp_path / "x", STORAGES + dumps([(9, 7, 2, 2)]), TENSORS, ROOT)
    with open_checkpoint(tmp_path / "x") as reader:
        assert reader.read("w").tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("storages", "tensors", "root", "error"),
    [
        (STORAGES + dumps([(9, 7, 3, 2)]), TENSORS, ROOT, CorruptFileError),
        (STORAGES + dumps([(9, 6, 0, 2)]), TENSORS, ROOT, CorruptFileError),
        (STORAGES + dumps([(9, 7, 2)]), TENSORS, ROOT, CorruptFileError),
        (STORAGES + dumps([([], 7, 2, 2)]), TENSORS, ROOT, CorruptFileError),
        (STORAGES + dumps([]), TENSORS, ROOT, CorruptFileError),
        (STORAGES.replace(struct.pack("<q", 4), struct.pack("<q", 99)) + dumps([]), TENSORS, ROOT, TruncatedFileError),
        (dumps("many"), TENSORS, ROOT, CorruptFileError),
        (dumps(1) + ROOT, TENSORS, ROOT, CorruptFileError),
        (STORAGES + dumps([(9, 7, 2, 2)]), TENSORS[:-4], ROOT, TruncatedFileError),
        (
            STORAGES + dumps([(9, 7, 2, 2)]),
            TENSORS.replace(b"\1\0\0\0\0\0\0\0\2", b"\x7f\0\0\0\0\0\0\0\2"),
            ROOT,
            LimitExceededError,
        ),
        (STORAGES + dumps([(9, 7, 2, 2)]), TENSORS, ROOT.replace(b"8", b"5"), CorruptFileError),
        (STORAGES + dumps([(9, 7, 2, 2)]), TENSORS, ROOT.replace(text("8"), b"]"), CorruptFileError),
    ],
)
def test_a_tar_that_lies(tmp_path, storages, tensors, root, error):
    tar(tmp_path / "x", storages, tensors, root)
    with pytest.raises(error):
        open_checkpoint(tmp_path / "x")


def test_any_other_tar(tmp_path):
    with tarfile.open(tmp_path / "x", "w") as archive:
        archive.addfile(tarfile.TarInfo("model.pt"), io.BytesIO())
    with pytest.raises(UnsupportedFormatError, match="none that torch wrote"):
        open_checkpoint(tmp_path / "x")


def test_a_pickle_beyond_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("lineage_graph.checkpoints.literals.MAX_PICKLE_BYTES", 100)
    as_plain(tmp_path / "x", pickle.dumps({"w": np.ones(100, np.float32)}))
    with pytest.raises(LimitExceededError, match="literals of more than"):
        open_checkpoint(tmp_path / "x")

"""Whatever is done to a file, the answer is a named error or sound values: no crash, no hang, no foreign exception."""

import random

import numpy as np
import pytest

from checkpoints.samples import WRITERS, arrays
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import (
    CheckpointError,
    DirectoryLoopError,
    EmptyFileError,
    ModelError,
    TruncatedFileError,
    UnreadableFileError,
    UnsupportedFormatError,
)

CUTS = 60
FLIPS = 300
RARE = {"torch-tar": 60, "agent": 150, "keras": 150, "keras-packed": 150}
"""Fewer flips for what is slow to open."""


def contents(path):
    with open_checkpoint(path) as reader:
        return {spec.name: reader.read(spec.name) for spec in reader.tensors}


def outcome(path):
    """The values, or the error that names the file in one line; any other exception fails the test."""
    try:
        return contents(path), None
    except ModelError as error:
        return {}, error


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of one file in every format."""
    folder = tmp_path_factory.mktemp("whole")
    files = {}
    for kind, write in WRITERS.items():
        write(folder / kind, arrays())
        files[kind] = (folder / kind).read_bytes()
    return files


@pytest.mark.parametrize("kind", WRITERS)
def test_cut_anywhere(tmp_path, whole, kind):
    """A cut file is refused; only where padding or unneeded parts were cut off do all values remain."""
    data = whole[kind]
    size = len(data)
    cuts = {*range(0, 40, 3), *range(size - 20, size), *(size * part // CUTS for part in range(CUTS))}
    intact = 0
    for cut in sorted(cuts):
        (tmp_path / "x").write_bytes(data[:cut])
        values, error = outcome(tmp_path / "x")
        if error is not None:
            assert isinstance(error, EmptyFileError if cut == 0 else CheckpointError)
            assert str(tmp_path / "x") in str(error)
            assert "\n" not in str(error)
            continue
        intact += 1
        assert values.keys() == arrays().keys()
        for name, array in arrays().items():
            np.testing.assert_array_equal(values[name], array)
    tolerant = {"gguf": 20, "torch-tar": 60, "onnx": 20}
    assert intact <= tolerant.get(kind, 0)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.filterwarnings("ignore")
def test_flipped_bytes(tmp_path, whole, kind):
    """One to three random bytes changed: values may differ, nothing else may happen."""
    chance = random.Random(kind)
    refused = 0
    for _ in range(RARE.get(kind, FLIPS)):
        data = bytearray(whole[kind])
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(data)) if chance.random() < 0.5 else chance.randrange(min(len(data), 700))
            data[place] = chance.randrange(256)
        (tmp_path / "x").write_bytes(data)
        _, error = outcome(tmp_path / "x")
        refused += error is not None
        assert "\n" not in str(error)
    assert refused > 0


@pytest.mark.parametrize("kind", WRITERS)
def test_junk_after_a_sound_start(tmp_path, whole, kind):
    """The first half of a file, then noise."""
    noise = np.random.default_rng(0).bytes(len(whole[kind]))
    (tmp_path / "x").write_bytes(whole[kind][: len(whole[kind]) // 2] + noise)
    if kind in ("gguf", "torch-tar"):
        # The index lies in the first half, and noise is as good a weight as any.
        assert contents(tmp_path / "x").keys() == arrays().keys()
    else:
        with pytest.raises(CheckpointError):
            contents(tmp_path / "x")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "Git LFS pointer"),
        (b"\n  <!DOCTYPE html><html><body>404</body></html>", "HTML page"),
        (b"<html>", "HTML page"),
        (b"\xef\xbb\xbf<HTML>", "HTML page"),
        (b'{"hello": 1}', "JSON"),
        (b"\x1f\x8b\x08" + b"\0" * 20, "gzip"),
        (b"\x28\xb5\x2f\xfd" + b"\0" * 20, "zstd"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"%PDF-1.4", "PDF"),
        (b"just some words", "'just some words'"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08", "00 01 02 03"),
        (b"x", "no known checkpoint format"),
    ],
)
def test_what_is_no_checkpoint_says_what_it_is(tmp_path, data, words):
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(UnsupportedFormatError, match=words):
        open_checkpoint(tmp_path / "model.safetensors")


def test_unreadable_paths(tmp_path, monkeypatch):
    with pytest.raises(UnreadableFileError, match="No such file"):
        open_checkpoint(tmp_path / "absent")
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFileError, match="not a regular file"):
        open_checkpoint(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DirectoryLoopError, match="loop"):
        open_checkpoint(tmp_path / "loop")
    (tmp_path / "secret").write_bytes(b"x")

    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("io.FileIO", refuse)
    with pytest.raises(UnreadableFileError, match="Permission denied"):
        open_checkpoint(tmp_path / "secret")


def test_an_input_output_error_while_values_are_read(tmp_path, monkeypatch):
    from lineage_graph.checkpoints.source import ByteSource

    WRITERS["safetensors"](tmp_path / "x", arrays())
    with open_checkpoint(tmp_path / "x") as reader:

        def fail(*args):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(ByteSource, "readinto", fail)
        with pytest.raises(UnreadableFileError, match=r"conv\.weight.*Input/output error"):
            reader.read("conv.weight")
        with pytest.raises(UnreadableFileError, match=r"conv\.bias.*Input/output error"):
            list(reader.chunks("conv.bias"))


def test_a_file_cut_while_it_is_open(tmp_path):
    WRITERS["safetensors"](tmp_path / "x", arrays())
    with open_checkpoint(tmp_path / "x") as reader:
        with (tmp_path / "x").open("r+b") as file:
            file.truncate(100)
        with pytest.raises(TruncatedFileError, match=r"conv\.weight"):
            reader.read("conv.weight")

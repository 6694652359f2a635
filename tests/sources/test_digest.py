import hashlib
import os

import pytest

from lineage_graph.errors import UnreadableFileError
from lineage_graph.sources import digest
from lineage_graph.sources.digest import DigestTask, compute, memo_key


@pytest.fixture
def settled(monkeypatch):
    """Files count as settled at once: the change time cannot be set back."""
    monkeypatch.setattr(digest, "SETTLED_SECONDS", -1e9)


def task(folder, **files):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return DigestTask(tuple(str(folder / name) for name in sorted(files)), str(folder))


def test_one_file_has_the_digest_that_sha256sum_prints(tmp_path):
    assert compute(task(tmp_path, a=b"weights")) == hashlib.sha256(b"weights").hexdigest()


def test_several_files_count_with_their_names(tmp_path):
    lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in (("a", b"1"), ("b", b"2")))
    assert compute(task(tmp_path, a=b"1", b=b"2")) == hashlib.sha256(lines.encode()).hexdigest()
    assert compute(task(tmp_path, a=b"2", b=b"1")) != hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.usefixtures("settled")
def test_the_memory_follows_the_file_and_not_its_name(tmp_path):
    before = memo_key(task(tmp_path, a=b"1"))
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "a").unlink()
    (tmp_path / "b").rename(tmp_path / "c")
    os.utime(tmp_path / "c", ns=((tmp_path / "c").stat().st_mtime_ns,) * 2)
    assert before is not None
    changed = memo_key(task(tmp_path, c=b"2"))
    assert changed != before


@pytest.mark.usefixtures("settled")
def test_an_unchanged_file_keeps_its_key(tmp_path):
    one = task(tmp_path, a=b"1")
    assert memo_key(one) == memo_key(one)


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path):
    assert memo_key(task(tmp_path, a=b"1")) is None


def test_a_file_that_vanished_is_named(tmp_path):
    gone = DigestTask((str(tmp_path / "gone"),), str(tmp_path))
    for function in (compute, memo_key):
        with pytest.raises(UnreadableFileError, match="gone"):
            function(gone)

import os
import stat
from dataclasses import dataclass
from functools import partial

import pytest

from lineage_graph.cached import Artefact, Later, Workshop
from lineage_graph.errors import OutputError, UnreadableFileError
from lineage_graph.executors import SerialExecutor
from lineage_graph.store import Store, artefact_key, write_atomic
from lineage_graph.types import silent


def test_keys_depend_on_every_part_and_on_nothing_else():
    assert artefact_key("a", 1, {"x": 2, "y": 3}) == artefact_key("a", 1, {"y": 3, "x": 2})
    assert len({artefact_key("a", 1), artefact_key("a", 2), artefact_key("b", 1), artefact_key("a1")}) == 4


def test_what_was_put_is_there_and_nothing_else(tmp_path):
    store = Store(tmp_path)
    assert store.get("kind", "ab12") is None
    store.put("kind", "ab12", b"data")
    assert store.get("kind", "ab12") == b"data"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["ab12"]


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    path = tmp_path / "out"
    write_atomic(path, b"old")
    monkeypatch.setattr(os, "fdopen", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OutputError, match=r"out: No space left on device"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_outputs_have_the_permissions_of_ordinary_files(tmp_path):
    write_atomic(tmp_path / "out", b"x")
    (tmp_path / "plain").write_bytes(b"x")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("out", "plain")}
    assert len(modes) == 1


TEXT = Artefact("text", str.encode, bytes.decode)


def double(word):
    if word == "bad":
        raise UnreadableFileError("bad: no")
    return word * 2


def workshop(tmp_path, log=None):
    progress = silent if log is None else lambda *event: log.append(event)
    return Workshop(SerialExecutor(), Store(tmp_path), progress)


def test_finished_work_is_not_done_again_and_failures_are_tried_again(tmp_path):
    words = ["a", "bad", "c"]
    first = workshop(tmp_path).map(TEXT, double, [(word, word) for word in words])
    assert [o.value for o in first] == ["aa", None, "cc"]
    assert first[1].error == "UnreadableFileError"
    done = []

    def note(word):
        done.append(word)
        return word

    again = workshop(tmp_path).map(TEXT, note, [(word, word) for word in words])
    assert [o.value for o in again] == ["aa", "bad", "cc"]
    assert done == ["bad"]


@dataclass(frozen=True)
class Reading:
    """A task that reads checkpoints."""

    paths: tuple[str, ...]
    error: Exception


def fail(task):
    raise task.error


def test_what_failed_is_known_by_what_it_read(tmp_path):
    shop = workshop(tmp_path)
    shop.map(TEXT, fail, [(None, Reading(("a", "b"), UnreadableFileError("gone")))])
    assert shop.failed_on(["b", "d"])
    assert not shop.failed_on(["c", "d"])
    shop.map(TEXT, double, [(None, "bad")])
    assert shop.failed_on(["d"]), "a task that does not say what it read may have read anything"


def test_without_work_nothing_is_told(tmp_path):
    log = []
    assert workshop(tmp_path, log).map(TEXT, double, []) == []
    assert log == []


def test_a_task_is_made_only_if_it_is_to_be_done(tmp_path):
    workshop(tmp_path).map(TEXT, double, [("a", "a")])
    made = []

    def make():
        made.append("b")
        return "b"

    def never():
        raise AssertionError("it was done before")

    found = workshop(tmp_path).map(TEXT, double, [("a", Later(never)), ("b", Later(make))])
    assert [o.value for o in found] == ["aa", "bb"]
    assert made == ["b"]


@dataclass(frozen=True)
class ReadTask:
    path: str

    @property
    def paths(self):
        return (self.path,)


def test_what_was_read_of_a_file_that_changed_meanwhile_is_not_kept(tmp_path):
    path = tmp_path / "weights"
    path.write_text("old")
    shop = workshop(tmp_path / "store")
    shop.files.note(str(path), [str(path)])
    task = ReadTask(str(path))

    def overtaken(task):
        found = path.read_text()
        path.write_text("newer")
        return found

    (found,) = shop.map(TEXT, overtaken, [("old", task)])
    assert found.error == "ChangedFileError"
    assert found.message.startswith(f"{path}: changed")
    assert shop.store.get("text", "old") is None
    shop.files.note(str(path), [str(path)])
    assert [o.value for o in shop.map(TEXT, lambda _: path.read_text(), [("new", task)])] == ["newer"]
    path.unlink()
    assert [o.error for o in shop.map(TEXT, lambda _: "gone", [("gone", task)])] == ["ChangedFileError"]


def test_tasks_are_made_as_they_are_drawn(tmp_path):
    """However many there are, few of them are held at a time."""
    log = []

    def make(word):
        log.append(f"made {word}")
        return word

    def note(word):
        log.append(f"done {word}")
        return word

    words = [str(number) for number in range(5)]
    found = workshop(tmp_path).map(TEXT, note, [(word, Later(partial(make, word))) for word in words])
    assert [o.value for o in found] == words
    assert log == [f"{event} {word}" for word in words for event in ("made", "done")]


def test_work_without_a_key_is_never_kept(tmp_path):
    workshop(tmp_path).map(TEXT, double, [(None, "a")])
    assert not list(tmp_path.rglob("*"))


def test_a_damaged_artefact_is_made_anew(tmp_path):
    Store(tmp_path).put("text", "a", b"\xff\xfe")
    (outcome,) = workshop(tmp_path).map(TEXT, double, [("a", "a")])
    assert outcome.value == "aa"
    assert Store(tmp_path).get("text", "a") == b"aa"


def test_progress_counts_what_was_there(tmp_path):
    workshop(tmp_path).map(TEXT, double, [("a", "a")])
    log = []
    workshop(tmp_path, log).map(TEXT, double, [("a", "a"), ("b", "b")])
    assert log == [("text", 1, 2), ("text", 2, 2)]

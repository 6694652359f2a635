"""Every kind of hostile file gets its own error, within the limits; and a zoo full of them is built all the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hostile.kinds import KINDS, MARKER
from hostile.making import sound
from hostile.table import DOCUMENT, table
from lgraph.text import visible
from lineage_graph.build import BuildSettings, build
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.manifest import load

CHILD = Path(__file__).with_name("child.py")
"""The limits are those of a process, so the files are read in one apart."""

PASSED_OVER = ("file: pipe", "file: link to a device", "file: link in a circle")
"""What a pattern passes over; of links in a circle that depends on the version of Python."""

SECONDS = 5
"""Processor time that one file may take."""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Each kind in a folder of its own, by its number, as ``x``."""
    folder = tmp_path_factory.mktemp("hostile") / "kinds"
    for number, kind in enumerate(KINDS):
        (folder / f"{number:03}").mkdir(parents=True)
        kind.make(folder / f"{number:03}" / "x")
    return folder


@pytest.fixture(scope="module")
def outcomes(zoo, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = subprocess.run(
        [sys.executable, str(CHILD), str(zoo)], capture_output=True, text=True, timeout=300, check=False, cwd=elsewhere
    )
    assert not list(elsewhere.iterdir())
    assert done.returncode == 0, done.stderr[-2000:]
    return {number: rest for number, *rest in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("number", range(len(KINDS)), ids=[kind.name for kind in KINDS])
def test_its_error(zoo, outcomes, number):
    kind, path = KINDS[number], zoo / f"{number:03}" / "x"
    error, message, seconds, noted = outcomes[path.parent.name]
    assert (kind.name, error) == (kind.name, kind.error), message
    assert str(path) in message
    assert message == visible(message)
    assert len(message) < 1000 + len(str(path))
    assert not noted
    assert seconds < SECONDS


def test_there_are_many_kinds():
    assert len(KINDS) == len({kind.name for kind in KINDS})
    assert len(KINDS) >= 40


def test_a_zoo_of_them_is_built(zoo, tmp_path, monkeypatch):
    """The one sound model is in the graph, every other is reported, and nothing is written but outputs and cache."""
    root = zoo.parent
    sound(root / "good.safetensors")
    (root / "zoo.yaml").write_text("name: hostile\nmodels:\n  - path: good.safetensors\n  - path: 'kinds/*/x'\n")
    monkeypatch.chdir(root)
    before = everything(root)
    settings = BuildSettings(features=False, detector=False, jobs=1, cache=tmp_path / "cache")
    result = build(load(root / "zoo.yaml"), tmp_path / "out", settings)
    graph = result.lineage.graph
    assert [node for node, facts in graph.nodes(data=True) if facts["status"] == "ok"] == ["good.safetensors"]
    reported = {failure.id: failure.error for failure in result.lineage.failures}
    assert reported.keys() <= {f"kinds/{number:03}/x" for number in range(len(KINDS))}
    for number, kind in enumerate(KINDS):
        if kind.name not in PASSED_OVER:
            assert reported[f"kinds/{number:03}/x"] == kind.error
    assert everything(root) == before
    assert not (root / MARKER).exists()
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "\x1b" not in report
    assert str(root) not in report


def everything(root):
    return {str(path): os.lstat(path).st_mtime_ns for path in root.rglob("*")}


def test_what_a_config_asks_for_is_not_done(tmp_path):
    """Remote code, tokenizers and hub names in the files beside the weights are words, and the weights are read."""
    sound(tmp_path / "model.safetensors")
    config = {
        "auto_map": {"AutoModel": "evil--modeling.Evil"},
        "trust_remote_code": True,
        "architectures": ["hf-hub:evil/model"],
        "_name_or_path": "https://example.invalid/x",
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "modeling.py").write_text("raise SystemExit('imported')")
    (tmp_path / "tokenizer.json").write_bytes(b"\xff\x00{" * 1000)
    (tmp_path / "tokenizer.model").write_bytes(b"\x80\x04cos\nsystem\n.")
    noted = []
    sys.addaudithook(lambda event, arguments: event.startswith("socket.") and noted.append(event))
    with open_checkpoint(tmp_path) as reader:
        assert reader.architecture == "hf-hub:evil/model"
        assert [spec.name for spec in reader.tensors] == ["w"]
    assert not noted
    assert "modeling" not in sys.modules


def test_the_document_is_up_to_date():
    assert DOCUMENT.read_text(encoding="utf-8") == table(), "run: python tests/hostile/table.py"

"""``lgraph train-detector``: grown, trained, examined, written; the second time from what is kept."""

import re

import pytest

from lineage_graph.detector.score import load
from lineage_graph.sources.grow import families

TINY = ("train-detector", "--zoos", "3", "--models", "6", "--steps", "4", "--jobs", "1")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(families, "ROOT_STEPS", 2)
    monkeypatch.setattr(families, "STEPS", (1,))


def test_a_detector_from_nothing(quick, call, tmp_path):
    path = tmp_path / "out" / "detector.safetensors"
    answer = call(*TINY, "-o", path, "--cache", tmp_path / "cache")
    assert answer.exit_code == 0, answer.stderr
    assert "closed sets" in answer.stdout.splitlines()[0]
    assert [line.split()[0] for line in answer.stdout.splitlines()[1:]] == ["weights", "representation", "both"]
    assert re.search(r"^step 4 of 4: loss [\d.]+, on other zoos [\d.]+, accuracy [\d.]+$", answer.stderr, re.MULTILINE)
    card = load(path).card
    assert card.command == "lgraph train-detector --zoos 3 --models 6 --steps 4"
    assert card.data["seeds"] == [1000, 1002]
    assert set(card.metrics) == {"weights", "representation", "both"}
    assert card.ranges["weights"]["drift"]
    first = path.read_bytes()
    again = call(*TINY, "-o", path, "--cache", tmp_path / "cache")
    assert "step" not in again.stderr
    assert path.read_bytes() == first


def test_what_cannot_be(call):
    answer = call(*TINY, "--mode", "names")
    assert answer.exit_code == 2
    assert "'names' is not weights, representation or both" in answer.stderr
    answer = call(*TINY, "--leave-out", "resnet50")
    assert answer.exit_code == 2
    assert "there are: test_resnet, test_vit" in answer.stderr

"""Asking a detector: probabilities that add up to one, or a reason not to answer."""

import numpy as np
import pytest
import torch

from detector.made_up import make_family
from lineage_graph.detector import card
from lineage_graph.detector.card import Card
from lineage_graph.detector.neural.network import Detector, Shape
from lineage_graph.detector.portrait import Portrait
from lineage_graph.detector.score import WATCHED, TrainedDetector, answer, load
from lineage_graph.errors import CorruptFileError, UnreadableFileError

SHAPE = {"mode": "both", "width": 16, "filters": [4, 8], "blocks": 1, "heads": 2, "dropout": 0.0}
WIDE = {kind: dict.fromkeys(WATCHED, (-9.0, 9.0)) for kind in ("weights", "features")}


@pytest.fixture
def detector():
    torch.manual_seed(0)
    network = Detector(Shape(**{**SHAPE, "filters": (4, 8)})).eval()
    return TrainedDetector(network, Card(shape=SHAPE, ranges=WIDE))


def test_probabilities(detector, family):
    child, candidates = family
    found = answer(detector, child, candidates)
    assert found.abstained == ""
    assert found.probabilities.shape == (5,)
    assert found.probabilities.sum() + found.none == pytest.approx(1, abs=1e-6)
    turned = answer(detector, child, candidates[::-1])
    np.testing.assert_allclose(turned.probabilities[::-1], found.probabilities, atol=1e-5)


def test_modes(detector, family):
    child, candidates = family
    both, weights = answer(detector, child, candidates), answer(detector, child, candidates, "weights")
    bare = [Portrait(one.weights) for one in candidates]
    np.testing.assert_allclose(
        weights.probabilities, answer(detector, Portrait(child.weights), bare).probabilities, atol=1e-5
    )
    assert np.abs(both.probabilities - weights.probabilities).max() > 1e-4
    with pytest.raises(ValueError, match="not 'names'"):
        answer(detector, child, candidates, "names")


def test_it_abstains_where_there_is_nothing_to_compare(detector, family):
    child, _ = family
    stranger, _ = make_family(np.random.default_rng(6), shapes=((9, 9),))
    found = answer(detector, child, [stranger], "weights")
    assert found.abstained == "no layer in common with any candidate"
    assert found.none == 0
    assert not found.probabilities.any()


def test_it_abstains_on_what_training_has_not_shown(detector, family):
    child, candidates = family
    narrow = {kind: {**WIDE[kind], "drift": (-9.0, -5.0)} for kind in WIDE}
    strict = TrainedDetector(detector.network, Card(shape=SHAPE, ranges=narrow))
    assert answer(strict, child, candidates).abstained == "unlike anything in training: drift in 4 of 4 layers"
    half = TrainedDetector(detector.network, Card(shape=SHAPE, ranges={**WIDE, "features": narrow["features"]}))
    assert answer(half, child, candidates).abstained == ""


def test_there_and_back(detector, family, tmp_path):
    data = card.to_bytes(detector.network, detector.card)
    assert data == card.to_bytes(detector.network, detector.card)
    path = tmp_path / "detector.safetensors"
    path.write_bytes(data)
    again = load(path)
    assert again is load(path)
    assert not again.network.training
    child, candidates = family
    assert answer(again, child, candidates).none == answer(detector, child, candidates).none


@pytest.mark.parametrize("content", [b"", b"no detector"])
def test_a_file_that_is_no_detector(content, tmp_path):
    path = tmp_path / "detector.safetensors"
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"detector\.safetensors: is no lineage detector"):
        load(path)
    with pytest.raises(UnreadableFileError):
        load(tmp_path / "absent")

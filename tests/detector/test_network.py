"""The network: any number of candidates in any order, layers of any size, one question apart from the others."""

import numpy as np
import pytest
import torch

from detector.made_up import make_family
from lineage_graph.detector.images import gather, plane
from lineage_graph.detector.neural.network import Detector, Shape, collate

SIZES = ((4, 4), (4, 300), (2048, 512))


def planes_of(child, candidates):
    return [plane(layer) for layer in gather(child, candidates)]


def detector(mode="both"):
    torch.manual_seed(0)
    return Detector(Shape(mode=mode, width=16, filters=(4, 8), heads=2)).eval()


def logits(network, *questions):
    with torch.no_grad():
        return network(collate(questions))


@pytest.mark.parametrize("mode", ["weights", "representation", "both"])
def test_the_order_of_candidates_is_irrelevant(mode, family):
    child, candidates = family
    network = detector(mode)
    order = [3, 0, 4, 2, 1]
    plain = logits(network, planes_of(child, candidates))
    turned = logits(network, planes_of(child, [candidates[i] for i in order]))
    torch.testing.assert_close(turned, plain[:, [*order, 5]], atol=1e-5, rtol=0)
    assert plain.std() > 1e-4


@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_any_number_of_candidates(count):
    child, candidates = make_family(np.random.default_rng(3), strangers=count - 1)
    found = logits(detector(), planes_of(child, candidates))
    assert found.shape == (1, count + 1)
    assert found.isfinite().all()


@pytest.mark.parametrize("size", SIZES)
def test_layers_of_any_size(size):
    child, candidates = make_family(np.random.default_rng(4), strangers=1, shapes=(size, (32, 32)))
    assert logits(detector(), planes_of(child, candidates)).isfinite().all()


def test_a_question_does_not_depend_on_those_beside_it(family):
    other = make_family(np.random.default_rng(5), strangers=8, shapes=((16, 16),) * 5)
    network = detector()
    alone = logits(network, planes_of(*family))
    beside = logits(network, planes_of(*family), planes_of(*other))
    torch.testing.assert_close(beside[0, [0, 1, 2, 3, 4, 9]], alone[0], atol=1e-5, rtol=0)
    assert beside[0, 5:9].isneginf().all()


def test_a_mode_looks_at_its_kind_alone(family):
    child, candidates = family
    planes = planes_of(child, candidates)
    for mode, kinds in (("weights", planes[:3]), ("representation", planes[3:])):
        network = detector(mode)
        torch.testing.assert_close(logits(network, planes), logits(network, kinds), atol=1e-5, rtol=0)


def test_a_candidate_without_a_common_layer_is_not_scored(family):
    child, candidates = family
    stranger, _ = make_family(np.random.default_rng(6), shapes=((9, 9),))
    found = logits(detector("weights"), planes_of(child, [candidates[0], stranger]))
    assert found[0].isneginf().tolist() == [False, True, False]

import time

import pytest

from features.networks import model
from lineage_graph.features.registry import registered, search

SMALL = (
    *("test_byobnet", "test_convnext", "test_convnext2", "test_convnext3", "test_efficientnet"),
    *("test_efficientnet_evos", "test_efficientnet_gn", "test_efficientnet_ln", "test_mambaout", "test_maxvit"),
    *("test_coatnet", "test_nfnet", "test_resnet", "test_vit", "test_vit2", "test_vit3", "test_vit4"),
    "test_vit_relpos",
)


@pytest.mark.parametrize("architecture", SMALL)
def test_names_and_shapes_tell_the_architecture(architecture: str) -> None:
    shapes = {name: tuple(values.shape) for name, values in model(architecture, num_classes=3).state_dict().items()}
    match = search(shapes)
    assert match is not None
    assert match.skeleton.outline.shapes == shapes
    # Of architectures that differ in no shape, the first in this order:
    found = match.skeleton.plan.architecture
    assert (len(found), found) <= (len(architecture), architecture)


def test_another_width_is_another_architecture() -> None:
    shapes = {name: tuple(values.shape) for name, values in model("resnet10t").state_dict().items()}
    assert search({name: tuple(2 * side for side in shape) for name, shape in shapes.items()}) is None
    match = search(shapes)
    assert match is not None
    assert match.skeleton.plan.architecture == "resnet10t"


def test_the_second_search_costs_little() -> None:
    shapes = {name: tuple(values.shape) for name, values in model("test_vit").state_dict().items()}
    search(shapes)
    start = time.process_time()
    search({**shapes, "head.weight": (4, shapes["head.weight"][1])})
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", "resnet18"),
        ("resnet18.a1_in1k", "resnet18"),
        ("timm/resnet18.a1_in1k", "resnet18"),
        ("hf-hub:timm/resnet18.a1_in1k", "resnet18"),
        ("ResNetForImageClassification", None),
        ("hf-hub:someone/else", None),
        ("", None),
        ("../resnet18/", None),
    ],
)
def test_names_that_model_cards_use(name: str, expected: str | None) -> None:
    assert registered(name) == expected

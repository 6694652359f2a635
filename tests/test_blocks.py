"""Blocks from names and shapes."""

import numpy as np
import pytest

import fingerprints
from lineage_graph.blocks import blocks


def grouped(**shapes):
    """Names of the blocks of a network whose matrices have these names (``__`` for a point) and shapes."""
    dice = np.random.default_rng(0)
    state = {name.replace("__", "."): dice.normal(size=shape) for name, shape in shapes.items()}
    return [block.name for block in blocks(fingerprints.fingerprint(state))]


def test_transformer_blocks_stand_between_the_stem_and_the_norm():
    layers = {f"blocks__{n}__{layer}__weight": (8, 8) for n in range(11) for layer in ("attn__qkv", "mlp__fc1")}
    found = grouped(**layers, pos_embed=(1, 9, 8), patch_embed__proj__weight=(8, 12), pre_logits__weight=(8, 8))
    assert found == ["patch_embed", "pos_embed", *(f"blocks.{n}" for n in range(11)), "pre_logits"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2", "layer2.0.downsample.0"],
            ["conv1", "layer1.0", "layer2.0"],
        ),
        (
            ["stages.0.blocks.0.mlp.fc1", "stages.0.blocks.0.mlp.fc2", "stages.0.downsample.1"],
            ["stages.0.blocks.0", "stages.0.downsample.1"],
        ),
        (["features.0", "features.3", "features.10"], ["features.0", "features.3", "features.10"]),
        (
            ["bert.encoder.layer.0.q", "bert.encoder.layer.0.k", "bert.embeddings.words", "bert.pooler.dense"],
            ["bert.embeddings", "bert.encoder.layer.0", "bert.pooler"],
        ),
        (["s1.b1.conv1.conv", "s1.b1.conv2.conv", "stem.conv"], ["stem", "s1.b1"]),
    ],
)
def test_a_block_is_the_deepest_numbered_part_of_several_matrices(names, expected):
    shapes = {f"{name.replace('.', '__')}__weight": (8, 8) for name in names}
    assert grouped(**shapes, fc__weight=(3, 8)) == expected


def test_the_head_is_left_out():
    layers = {f"blocks__0__{layer}__weight": (8, 8) for layer in ("fc1", "fc2")}
    assert grouped(**layers, head__weight=(3, 8)) == ["blocks.0"]


def test_blocks_of_equal_shapes_answer_to_one_another_matrix_by_matrix():
    dice = np.random.default_rng(0)
    shapes = {"q": (8, 8), "k": (8, 8), "fc": (16, 8)}
    state = {f"layer.{n}.{name}.weight": dice.normal(size=shape) for n in (2, 10) for name, shape in shapes.items()}
    second, tenth = blocks(fingerprints.fingerprint(state))
    assert second.shapes == tenth.shapes == ((8, 8), (8, 8), (16, 8))
    assert [tensor.spec.name for tensor in second.matrices] == [f"layer.2.{name}.weight" for name in ("k", "q", "fc")]
    assert [tensor.spec.name for tensor in tenth.matrices] == [f"layer.10.{name}.weight" for name in ("k", "q", "fc")]
    assert second.size == 256

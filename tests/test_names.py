import pytest

from lineage_graph import names


def test_natural_order_counts():
    shuffled = ["layer.10.w", "layer.9.w", "layer.2.w", "a", "layer.2.b"]
    assert sorted(shuffled, key=names.natural_key) == ["a", "layer.2.b", "layer.2.w", "layer.9.w", "layer.10.w"]


@pytest.mark.parametrize(
    ("tensors", "expected"),
    [
        (["conv1.weight", "layer1.0.conv1.weight", "fc.weight", "fc.bias"], ["fc.weight", "fc.bias"]),
        (["blocks.0.attn.qkv.weight", "blocks.0.mlp.fc1.weight", "head.weight"], ["head.weight"]),
        (["0.weight", "0.bias", "3.weight", "10.weight", "10.bias"], ["10.weight", "10.bias"]),
        (["fc1.weight", "fc2.weight", "fc2.bias"], ["fc2.weight", "fc2.bias"]),
        (["network.0.weight", "network.6.weight"], ["network.6.weight"]),
        (["embed.weight", "lstm.kernel"], []),
        (["head.weight", "head.bias"], []),
        (["only.weight"], []),
        (["blocks.0.sa.heads.0.key.weight", "blocks.0.sa.heads.1.key.weight", "wte.weight"], []),
        (["module.heads.0.weight", "body.conv.weight"], ["module.heads.0.weight"]),
    ],
)
def test_heads_are_known_by_name_or_as_the_last_of_a_sequence(tensors, expected):
    matrices = [name for name in tensors if not name.endswith("bias")]
    assert names.heads(tensors, matrices) == frozenset(expected)


@pytest.mark.parametrize("name", ["bn.running_mean", "bn.num_batches_tracked", "attn.relative_position_index"])
def test_statistics_and_constant_buffers_are_no_weights(name):
    assert names.is_state(name)


def test_counters_are_known_by_name():
    assert names.is_counter("layer1.bn1.num_batches_tracked")
    assert not names.is_counter("layer1.bn1.weight")


@pytest.mark.parametrize(("name", "module"), [("a.b.weight", "a.b"), ("a/b/kernel:0", "a/b"), ("weight", "weight")])
def test_the_module_of_a_tensor(name, module):
    assert names.module(name) == module

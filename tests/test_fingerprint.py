"""A fingerprint is a function of the weights, not of how they are stored."""

import dataclasses
import struct

import numpy as np
import pytest
from safetensors.numpy import save_file

from lineage_graph.errors import NonFiniteWeightsError
from lineage_graph.fingerprint import FingerprintTask, compute, from_bytes, to_bytes


@pytest.fixture
def state():
    generator = np.random.default_rng(0)
    return {
        "stem.weight": generator.standard_normal((32, 3, 3, 3)).astype(np.float32),
        "norm.weight": generator.standard_normal(32).astype(np.float32),
        "norm.num_batches_tracked": np.array(417, dtype=np.int64),
        "layer.2.weight": generator.standard_normal((64, 288)).astype(np.float32),
        "layer.10.weight": generator.standard_normal((300, 400)).astype(np.float32),
        "head.weight": generator.standard_normal((10, 64)).astype(np.float32),
    }


def of(path, digest="d"):
    return compute(FingerprintTask(str(path), digest))


@pytest.fixture
def plain(state, tmp_path):
    save_file(state, tmp_path / "plain.safetensors")
    return of(tmp_path / "plain.safetensors")


def assert_same(found, expected, exact=True, tolerance=1e-5):
    """Equal but for the format; up to rounding unless ``exact``."""
    assert [t.spec.name for t in found.tensors] == [t.spec.name for t in expected.tensors]
    assert (found.signature, found.parameters) == (expected.signature, expected.parameters)
    assert found.counters.get("num_batches_tracked") == expected.counters.get("num_batches_tracked")
    for one, two in zip(found.tensors, expected.tensors, strict=True):
        assert (one.hash == two.hash) or not exact, one.spec.name
        for name in ("mean", "std", "norm", "kurtosis"):
            assert getattr(one, name) == pytest.approx(getattr(two, name), rel=tolerance, abs=tolerance)
        assert np.allclose(one.sketch, two.sketch, rtol=tolerance, atol=tolerance * max(two.norm, 1))
        assert np.allclose(one.profile, two.profile, rtol=tolerance, atol=tolerance)
        assert one.profile.size == (16 if one.is_matrix else 0)
        assert ((one.bits, one.levels) == (two.bits, two.levels)) or not exact
    assert np.allclose(found.sketch, expected.sketch, atol=tolerance)


def test_the_order_of_the_tensors_does_not_matter(state, plain, tmp_path):
    """Two hand-written files that hold the tensors in opposite orders."""
    import json

    for name, items in (("ab", list(state.items())), ("ba", list(state.items())[::-1])):
        header, blobs, start = {}, [], 0
        for key, values in items:
            dtype = {"float32": "F32", "int64": "I64"}[str(values.dtype)]
            header[key] = {"dtype": dtype, "shape": values.shape, "data_offsets": [start, start + values.nbytes]}
            blobs.append(values.tobytes())
            start += values.nbytes
        text = json.dumps(header).encode()
        (tmp_path / name).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))
        assert_same(of(tmp_path / name), plain)


def test_the_format_does_not_matter(state, plain, tmp_path):
    import torch

    torch.save({"state_dict": {k: torch.from_numpy(v) for k, v in state.items()}}, tmp_path / "a.pt")
    np.savez(tmp_path / "a.npz", **state)
    for name, form in (("a.pt", "pytorch"), ("a.npz", "npz")):
        found = of(tmp_path / name)
        assert found.format == form
        assert_same(found, plain)


def test_a_wider_type_changes_nothing_and_a_narrower_one_only_rounds(state, plain, tmp_path):
    wide = {k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in state.items()}
    save_file(wide, tmp_path / "wide.safetensors")
    assert_same(of(tmp_path / "wide.safetensors"), plain)
    half = {k: v.astype(np.float16) if v.dtype == np.float32 else v for k, v in state.items()}
    save_file(half, tmp_path / "half.safetensors")
    assert_same(of(tmp_path / "half.safetensors"), plain, exact=False, tolerance=2e-3)


def test_other_names_keep_the_sketch(state, plain, tmp_path):
    save_file({f"backbone.{k}": v for k, v in state.items()}, tmp_path / "b.safetensors")
    found = of(tmp_path / "b.safetensors")
    assert np.array_equal(found.sketch, plain.sketch)
    assert found.signature == plain.signature


def test_the_head_is_left_out_of_signature_and_sketch(state, plain, tmp_path):
    other = state | {"head.weight": np.ones((1000, 64), dtype=np.float32) * np.arange(64, dtype=np.float32)}
    save_file(other, tmp_path / "b.safetensors")
    found = of(tmp_path / "b.safetensors")
    assert found.signature == plain.signature
    assert np.array_equal(found.sketch, plain.sketch)


def test_tensors_come_in_natural_order(plain):
    names = [t.spec.name for t in plain.tensors if t.spec.name.startswith("layer")]
    assert names == ["layer.2.weight", "layer.10.weight"]


def test_counters_of_batches_are_kept_and_integers_are_no_weights(plain):
    assert plain.counters == {"num_batches_tracked": 417.0}
    assert plain.parameters == 32 * 27 + 32 + 64 * 288 + 300 * 400 + 10 * 64


def test_bytes_round_trip(plain):
    again = from_bytes(to_bytes(plain))
    assert to_bytes(again) == to_bytes(plain)
    assert [t.bits for t in again.tensors if t.spec.floating] == [24] * 5
    assert all(np.array_equal(x.profile, y.profile) for x, y in zip(again.tensors, plain.tensors, strict=True))
    assert dataclasses.replace(again, sketch=plain.sketch, tensors=()) == dataclasses.replace(plain, tensors=())


@pytest.mark.parametrize("data", [b"", b"12345678", b"\x02\0\0\0\0\0\0\0{}", bytes(100)])
def test_bytes_that_are_no_fingerprint_are_refused(data):
    with pytest.raises(ValueError, match="no fingerprint"):
        from_bytes(data)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_damaged_weights_are_named(state, tmp_path, bad):
    state["layer.2.weight"][5, 7] = bad
    save_file(state, tmp_path / "bad.safetensors")
    with pytest.raises(NonFiniteWeightsError, match=r"bad.safetensors.*layer.2.weight"):
        of(tmp_path / "bad.safetensors")


@pytest.mark.filterwarnings("error")
def test_limits_near_the_end_of_the_range_are_no_weights(state, tmp_path):
    save_file(state | {"low": np.full((40, 40), -3.4e38, dtype=np.float32) * (np.arange(40) % 2)}, tmp_path / "a")
    found = of(tmp_path / "a")
    assert not next(t for t in found.tensors if t.spec.name == "low").is_matrix

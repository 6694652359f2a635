from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lineage_graph.features.similarity import LP_EXPONENT, SIMILARITIES

DISTANCES = ("l1", "l2", "lp", "lse")
SHARES = ("cka", "cka_unbiased", "dc", "cosine")
ROTATABLE = ("cka", "cka_unbiased", "dc")
PROBES = 7

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**31 - 1)
widths = st.integers(1, 12)
scales = st.floats(1e-3, 1e3)


def matrices(seed: int, *widths: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(PROBES, width, generator=generator, dtype=torch.float64) for width in widths]


def test_every_similarity_is_listed_once() -> None:
    assert set(SIMILARITIES) == {*DISTANCES, *SHARES}


@few
@given(seeds, widths)
def test_nothing_is_nearer_than_itself(seed: int, width: int) -> None:
    p, c = matrices(seed, width, width)
    for name, similarity in SIMILARITIES.items():
        best = 0.0 if name in DISTANCES else 1.0
        assert float(similarity(p, p)) == pytest.approx(best, abs=1e-9), name
        assert float(similarity(p, c)) < best, name


@few
@given(seeds, widths)
def test_the_sides_can_be_swapped(seed: int, width: int) -> None:
    p, c = matrices(seed, width, width)
    for name, similarity in SIMILARITIES.items():
        assert float(similarity(p, c)) == pytest.approx(float(similarity(c, p)), rel=1e-9), name


@few
@given(seeds, widths, scales)
def test_shares_ignore_scale_and_shift(seed: int, width: int, scale: float) -> None:
    p, c, shift = matrices(seed, width, width, width)
    for name in SHARES:
        similarity = SIMILARITIES[name]
        assert float(similarity(scale * p + shift[0], c)) == pytest.approx(float(similarity(p, c)), abs=1e-7), name
    for name in DISTANCES:
        assert abs(float(SIMILARITIES[name](p + 1, c)) - float(SIMILARITIES[name](p, c))) > 1e-6, name


@few
@given(seeds, st.integers(2, 12), widths)
def test_some_ignore_rotation_and_width(seed: int, width: int, other: int) -> None:
    p, c, square = matrices(seed, width, other, width)
    rotation = torch.linalg.qr(torch.randn(width, width, dtype=torch.float64, generator=torch.Generator()))[0]
    assert square.shape == p.shape
    for name in ROTATABLE:
        similarity = SIMILARITIES[name]
        assert float(similarity(p @ rotation, c)) == pytest.approx(float(similarity(p, c)), abs=1e-7), name
    for name in (*DISTANCES, "cosine"):
        assert abs(float(SIMILARITIES[name](p @ rotation, p)) - float(SIMILARITIES[name](p, p))) > 1e-6, name


@few
@given(seeds, widths)
def test_values_of_the_definitions(seed: int, width: int) -> None:
    p, c = (matrix.numpy() for matrix in matrices(seed, width, width))
    gap = np.abs(p - c)
    expected = {
        "l1": -gap.mean(),
        "l2": -(gap**2).mean(),
        "lp": -((gap**LP_EXPONENT).mean() ** (1 / LP_EXPONENT)),
        "lse": -np.log(np.exp(gap).mean()),
        "cka": linear_cka(p, c),
        "cka_unbiased": unbiased_cka(p, c),
        "dc": distance_correlation(p, c),
        "cosine": np.corrcoef((p - p.mean(0)).ravel(), (c - c.mean(0)).ravel())[0, 1],
    }
    for name, value in expected.items():
        found = float(SIMILARITIES[name](torch.from_numpy(p), torch.from_numpy(c)))
        assert found == pytest.approx(value, rel=1e-8, abs=1e-10), name


def linear_cka(p: np.ndarray, c: np.ndarray) -> float:
    """The feature-space form, where the library has the one over probes."""
    p, c = p - p.mean(0), c - c.mean(0)
    return float(np.linalg.norm(p.T @ c) ** 2 / (np.linalg.norm(p.T @ p) * np.linalg.norm(c.T @ c)))


def unbiased_cka(p: np.ndarray, c: np.ndarray) -> float:
    """By U-centring (Székely & Rizzo, 2014), which gives the same estimate in another way."""

    def centred(matrix: np.ndarray) -> np.ndarray:
        gram, n = matrix @ matrix.T, len(matrix)
        np.fill_diagonal(gram, 0)
        row, total = gram.sum(0), gram.sum()
        found = gram - row[None] / (n - 2) - row[:, None] / (n - 2) + total / ((n - 1) * (n - 2))
        np.fill_diagonal(found, 0)
        return found

    a, b = centred(p), centred(c)
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def distance_correlation(p: np.ndarray, c: np.ndarray) -> float:
    """With the distances written out."""

    def centred(matrix: np.ndarray) -> np.ndarray:
        gaps = np.linalg.norm(matrix[:, None] - matrix[None], axis=-1)
        return gaps - gaps.mean(0) - gaps.mean(1)[:, None] + gaps.mean()

    a, b = centred(p), centred(c)
    return float(np.sqrt((a * b).mean() / np.sqrt((a * a).mean() * (b * b).mean())))


def test_independent_features_are_unlike() -> None:
    p, c = torch.randn(2, 64, 400, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert abs(float(SIMILARITIES["cka_unbiased"](p, c))) < 0.1
    assert float(SIMILARITIES["cka"](p, c)) > 0.7  # what the unbiased estimate is for


@pytest.mark.parametrize("name", SIMILARITIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", ["equal", "constant", "twice the same probe", "tiny"])
def test_slopes_stay_finite(name: str, dtype: torch.dtype, case: str) -> None:
    p, c = (matrix.to(dtype) for matrix in matrices(3, 5, 5))
    cases: dict[str, Callable[[], tuple[Tensor, Tensor]]] = {
        "equal": lambda: (p, p.clone()),
        "constant": lambda: (torch.ones_like(p), c),
        "twice the same probe": lambda: (p[[0, 0, 1, 1, 2, 3, 4]], c),
        "tiny": lambda: (p * 1e-6, c * 1e-6),
    }
    left, right = cases[case]()
    left.requires_grad_()
    value = SIMILARITIES[name](left, right)
    (slope,) = torch.autograd.grad(value, left)
    assert value.isfinite()
    assert slope.isfinite().all()
    if case == "tiny" and name in ROTATABLE:
        assert float(value.detach()) == pytest.approx(float(SIMILARITIES[name](p, c)), abs=1e-3)


def test_the_unbiased_cka_needs_four_probes() -> None:
    with pytest.raises(ValueError, match="four probes"):
        SIMILARITIES["cka_unbiased"](torch.ones(3, 2), torch.ones(3, 2))

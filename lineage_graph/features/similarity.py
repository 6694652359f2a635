"""How alike two feature matrices are: the one list, each with its source.

Every similarity takes features of a parent and of a child on the same probes, shapes (probes, features), and gives a
scalar tensor that grows with likeness. All are differentiable in the parent's features, which the Taylor form of the
linearization needs. A negated distance is 0 at best; CKA, DC and cosine are 1 at best.

Between near relatives CKA and DC differ from 1 by less than float32 resolves: give float64 where ranks matter, as
:mod:`~lineage_graph.features.approximate` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Similarity = Callable[[Tensor, Tensor], Tensor]

LP_EXPONENT = 4.0
"""The exponent of :func:`lp`: beyond 2, so that it weighs the largest deviations, as l1 and l2 do not."""


def l1(parent: Tensor, child: Tensor) -> Tensor:
    """-mean |p - c|, at most 0."""
    return (parent - child).abs().mean().neg()


def l2(parent: Tensor, child: Tensor) -> Tensor:
    """-mean (p - c)², at most 0."""
    return (parent - child).square().mean().neg()


def lp(parent: Tensor, child: Tensor) -> Tensor:
    """-(mean |p - c|^q)^(1/q) with q = ``LP_EXPONENT``, at most 0."""
    norm: Tensor = torch.linalg.vector_norm((parent - child).flatten(), ord=LP_EXPONENT)
    return norm.neg().div(math.pow(parent.numel(), 1 / LP_EXPONENT))


def lse(parent: Tensor, child: Tensor) -> Tensor:
    """-ln mean exp |p - c|, at most 0: a smooth maximum of the deviations."""
    return torch.logsumexp((parent - child).abs().flatten(), dim=0).neg() + math.log(parent.numel())


def cosine(parent: Tensor, child: Tensor) -> Tensor:
    """Cosine of the feature matrices as vectors, each feature centred over the probes; -1 to 1.

    Invariant to positive scaling of either side, and to shifts of the features.
    """
    p, c = _centred(parent).flatten(), _centred(child).flatten()
    return _share(torch.dot(p, c), _norm(p) * _norm(c))


def cka(parent: Tensor, child: Tensor) -> Tensor:
    """Linear CKA, 0 to 1. Invariant to rotations, shifts and isotropic scaling of either side."""
    p, c = _centred(parent), _centred(child)
    p_gram, c_gram = p @ p.T, c @ c.T
    return _share((p_gram * c_gram).sum(), _norm(p_gram) * _norm(c_gram))


def cka_unbiased(parent: Tensor, child: Tensor) -> Tensor:
    """Linear CKA from the unbiased HSIC, -1 to 1: near 0 for independent features even where probes are few.

    Invariant as :func:`cka` is. Raises :class:`ValueError` below four probes.
    """
    if parent.shape[0] < 4:
        raise ValueError(f"the unbiased CKA needs four probes or more, not {parent.shape[0]}")
    p, c = _centred(parent), _centred(child)
    p_gram, c_gram = _without_diagonal(p @ p.T), _without_diagonal(c @ c.T)
    own = [_hsic(gram, gram).clamp_min(torch.finfo(gram.dtype).tiny).sqrt() for gram in (p_gram, c_gram)]
    return _share(_hsic(p_gram, c_gram), own[0] * own[1])


def dc(parent: Tensor, child: Tensor) -> Tensor:
    """Distance correlation, 0 to 1. Invariant to rotations, shifts and isotropic scaling of either side."""
    p, c = _doubly_centred(_distances(parent)), _doubly_centred(_distances(child))
    squared = _share((p * c).sum(), _norm(p) * _norm(c))
    # The square root has an infinite slope at 0, where the features are independent.
    return squared.clamp_min(torch.finfo(p.dtype).eps ** 2).sqrt()


SIMILARITIES: Mapping[str, Similarity] = {
    "l1": l1,  # Yu & Wang, "Neural Lineage", CVPR 2024, Sec. 3.2 (arXiv 2406.11129)
    "l2": l2,  # the same
    "lp": lp,  # the same, Fig. 3
    "lse": lse,  # the same, Fig. 3
    "cka": cka,  # Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019, Sec. 3
    "cka_unbiased": cka_unbiased,  # Song et al., "Feature Selection via Dependence Maximization", JMLR 2012, Eq. 5
    "dc": dc,  # Székely, Rizzo & Bakirov, "Measuring and testing dependence by correlation of distances", 2007, Def. 3
    "cosine": cosine,  # the usual one
}
"""Every similarity by name; the paper's own settings use l1, l2, CKA and DC."""


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """Part / whole; 0, with slope 0, where the features of one side do not vary at all."""
    varies = whole > torch.finfo(whole.dtype).tiny
    return torch.where(varies, part / torch.where(varies, whole, 1.0), 0.0)


def _norm(values: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(values.flatten())
    return length


def _centred(features: Tensor) -> Tensor:
    return features - features.mean(dim=0)


def _without_diagonal(gram: Tensor) -> Tensor:
    return gram - torch.diag(torch.diagonal(gram))


def _hsic(p_gram: Tensor, c_gram: Tensor) -> Tensor:
    """Unbiased HSIC of two Gram matrices with zero diagonals, shapes (n, n)."""
    n = p_gram.shape[0]
    trace = (p_gram * c_gram).sum()
    sums = p_gram.sum() * c_gram.sum() / ((n - 1) * (n - 2))
    rows = 2 * (p_gram.sum(dim=0) @ c_gram.sum(dim=0)) / (n - 2)
    return (trace + sums - rows) / (n * (n - 3))


def _distances(features: Tensor) -> Tensor:
    """Euclidean distances between probes, shape (n, n).

    From inner products, so that nothing of shape (n, n, features) is formed; what rounding leaves of the distance
    between equal probes counts as 0, and has slope 0.
    """
    gram = _centred(features) @ _centred(features).T
    squares = torch.diagonal(gram)
    squared = squares[:, None] + squares[None, :] - 2 * gram
    apart = squared > 16 * torch.finfo(gram.dtype).eps * squares.max()
    return torch.where(apart, torch.where(apart, squared, 1.0).sqrt(), 0.0)


def _doubly_centred(distances: Tensor) -> Tensor:
    return distances - distances.mean(dim=0) - distances.mean(dim=1, keepdim=True) + distances.mean()

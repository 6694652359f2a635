"""Logistic regressions, by scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.calibration import Logistic
from lineage_graph.errors import MissingExtraError

WEAK = 1.0
"""Inverse strength of the ridge: as much as one answer of unit features says against a weight of 1."""


def slope(values: npt.NDArray[np.floating]) -> float:
    """β that makes σ(β·x) the probability of a right answer, for ``values`` x, shape (n,), positive where right.

    A right and a wrong answer of full strength are added, so that β stays finite where all are right.
    """
    x = np.concatenate([values, [1.0, -1.0]])
    # Each answer is also seen from the other side: a regression without intercept has both classes then.
    both, right = np.concatenate([x, -x])[:, None], np.repeat([1, 0], len(x))
    fitted = _regression(both, right, intercept=False)
    return float(fitted.coef_[0, 0])


def probability(rows: Sequence[Mapping[str, float]], right: Sequence[bool]) -> Logistic:
    """P(right) from named features; where all answers are alike, their share by Laplace's rule and no features."""
    hits = sum(right)
    if hits in (0, len(right)):
        share = (hits + 1) / (len(right) + 2)
        return Logistic(float(np.log(share / (1 - share))))
    names = sorted({name for row in rows for name in row})
    matrix = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    fitted = _regression(matrix, np.array(right, dtype=int), intercept=True)
    return Logistic(float(fitted.intercept_[0]), {n: float(w) for n, w in zip(names, fitted.coef_[0], strict=True)})


def _regression(matrix: npt.NDArray[np.floating], right: npt.NDArray[np.integer], *, intercept: bool) -> Any:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtraError("calibrate: needs scikit-learn; run: pip install 'lgraph[demo]'") from error
    return LogisticRegression(C=WEAK, fit_intercept=intercept, max_iter=10_000).fit(matrix, right)

"""Which models of a zoo belong together, where the number of families is known."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt


def families(distance: npt.NDArray[np.float64], count: int, linkage: Literal["ward", "average"]) -> list[list[int]]:
    """Agglomerative clusters of models, at most ``count``, each as indices in order.

    ``distance``: shape (n, n), symmetric; what is infinite counts as twice the largest distance, so that models which
    cannot be compared come together last.
    """
    from scipy.cluster.hierarchy import fcluster
    from scipy.cluster.hierarchy import linkage as agglomerate
    from scipy.spatial.distance import squareform

    if len(distance) < 2:
        return [[index] for index in range(len(distance))]
    known = np.isfinite(distance)
    filled = np.where(known, distance, 2 * max(float(distance[known].max()), 1.0))
    labels = fcluster(agglomerate(squareform(filled, checks=False), linkage), count, "maxclust")
    return [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]

"""An order of pairs in which those that come soon after one another share their models, so that few have to be held."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np


def along(pairs: Sequence[tuple[Hashable, Hashable]]) -> list[int]:
    """The positions of ``pairs`` in such an order.

    Models are laid out along a line so that the two of a pair stand near one another (Cuthill & McKee, "Reducing the
    bandwidth of sparse symmetric matrices", 1969), and the pairs follow the line.
    """
    if not pairs:
        return []
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    numbers: dict[Hashable, int] = {}
    ends = np.array([[numbers.setdefault(one, len(numbers)) for one in pair] for pair in pairs])
    rows, columns = np.concatenate([ends, ends[:, ::-1]]).T
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(len(numbers), len(numbers))).tocsr()
    place = np.empty(len(numbers), dtype=np.int64)
    place[reverse_cuthill_mckee(graph, symmetric_mode=True)] = np.arange(len(numbers))
    placed = place[ends]
    order: list[int] = np.lexsort((placed.min(axis=1), placed.max(axis=1))).tolist()
    return order

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from detector.made_up import make_family


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Kernels this small wait for one another's threads longer than they compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def family():
    """Portraits of a parent, its child and four strangers, three layers and two depths of features each."""
    return make_family(np.random.default_rng(0))

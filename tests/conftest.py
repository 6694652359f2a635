import pytest

import zoo

pytest_plugins = ["hub.fixtures"]


@pytest.fixture(scope="session")
def tiny_zoo(tmp_path_factory):
    """Eight tiny trained networks of known lineage; read them, do not change them."""
    return zoo.grow_tiny_zoo(tmp_path_factory.mktemp("tiny-zoo"))

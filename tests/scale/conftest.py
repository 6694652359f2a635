"""Small zoos as indexes."""

import pytest

from lineage_graph import index


@pytest.fixture
def indexed(tmp_path):
    """A function from models to an opened index of them."""
    opened = []

    def make(models, name="zoo"):
        folder = tmp_path / name
        folder.mkdir()
        index.write(folder, models, {})
        opened.append(index.Index(folder))
        return opened[-1]

    yield make
    for one in opened:
        one.close()

from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.storage import STORES, open_store
from optimizer.storage.base import Store
from tests.optimizer.storage.world import world


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each registered store, with a small study in it. Whatever a test does, it is sound at the end."""
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres").empty_database()
    else:
        address = f"{request.param}:///{tmp_path / 'duels.db'}"
    made = open_store(address)
    made.add(world())
    yield made
    assert made.check() == []
    made.close()

from collections.abc import Iterator

import pytest

from tests.postgresql import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests that need one; skipped where none is installed."""
    running = PostgresServer()
    yield running
    running.remove()

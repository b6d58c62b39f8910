import os
import sys
from collections.abc import Iterator

import pytest

from tests.postgresql import PostgresServer

# Servers, workers and command lines start by the dozen: they would all compile the same files anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests that need one; skipped where none is installed."""
    running = PostgresServer()
    yield running
    running.remove()

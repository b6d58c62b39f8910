"""Runs look more often than in earnest, so that tests need not wait."""

import pytest

from optimizer.evolution import run


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "POLL_S", 0.01)

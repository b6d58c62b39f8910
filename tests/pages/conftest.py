"""The screens run by Streamlit's own test harness, on a store in memory that holds the sample studies."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from optimizer.assemble import Services, forget_services, services
from tests.pages.visitor import Visitor

MENU = Path(__file__).resolve().parents[2] / "pages/menu.py"


@pytest.fixture(scope="session", autouse=True)
def installed_components() -> Iterator[None]:
    """The harness looks through all installed packages for each new page: once is enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests)
        )
        yield


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The services that the screens will find."""
    monkeypatch.setenv("PROMPT_DUEL_DATABASE_URL", "memory://")
    monkeypatch.setenv("PROMPT_DUEL_MIN_VIEW_MS", "0")
    monkeypatch.setenv("PROMPT_DUEL_AHEAD_MS", "60000")
    monkeypatch.setattr("pages.parts.access.person", lambda: "ann")  # the harness has no cookies
    monkeypatch.setattr("pages.parts.access.is_local", lambda: True)  # and no address
    forget_services()
    yield services()
    forget_services()


@pytest.fixture
def app(running: Services) -> AppTest:
    """The app at its first screen, the duel."""
    return AppTest.from_file(MENU, default_timeout=30).run()


@pytest.fixture
def visitor(app: AppTest, running: Services) -> Visitor:
    """A person at the screens."""
    return Visitor(app, running)

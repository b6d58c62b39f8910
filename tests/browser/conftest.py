"""A real server and a real browser: ``server`` runs the app on its own database, ``page`` looks at it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from optimizer.config import SETTINGS
from optimizer.storage import open_store
from optimizer.storage.base import Store

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--process-per-site",  # pages of one browser share what they have read and compiled
]
MIN_VIEW = next(setting for setting in SETTINGS if setting.name == "MIN_VIEW_MS")
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
PANE = ".st-key-pane_second"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@dataclass
class Server:
    """The running app: its address, its folder, and its database opened beside it."""

    address: str
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def store(self) -> Store:
        return open_store(f"sqlite:///{self.folder / 'prompt-duel.db'}")

    def stop(self, kill: bool = False) -> None:
        (self.process.kill if kill else self.process.terminate)()
        self.process.wait(20)


def start(
    folder: Path,
    port: int | None = None,
    min_view_ms: int = 0,
    more: Mapping[str, str] | None = None,
) -> Server:
    """Run the app on this folder, with more of an environment; returns when it answers."""
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
    environment = {
        **os.environ,
        "PROMPT_DUEL_DATA_DIR": str(folder),
        "PROMPT_DUEL_MIN_VIEW_MS": str(min_view_ms),
        "PROMPT_DUEL_AHEAD_MS": "60000",  # busy as the machine may be
        **(more or {}),
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    log = (folder / "server.log").open("ab")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/healthz", timeout=2) as answer:
            if answer.read() == b"ok":
                return Server(address, folder, process)
        time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"The app did not start:\n{(folder / 'server.log').read_text()}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One app for many tests; each test is a person of its own, in a study of its own where it matters."""
    running = start(tmp_path_factory.mktemp("app"))
    yield running
    running.stop()


@pytest.fixture
def careful_server(tmp_path: Path) -> Iterator[Server]:
    """An app that waits as long as in real use before a key counts; for the other one any key counts."""
    running = start(tmp_path, min_view_ms=int(MIN_VIEW.default))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "No Chromium found: install it (Debian: apt install chromium) to run the browser tests."
        if os.environ.get("REQUIRE_BROWSER_TESTS"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@contextlib.contextmanager
def met_before(browser: Browser, **shape: Any) -> Iterator[BrowserContext]:
    """A browser for many tests, for the app's scripts are long to read; each test takes it as a newcomer."""
    opened = browser.new_context(reduced_motion="reduce", **shape)
    opened.set_default_timeout(15_000)
    kept = opened.new_page()  # an empty page of the same site keeps the process and what it knows
    kept.route("**", lambda route: route.fulfill(body=""))
    kept.goto("http://127.0.0.1/")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def desk(browser: Browser) -> Iterator[BrowserContext]:
    with met_before(browser, viewport={"width": 1366, "height": 768}) as opened:
        yield opened


@pytest.fixture(scope="session")
def other_desk(browser: Browser) -> Iterator[BrowserContext]:
    with met_before(browser, viewport={"width": 1280, "height": 720}) as opened:
        yield opened


@pytest.fixture(scope="session")
def phone(browser: Browser) -> Iterator[BrowserContext]:
    with met_before(
        browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as opened:
        yield opened


@contextlib.contextmanager
def newcomer(context: BrowserContext) -> Iterator[Page]:
    """A page of somebody whom the app does not know."""
    context.clear_cookies()
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture
def page(desk: BrowserContext) -> Iterator[Page]:
    with newcomer(desk) as opened:
        yield opened


@pytest.fixture
def other_page(other_desk: BrowserContext) -> Iterator[Page]:
    """Another person's."""
    with newcomer(other_desk) as opened:
        yield opened


@pytest.fixture
def phone_page(phone: BrowserContext) -> Iterator[Page]:
    """A third person's, who holds a phone."""
    with newcomer(phone) as opened:
        yield opened

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
    min_view_ms: int = 120,
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
    """An app that waits as long as in real use before a key counts; the other one hurries for the tests."""
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


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    opened.set_default_timeout(15_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="module")
def warm_context(browser: Browser) -> Iterator[BrowserContext]:
    """One person for a whole file, with a browser that has met the app before: to look only."""
    opened = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    opened.set_default_timeout(15_000)
    yield opened
    opened.close()


@pytest.fixture
def warm_page(warm_context: BrowserContext) -> Iterator[Page]:
    opened = warm_context.new_page()
    yield opened
    opened.close()

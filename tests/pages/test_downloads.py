"""Every download of the screens: its file is made when it is pressed, which the harness cannot do.

The files are made here as the server makes them: after the run that drew the button, on another thread. A
button on a screen that is not in ``VIEWS`` fails the last assertion of the test: add its screen there.
"""

import ast
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from streamlit.elements.widgets import button

from optimizer.domain import Outcome, Study
from optimizer.formats import EXPORTERS
from optimizer.reports import FORMATS
from tests.pages.visitor import Visitor

PAGES = Path(__file__).resolve().parents[2] / "pages"
TABS = ("Over the votes", "Pair by pair", "Strengths", "Other ways to win")
# By screen: the key of what is chosen there, and the choices that show all its downloads.
VIEWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "host/standings.py": ("charts", TABS),
    "host/report.py": ("", ("",)),
    "host/export.py": ("format", tuple(EXPORTERS)),
}
Site = tuple[str, int]  # a file under pages/, and the line at which a button is made
Data = Callable[[], str | bytes]


def sites() -> set[Site]:
    """Where the screens make buttons for downloads."""
    return {
        (str(path), call.lineno)
        for path in PAGES.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "download_button"
    }


def here() -> Site:
    """The line of the screen that is being drawn."""
    frame = sys._getframe(1)
    while not frame.f_code.co_filename.startswith(str(PAGES)):
        assert frame.f_back is not None
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Site, Data]]:
    """The downloads of all screens since then, by the file's name."""
    found: dict[str, tuple[Site, Data]] = {}

    def keep(_at: str, data: Data, _proto: object, _mime: str, name: str, **_: object) -> None:
        found[name] = here(), data

    monkeypatch.setattr(button, "marshall_file", keep)
    return found


def walk(visitor: Visitor, study: Study) -> None:
    """Look at every view that has a download."""
    for screen, (key, choices) in VIEWS.items():
        app = visitor.go(screen, study)
        for choice in choices:
            if key:
                app.session_state[key] = choice
                visitor.run()


def test_every_download_is_a_file_with_something_in_it(
    visitor: Visitor, drawn: dict[str, tuple[Site, Data]]
) -> None:
    study = visitor.study(['=Terse, "cold"', "**Warm** $x$"], ["one", "two"], outputs=True)
    visitor.voted(study, [Outcome.FIRST] * 4 + [Outcome.SECOND, Outcome.BOTH_BAD])
    walk(visitor, study)
    with ThreadPoolExecutor(1) as server:
        empty = [name for name, (_, data) in drawn.items() if not server.submit(data).result()]
    assert not empty
    assert len(drawn) == 5 + len(FORMATS) + len(EXPORTERS)
    assert {site for site, _ in drawn.values()} == sites()


def test_without_a_vote_every_download_that_is_offered_can_be_made(
    visitor: Visitor, drawn: dict[str, tuple[Site, Data]]
) -> None:
    walk(visitor, visitor.study(["Terse", "Warm"], ["one"], outputs=True))
    with ThreadPoolExecutor(1) as server:
        for _, data in drawn.values():
            assert isinstance(server.submit(data).result(), str | bytes)

"""Who may see which screen: by the menu, by its address, and by running the screen itself."""

from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest
import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.testing.v1 import AppTest

from optimizer.assemble import Services
from optimizer.sessions import Session
from optimizer.sessions.nouns import SessionId
from pages.parts import access

PAGES = Path(__file__).resolve().parents[2] / "pages"
MENU = PAGES / "menu.py"
HOST_SCREENS = sorted(path for path in (PAGES / "host").glob("*.py") if path.name != "login.py")
GOOD = "correct horse battery"


def open_session(running: Services, **terms: object) -> Session:
    study = running.store.studies()[0]
    return running.sessions.open(Session(SessionId(""), study.id, "Monday", **terms))  # type: ignore[arg-type]


def take_seat(running: Services, session: Session, person: str = "ann") -> None:
    running.sessions.practised(running.sessions.join(session.id, person, "Ann"))


def run(screen: Path) -> AppTest:
    app = AppTest.from_file(screen, default_timeout=30).run()
    assert not app.exception
    return app


def at_menu(screen: str) -> AppTest:
    """The screen as the menu opens it."""
    app = AppTest.from_file(MENU, default_timeout=30).run()
    app.switch_page(screen).run()
    assert not app.exception
    return app


def told(app: AppTest) -> str:
    parts = [*app.error, *app.warning, *app.info, *app.header, *app.markdown, *app.caption]
    return "\n".join(str(part.value).replace("\\", "") for part in parts)


@pytest.fixture
def as_rater(running: Services) -> Session:
    session = open_session(running)
    take_seat(running, session)
    return session


@pytest.fixture
def as_guest(running: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.parts.access.is_local", lambda: False)


@pytest.mark.parametrize("screen", HOST_SCREENS, ids=lambda path: path.stem)
def test_no_screen_of_the_host_is_drawn_for_a_rater(
    running: Services, as_rater: Session, screen: Path
) -> None:
    app = run(screen)
    assert [error.value for error in app.error] == ["This screen is for the host of the study."]
    assert not app.button
    assert not app.dataframe


@pytest.mark.parametrize("screen", HOST_SCREENS, ids=lambda path: path.stem)
def test_no_screen_of_the_host_is_drawn_for_a_guest(running: Services, as_guest: None, screen: Path) -> None:
    app = run(screen)
    assert [error.value for error in app.error] == ["This screen is for the host of the study."]
    assert not app.button


@pytest.mark.parametrize("screen", ["duel", "history", "room"])
def test_a_guest_is_asked_nothing_and_sees_no_votes(running: Services, as_guest: None, screen: str) -> None:
    app = run(PAGES / f"rater/{screen}.py")
    assert "Join a session, or log in" in told(app)
    assert not app.button


def test_the_menu_of_others_lists_no_screen_of_the_host(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the menu does not list has no address: only this and the guards stand between them."""
    host = AppTest.from_file(MENU, default_timeout=30).run()
    monkeypatch.setattr("pages.parts.access.is_local", lambda: False)
    guest = AppTest.from_file(MENU, default_timeout=30).run()
    take_seat(running, open_session(running))
    rater = AppTest.from_file(MENU, default_timeout=30).run()
    for screen in HOST_SCREENS:
        host.switch_page(str(screen))
        for other in (guest, rater):
            with pytest.raises(ValueError, match="navigation page"):
                other.switch_page(str(screen))
    assert [header.value for header in guest.header] == ["Join a session"]
    assert "vote_A" in [button.key for button in rater.button]
    assert not rater.sidebar.selectbox  # no choice of studies either
    assert "Monday" in told(rater)


def test_an_open_server_is_hosted_on_its_own_machine_only(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert access.may_host(running, "ann")
    monkeypatch.setattr("pages.parts.access.is_local", lambda: False)
    assert not access.may_host(running, "ann")
    assert "can be hosted only on the machine" in told(at_menu("host/login.py"))


def test_a_wrong_password_is_one_try_however_the_field_is_left(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.gate.set_password(GOOD)
    monkeypatch.setattr("pages.parts.access.is_local", lambda: False)
    app = at_menu("host/login.py")
    app.text_input(key="host_password").set_value("wrong password").run()  # on the way to the button
    assert not running.store.documents.all("host_tries")
    app.button(key="log_in").click().run()
    assert "not the host password" in told(app)
    assert [len(tries.body["at"]) for tries in running.store.documents.all("host_tries")] == [1, 1]


def test_with_a_password_nobody_hosts_without_it(running: Services) -> None:
    running.gate.set_password(GOOD)
    assert not access.may_host(running, "ann")  # not on the machine itself either
    app = at_menu("host/login.py")
    app.text_input(key="host_password").set_value("wrong password")
    app.button(key="log_in").click().run()
    assert "That is not the host password." in told(app)
    app.text_input(key="host_password").set_value(GOOD)
    app.button(key="log_in").click().run()
    assert "You are the host" in told(app)
    assert access.may_host(running, "ann")
    assert not access.may_host(running, "bob")
    app.button(key="log_out").click().run()
    assert not access.may_host(running, "ann")


def test_setting_the_first_password_logs_in_and_locks_the_rest_out(running: Services) -> None:
    app = at_menu("host/login.py")
    app.text_input(key="new_password").set_value("short")
    app.button(key="set_password").click().run()
    assert "10 to 1,000 characters" in told(app)
    app.text_input(key="new_password").set_value(GOOD)
    app.button(key="set_password").click().run()
    assert access.may_host(running, "ann")
    assert not access.may_host(running, "bob")


def test_who_has_no_cookie_cannot_log_in_or_join(running: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else everybody without one would be the same person, and host with the first who is."""
    monkeypatch.setattr("pages.parts.access.person", lambda: access.NO_COOKIE)
    running.gate.set_password(GOOD)
    running.gate.log_in(GOOD, access.NO_COOKIE, "")
    assert not access.may_host(running, access.NO_COOKIE)
    assert "no cookies" in told(at_menu("host/login.py"))
    assert "no cookies" in told(at_menu("rater/join.py"))


@pytest.mark.parametrize(
    ("headers", "address", "local"),
    [
        ({"Host": "localhost:8501", "Origin": "http://localhost:8501"}, None, True),
        ({"Host": "127.0.0.1:8501", "Origin": "http://127.0.0.1:8501"}, None, True),
        ({"Host": "[::1]:8501", "Origin": "http://[::1]:8501"}, None, True),
        ({"Host": "127.0.0.1:8501"}, "::ffff:127.0.0.1", True),  # a socket of both kinds, called over IPv4
        ({"Host": "127.0.0.1:8501"}, "::ffff:10.0.0.9", False),
        ({"Host": "localhost:8501"}, "no address", False),
        ({"Host": "10.0.0.7:8501", "Origin": "http://10.0.0.7:8501"}, "10.0.0.9", False),
        ({"Host": "localhost:8501"}, "10.0.0.9", False),  # the address counts, not what a client says
        ({"Host": "duel.example.org"}, None, False),  # a proxy on this machine
        ({"Host": "localhost:8501", "X-Forwarded-For": "10.0.0.9"}, None, False),
        ({"Host": "localhost:8501", "Forwarded": "for=10.0.0.9"}, None, False),
        ({"Host": "localhost:8501", "Origin": "https://duel.example.org"}, None, False),
    ],
)  # fmt: skip
def test_what_counts_as_this_machine(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], address: str | None, local: bool
) -> None:
    seen = SimpleNamespace(headers=headers, ip_address=address)
    monkeypatch.setattr("pages.parts.access.st", SimpleNamespace(context=seen))
    assert access.is_local() is local


@pytest.mark.parametrize(
    ("peer", "noted", "counted"),
    [
        (None, "", ""),
        ("9.9.9.9", "", "9.9.9.9"),
        ("9.9.9.9", "198.51.100.1", "9.9.9.9"),  # from elsewhere, without a proxy: made up
        ("172.18.0.2", "198.51.100.1", "172.18.0.2 198.51.100.1"),
        ("172.18.0.2", "6.6.6.6, 198.51.100.1", "172.18.0.2 198.51.100.1"),  # the proxy adds at the end
        (None, "198.51.100.1", "198.51.100.1"),
    ],
)
def test_wrong_guesses_behind_a_proxy_are_those_of_who_made_them(
    monkeypatch: pytest.MonkeyPatch, peer: str | None, noted: str, counted: str
) -> None:
    headers = {"X-Forwarded-For": noted} if noted else {}
    seen = SimpleNamespace(headers=headers, ip_address=peer)
    monkeypatch.setattr("pages.parts.access.st", SimpleNamespace(context=seen))
    assert access.address() == counted


def test_hosts_by_e_mail_need_a_provider_that_vouches_for_it(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"is_logged_in": True, "email": "Ann@Example.org", "email_verified": True, "name": "Ann"}
    monkeypatch.setattr("pages.parts.access.login_offered", lambda: True)

    def logged_in(**changes: object) -> str:
        user = SimpleNamespace(to_dict=lambda: {**known, **changes})
        monkeypatch.setattr("pages.parts.access.st", SimpleNamespace(user=user))
        return access.e_mail()

    assert logged_in() == "ann@example.org"
    assert logged_in(email_verified=False) == ""
    assert logged_in(is_logged_in=False) == ""
    assert logged_in(email=None) == ""


def test_a_page_left_open_does_nothing_for_who_is_no_host_any_more(running: Services) -> None:
    """Callbacks run before any screen has asked who is there."""
    running.gate.set_password(GOOD)
    running.gate.log_in(GOOD, "ann", "")
    session = open_session(running)
    sessions, board = at_menu("host/sessions.py"), at_menu("host/board.py")
    running.gate.log_out("ann")  # in another tab
    sessions.button(key=f"close_{session.id}").click().run()
    board.button(key="show_names").click().run()
    after = running.sessions.session(session.id)
    assert (after.closed_at, after.names_hidden) == (None, True)
    for page in (sessions, board):
        assert [header.value for header in page.header] == ["Host access"]
        assert "Nothing was done" in told(page)


def test_at_the_address_of_any_screen_a_guest_is_asked_who_they_are(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bookmark or an invitation finds no "Page not found", and once they may see it, the screen."""
    running.gate.set_password(GOOD)
    offered: list[dict[str, Path]] = []

    navigation = st.navigation

    def keep(
        pages: list[StreamlitPage] | dict[str, list[StreamlitPage]],
        *,
        position: Literal["sidebar", "hidden"] = "sidebar",
    ) -> StreamlitPage:
        listed = pages if isinstance(pages, list) else [page for some in pages.values() for page in some]
        offered.append({page.url_path: Path(str(page._page)) for page in listed})
        return navigation(pages, position=position)

    monkeypatch.setattr("streamlit.navigation", keep)
    run(MENU)
    running.gate.log_in(GOOD, "ann", "")
    run(MENU)
    guest, host = offered
    assert set(host) <= set(guest)
    asked = {path for path, screen in guest.items() if screen.name == "login.py"}
    assert asked == {path for path, screen in host.items() if screen.parent.name == "host"}
    assert {screen.name for screen in guest.values()} == {"login.py", "join.py"}
    assert guest["join"].name == "join.py"  # where invitations lead

"""The models screen: connections are kept, tried out and removed, and keys are shown and stored nowhere."""

from collections.abc import Iterator

import pytest

from optimizer.domain import Connection
from tests.fakes.openai_server import FakeServer, Fault
from tests.pages.visitor import Visitor

SCREEN = "host/models.py"
KEY = "sk-secret-of-this-test"
NEW = "connection:new"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(key=KEY, reply=lambda _: "Hello *there*.") as running:
        yield running


@pytest.fixture
def connected(visitor: Visitor, server: FakeServer) -> Visitor:
    """Somebody at the screen with one connection."""
    visitor.services.connections.put(Connection("Fake", server.url, "fake-model"))
    visitor.go(SCREEN)
    return visitor


def everywhere(visitor: Visitor) -> str:
    """All that the page shows, and what its widgets hold."""
    at = visitor.at
    fields = [str(field.value) for field in [*at.text_input, *at.text_area, *at.selectbox]]
    links = [str(link.label) for link in at.button]
    return "\n".join([visitor.shown(), *fields, *links, *map(str, at.query_params.items())])


def test_without_connections_it_says_so(visitor: Visitor) -> None:
    visitor.go(SCREEN)
    assert "There is no connection yet" in visitor.shown()


def test_a_connection_is_written_listed_tried_and_saved(visitor: Visitor, server: FakeServer) -> None:
    visitor.go(SCREEN)
    visitor.click("new_connection")
    visitor.fill(**{f"{NEW}_name": "Fake", f"{NEW}_server": f" {server.url} ", f"{NEW}_key": KEY})
    at = visitor.click(f"{NEW}_list")
    assert at.text_input(key=f"{NEW}_key").value == ""
    at.selectbox(key=f"{NEW}_pick").set_value("fake-small")
    visitor.run()
    assert at.text_input(key=f"{NEW}_model").value == "fake-small"
    at.number_input(key=f"{NEW}_temperature").set_value(0.3)
    at.number_input(key=f"{NEW}_max_tokens").set_value(200)
    at.number_input(key=f"{NEW}_input_price").set_value(0.5)
    at.number_input(key=f"{NEW}_output_price").set_value(1.5)
    at.number_input(key=f"{NEW}_concurrency").set_value(4)
    at.number_input(key=f"{NEW}_requests_per_minute").set_value(90)
    visitor.click(f"{NEW}_test")
    assert "fake-small-2026 answered in" in visitor.shown()
    assert "Hello *there*." in visitor.shown()
    assert server.answered == 1
    visitor.click(f"{NEW}_save")
    (kept,) = visitor.services.connections.all()
    assert (kept.name, kept.server, kept.model) == ("Fake", server.url, "fake-small")
    assert (kept.temperature, kept.max_tokens, kept.concurrency) == (0.3, 200, 4)
    assert (kept.input_price, kept.output_price) == (0.5, 1.5)
    assert (kept.requests_per_minute, kept.tokens_per_minute) == (90, None)
    assert "fake-small at" in visitor.shown()
    assert KEY not in everywhere(visitor)


def test_what_cannot_work_is_refused_and_stays_in_the_form(visitor: Visitor) -> None:
    visitor.go(SCREEN)
    visitor.click("new_connection")
    visitor.fill(**{f"{NEW}_name": "Fake", f"{NEW}_server": "http://host:port/v1"})
    at = visitor.click(f"{NEW}_save")
    assert "Say which model to use." in visitor.shown()
    assert at.text_input(key=f"{NEW}_name").value == "Fake"
    visitor.fill(**{f"{NEW}_model": "m"})
    visitor.click(f"{NEW}_test")
    assert "is not the address of a server" in visitor.shown()
    assert visitor.services.connections.all() == []


def test_opening_a_connection_and_saving_changes_nothing(connected: Visitor) -> None:
    (before,) = connected.services.connections.all()
    at = connected.click("edit_Fake")
    assert at.text_input(key="connection_Fake_name").disabled
    connected.click("connection_Fake_save")
    assert connected.services.connections.all() == [before]


def test_a_new_connection_takes_nobodys_name(connected: Visitor) -> None:
    (before,) = connected.services.connections.all()
    connected.click("new_connection")
    connected.fill(**{f"{NEW}_name": "Fake", f"{NEW}_server": "http://elsewhere/v1", f"{NEW}_model": "m"})
    connected.click(f"{NEW}_save")
    assert "There is a connection 'Fake' already." in connected.shown()
    assert connected.services.connections.all() == [before]


def test_a_trial_shows_the_exact_error_and_never_the_key(connected: Visitor, server: FakeServer) -> None:
    connected.click("test_Fake")
    assert "wants a key and none was given" in connected.at.error[0].value
    connected.fill(card_Fake_key="sk-another-key-altogether")
    connected.run()
    connected.click("test_Fake")
    assert "refuses the key. Enter a valid one for 'Fake'." in connected.shown()
    assert "sk-another" not in everywhere(connected)
    connected.fill(card_Fake_key=KEY)
    connected.run()
    server.faults.append(Fault.NO_MODEL)
    connected.click("test_Fake")
    assert "fake-model" in connected.at.error[0].value
    connected.click("test_Fake")
    assert "answered in" in connected.at.success[0].value


def test_the_page_says_where_a_key_comes_from(connected: Visitor) -> None:
    assert "no key" in connected.shown()
    connected.fill(card_Fake_key=KEY)
    connected.run()
    assert "key: typed in this session" in connected.shown()
    connected.click("card_Fake_forget")
    assert "no key" in connected.shown()
    connected.at.secrets["keys"] = {"Fake": KEY}
    connected.run()
    assert "key: the secrets file" in connected.shown()
    connected.click("test_Fake")
    assert "answered in" in connected.shown()
    assert KEY not in everywhere(connected)


def test_a_typed_key_leaves_its_field_at_once_and_goes_to_its_server_alone(
    connected: Visitor, server: FakeServer
) -> None:
    connected.fill(card_Fake_key=KEY)
    at = connected.run()
    assert at.text_input(key="card_Fake_key").value == ""
    assert at.session_state["typed_keys"] == {server.url.removesuffix("/v1"): KEY}
    assert str(at.session_state).count(KEY) == 1
    connected.click("edit_Fake")
    with FakeServer() as elsewhere:
        connected.fill(connection_Fake_server=elsewhere.url)
        connected.click("connection_Fake_test")
        assert elsewhere.calls == 1
        assert not any("authorization" in headers for headers in elsewhere.headers)


def test_what_cannot_be_a_key_is_refused_without_being_quoted(connected: Visitor) -> None:
    connected.fill(card_Fake_key="two words")
    connected.run()
    assert "The key holds a blank" in connected.shown()
    assert "two words" not in everywhere(connected)


def test_a_connection_is_removed(connected: Visitor) -> None:
    connected.click("remove_Fake")
    assert connected.services.connections.all() == []
    assert "There is no connection yet" in connected.shown()


def test_a_scripted_connection_says_that_no_model_answers(visitor: Visitor) -> None:
    visitor.services.connections.put(Connection("Words", "scripted:words", "words"))
    visitor.go(SCREEN)
    assert "scripted: no model answers" in visitor.shown()
    visitor.click("test_Words")
    assert "scripted (words) answered" in visitor.shown()

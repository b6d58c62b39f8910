"""A key is found where it belongs, goes to its own server alone, and is shown nowhere."""

import dataclasses

import pytest

from optimizer.domain import Connection
from optimizer.errors import BadInput
from optimizer.llm.keys import Key, KeyRing, key_variable, origin

OPENAI = Connection("OpenAI", "https://api.openai.com/v1", "m")
LOCAL = Connection("my server-2", "http://localhost:8000/v1", "m")
RING = KeyRing(
    {"OPENAI_API_KEY": "key-of-openai", "PROMPT_DUEL_KEY_MY_SERVER_2": "key-from-environment"},
    {"my server-2": "key-from-secrets", "third": "key-of-third"},
)


def found(connection: Connection, typed: dict[str, str] | None = None, ring: KeyRing = RING) -> str | None:
    key = ring.find(connection, typed)
    return None if key is None else key.secret


def test_typed_comes_before_environment_before_secrets() -> None:
    assert found(LOCAL, {"http://localhost:8000": "key-typed"}) == "key-typed"
    assert found(LOCAL) == "key-from-environment"
    assert found(LOCAL, ring=KeyRing({}, RING.secrets)) == "key-from-secrets"
    assert found(LOCAL, ring=KeyRing()) is None


def test_a_source_is_told_without_the_key() -> None:
    sources = [
        RING.source(LOCAL, {"http://localhost:8000": "key-typed"}),
        RING.source(LOCAL),
        RING.source(OPENAI),
        KeyRing({}, RING.secrets).source(LOCAL),
        KeyRing().source(LOCAL),
    ]
    assert sources == [
        "typed in this session",
        "PROMPT_DUEL_KEY_MY_SERVER_2 in the environment",
        "OPENAI_API_KEY in the environment",
        "the secrets file",
        None,
    ]


@pytest.mark.parametrize("server", ["http://host:port/v1", "http://[::1/v1", "http://host:99999/v1"])
def test_what_cannot_be_an_address_is_an_error_of_ours(server: str) -> None:
    with pytest.raises(BadInput, match="is not the address of a server"):
        origin(server)


@pytest.mark.parametrize(
    "server",
    [
        "http://api.openai.com/v1",
        "https://api.openai.com.evil.example/v1",
        "https://api.openai.com@evil.example/v1",
        "https://evil.example/api.openai.com/v1",
        "https://api.openai.com:8443/v1",
        "https://openai.com/v1",
    ],
)
def test_the_key_of_openai_goes_to_openai_alone(server: str) -> None:
    assert found(OPENAI) == "key-of-openai"
    assert found(dataclasses.replace(OPENAI, server="HTTPS://API.OPENAI.COM:443/v1/")) == "key-of-openai"
    assert found(dataclasses.replace(OPENAI, server=server)) is None


def test_a_typed_key_does_not_follow_an_edited_address() -> None:
    typed = {origin(LOCAL.server): "key-typed"}
    moved = dataclasses.replace(LOCAL, name="third", server="http://localhost:9000/v1")
    assert found(moved, typed) == "key-of-third"


def test_neither_repr_nor_str_nor_a_traceback_shows_it() -> None:
    key = Key("sk-marker-123456")
    assert "marker" not in f"{key} {key!r} {[key]} {RING!r} {(KeyRing({}, {'a': 'sk-marker'}))}"
    assert key.redact("Incorrect API key: sk-marker-123456.") == "Incorrect API key: [key]."
    assert "key-of" not in repr(RING)


@pytest.mark.parametrize("secret", ["with blank", "line\nbreak", "umlaut-ä-here", "abc"])
def test_what_no_header_can_carry_is_refused_without_being_quoted(secret: str) -> None:
    with pytest.raises(BadInput) as raised:
        Key(secret)
    assert secret not in str(raised.value)


def test_the_variable_of_a_connection_is_its_name_in_capitals() -> None:
    assert key_variable("my server-2") == "PROMPT_DUEL_KEY_MY_SERVER_2"
    assert found(LOCAL, ring=KeyRing({"PROMPT_DUEL_KEY_MY_SERVER_2": "  key-padded  "})) == "key-padded"

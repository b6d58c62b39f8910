"""Every fault of a real HTTP server becomes the right error of ours."""

import logging
import time
from collections.abc import Iterator

import pytest

from optimizer.domain import Connection
from optimizer.errors import BadInput, ProviderError
from optimizer.llm import errors, open_model, provider
from optimizer.llm.base import Completion, FinishReason, Message, Request, Role
from optimizer.llm.keys import Key
from optimizer.llm.openai_compatible import OpenAICompatible
from tests.fakes.openai_server import MODELS, FakeServer, Fault

KEY = Key("sk-marker-7f3a9c")
ASK = Request((Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "What is a duel?")))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


def connect(server: FakeServer, **changed: object) -> Connection:
    fields: dict[str, object] = {"model": "fake-model", "timeout_s": 5.0, "server": server.url}
    return Connection(name="fake", **(fields | changed))  # type: ignore[arg-type]


def model_at(server: FakeServer, key: Key | None = KEY, **changed: object) -> OpenAICompatible:
    return OpenAICompatible(connect(server, **changed), key)


FAULTS: list[tuple[Fault, type[ProviderError], str]] = [
    (Fault.KEY_REFUSED, errors.KeyRefused, "Enter a valid one"),
    (Fault.FORBIDDEN, errors.NoPermission, "another key or model"),
    (Fault.NO_MODEL, errors.ModelNotFound, "Choose one from its list"),
    (Fault.NO_PATH, errors.WrongAddress, "/v1"),
    (Fault.RATE_LIMITED, errors.RateLimited, "limits"),
    (Fault.RATE_LIMITED_SILENT, errors.RateLimited, "limits"),
    (Fault.RATE_LIMITED_LONG, errors.RateLimited, "asks to wait 60 minutes"),
    (Fault.QUOTA, errors.QuotaSpent, "Top it up"),
    (Fault.BROKEN, errors.ServerBusy, "Try again"),
    (Fault.BUSY, errors.ServerBusy, "Try again"),
    (Fault.HANG, errors.TimedOut, "longer time-out"),
    (Fault.CUT, errors.CutOff, "Try again"),
    (Fault.DROP, errors.CutOff, "Try again"),
    (Fault.MALFORMED, errors.NotUnderstood, "Try again"),
    (Fault.HTML, errors.WrongAddress, "/v1"),
    (Fault.NO_CHOICES, errors.NotUnderstood, "Try again"),
    (Fault.NO_FINISH, errors.NotUnderstood, "Try again"),
    (Fault.FILTERED, errors.ContentFiltered, "Change the prompt"),
    (Fault.REFUSED, errors.ContentFiltered, "Change the prompt"),
    (Fault.EMPTY, errors.EmptyAnswer, "another sample"),
    (Fault.ENDLESS, errors.AnswerTooLong, "lower max_tokens"),
    (Fault.DRIP, errors.TimedOut, "lower max_tokens"),
    (Fault.TOO_LONG, errors.TooLong, "Shorten"),
    (Fault.REDIRECT, errors.WrongAddress, "Enter that address"),
]


@pytest.mark.parametrize(("fault", "expected", "advice"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
def test_each_fault_is_its_own_error_with_advice_and_without_the_key(
    server: FakeServer, fault: Fault, expected: type[ProviderError], advice: str
) -> None:
    server.faults.append(fault)
    with pytest.raises(ProviderError) as raised:
        model_at(server, timeout_s=0.6).complete(ASK)
    error = raised.value
    assert type(error) is expected
    assert advice in str(error)
    assert KEY.secret not in str(error) + repr(error)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert server.calls == 1  # the library did not try again behind our back


STREAM_FAULTS = [
    (Fault.KEY_REFUSED, errors.KeyRefused),
    (Fault.BUSY, errors.ServerBusy),
    (Fault.HANG, errors.TimedOut),
    (Fault.CUT, errors.CutOff),
    (Fault.DROP, errors.CutOff),
    (Fault.MALFORMED, errors.NotUnderstood),
    (Fault.HTML, errors.NotUnderstood),
    (Fault.NO_CHOICES, errors.CutOff),
    (Fault.FILTERED, errors.ContentFiltered),
    (Fault.EMPTY, errors.EmptyAnswer),
]


@pytest.mark.parametrize(("fault", "expected"), STREAM_FAULTS, ids=[fault for fault, _ in STREAM_FAULTS])
def test_a_broken_stream_never_ends_as_if_it_were_whole(
    server: FakeServer, fault: Fault, expected: type[ProviderError]
) -> None:
    server.faults.append(fault)
    with pytest.raises(ProviderError) as raised:
        list(model_at(server, timeout_s=0.6).stream(ASK))
    assert type(raised.value) is expected
    assert KEY.secret not in str(raised.value)
    assert raised.value.__context__ is None


def test_the_seconds_to_wait_are_read_in_every_notation(server: FakeServer) -> None:
    waits = []
    for fault in (Fault.RATE_LIMITED, Fault.RATE_LIMITED_SOON, Fault.RATE_LIMITED_SILENT):
        server.faults.append(fault)
        with pytest.raises(errors.RateLimited) as raised:
            model_at(server).complete(ASK)
        waits.append(raised.value.retry_after)
    assert waits == [1.0, 0.05, None]


def test_a_whole_answer_carries_text_usage_model_and_latency(server: FakeServer) -> None:
    server.latency_s = 0.05
    answer = model_at(server).complete(ASK)
    assert answer.text.startswith("Answer ")
    assert answer.finish_reason is FinishReason.STOP
    assert (answer.usage.input_tokens, answer.usage.estimated) == (6, False)
    assert answer.model == "fake-model-2026"
    assert answer.latency_ms >= 50


def test_a_stream_brings_the_same_answer_in_pieces(server: FakeServer) -> None:
    *pieces, last = model_at(server).stream(ASK)
    whole = model_at(server).complete(ASK)
    assert isinstance(last, Completion)
    assert len(pieces) > 2
    assert "".join(str(piece) for piece in pieces) == last.text == whole.text
    assert last.usage == whole.usage
    assert last.model == whole.model


def test_missing_usage_is_estimated_and_says_so(server: FakeServer) -> None:
    server.faults.append(Fault.NO_USAGE)
    usage = model_at(server).complete(ASK).usage
    assert usage.estimated
    assert usage.input_tokens == 15  # 9 and 15 bytes at four a token, rounded up, and two frames
    assert usage.output_tokens > 0


def test_an_answer_cut_at_its_limit_is_marked(server: FakeServer) -> None:
    server.faults.extend([Fault.LENGTH, Fault.LENGTH])
    *_, streamed = model_at(server).stream(ASK)
    assert isinstance(streamed, Completion)
    assert streamed.finish_reason is FinishReason.LENGTH
    assert model_at(server).complete(ASK).finish_reason is FinishReason.LENGTH


def test_what_is_asked_is_what_is_sent(server: FakeServer) -> None:
    schema = {"type": "object", "properties": {"better": {"type": "string"}}}
    request = Request(ASK.messages, seed=7, schema=schema, top_logprobs=3)
    answer = model_at(server, temperature=0.3, max_tokens=99).complete(request)
    sent = server.requests[-1]
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (sent["temperature"], sent["max_tokens"], sent["seed"]) == (0.3, 99, 7)
    assert sent["response_format"]["json_schema"]["schema"] == schema
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 3)
    assert answer.logprobs[0].alternatives == {answer.logprobs[0].token: -0.5}
    model_at(server, max_tokens=None).complete(Request(ASK.messages))
    assert set(server.requests[-1]) == {"model", "messages"}


def test_a_server_without_structured_output_says_so(server: FakeServer) -> None:
    server.faults.append(Fault.NO_SCHEMA)
    with pytest.raises(errors.SchemaRefused, match="structured output"):
        model_at(server).complete(Request(ASK.messages, schema={"type": "object"}))


def test_the_newer_dialect_is_found_out_once(server: FakeServer) -> None:
    server.new_dialect = True
    model = model_at(server)
    model.complete(ASK)
    list(model.stream(ASK))
    model.complete(ASK)
    assert server.statuses == {400: 2, 200: 3}
    assert "max_completion_tokens" in server.requests[-1]


def test_a_refused_port_is_unreachable() -> None:
    with FakeServer() as gone:
        connection = connect(gone)
    with pytest.raises(errors.Unreachable, match="is the server running"):
        OpenAICompatible(connection, None).complete(ASK)


@pytest.mark.parametrize("address", ["", "api.openai.com/v1", "ftp://x/v1", "http://", "http://x:port/v1"])
def test_nonsense_addresses_are_told_apart_from_servers(address: str) -> None:
    with pytest.raises(BadInput, match="not the address of a server" if address else "Give the server's"):
        open_model(Connection("x", address, "m"), None)


def test_models_are_listed(server: FakeServer) -> None:
    connection = connect(server)
    assert provider(connection).models(connection, None) == MODELS
    server.key = "another-key"
    with pytest.raises(errors.KeyRefused):
        provider(connection).models(connection, KEY)
    with pytest.raises(errors.KeyMissing, match="none was given"):
        model_at(server, key=None).complete(ASK)


def test_only_our_own_headers_leave(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-of-admin")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-openai")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: of-the-proxy")
    model_at(server, key=None).complete(ASK)
    model_at(server, key=KEY).complete(ASK)
    without, with_key = server.headers
    assert "authorization" not in without
    assert with_key.pop("authorization") == f"Bearer {KEY.secret}"
    for headers in (without, with_key):
        assert not {"openai-organization", "x-secret"} & set(headers)
        assert not [value for value in headers.values() if "of-" in value]


def test_a_server_that_echoes_the_key_cannot_plant_it_in_an_answer(server: FakeServer) -> None:
    server.reply = lambda _: f"Your key is {KEY.secret}."
    assert model_at(server).complete(ASK).text == "Your key is [key]."
    *_, last = model_at(server).stream(ASK)
    assert isinstance(last, Completion)
    assert last.text == "Your key is [key]."


def test_the_key_is_in_no_log_and_no_repr(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults.extend([Fault.KEY_REFUSED, Fault.BROKEN])
    model = model_at(server)
    for _ in range(2):
        with pytest.raises(ProviderError):
            model.complete(ASK)
    model.complete(ASK)
    assert KEY.secret not in caplog.text
    assert "What is a duel?" not in caplog.text
    assert KEY.secret not in f"{model!r} {KEY!r} {KEY}"


def test_a_slow_drip_ends_on_time(server: FakeServer) -> None:
    server.faults.append(Fault.DRIP)
    started = time.monotonic()
    with pytest.raises(errors.TimedOut):
        model_at(server, timeout_s=0.4).complete(ASK)
    assert 0.4 <= time.monotonic() - started < 1.5

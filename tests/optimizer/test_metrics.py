"""What Prometheus is told, and what a log line says as JSON."""

import json
import logging

import pytest
from prometheus_client.parser import text_string_to_metric_families
from streamlit.logger import get_logger

from optimizer import logs
from optimizer.domain import Connection, DuelId, Outcome, RaterId, StudyId
from optimizer.errors import NotFound, ProviderError
from optimizer.llm.base import Message, Request, Role
from optimizer.llm.lane import Lanes
from optimizer.llm.scripted import Scripted
from optimizer.metrics import exposed
from optimizer.pairing import Pairing
from optimizer.storage.memory import MemoryStore
from optimizer.workshop import Workshop
from tests.optimizer.storage.world import world


def value(name: str, **labels: str) -> float:
    for family in text_string_to_metric_families(exposed().decode()):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return 0.0


def test_asks_votes_and_their_errors_are_counted() -> None:
    store = MemoryStore()
    store.add(world())
    workshop = Workshop(store, Pairing(store))
    asks, votes = value("prompt_duel_ask_seconds_count"), value("prompt_duel_vote_seconds_count")
    missing = value("prompt_duel_errors_total", where="vote", error="NotFound")
    duel = workshop.next_duel(StudyId("s"), RaterId("s-r0")).duel
    workshop.record_vote(duel.id, RaterId("s-r0"), Outcome.FIRST)
    with pytest.raises(NotFound):
        workshop.record_vote(DuelId("ghost"), RaterId("s-r0"), Outcome.FIRST)
    assert value("prompt_duel_ask_seconds_count") == asks + 1
    assert value("prompt_duel_vote_seconds_count") == votes + 1
    assert value("prompt_duel_errors_total", where="vote", error="NotFound") == missing + 1


def test_model_calls_are_counted_by_their_ends() -> None:
    def answer(request: Request) -> str:
        if request.messages[-1].content == "fail":
            raise ProviderError("The server fell over.")
        return "hi"

    lane = Lanes(lambda *_: Scripted(answer)).lane(Connection("metered", "http://h/v1", "m"), None)
    lane.under().complete(Request((Message(Role.USER, "hello"),)))
    with pytest.raises(ProviderError):
        lane.under().complete(Request((Message(Role.USER, "fail"),)))
    assert value("prompt_duel_model_calls_total", connection="metered", end="answered") == 1
    assert value("prompt_duel_model_calls_total", connection="metered", end="ProviderError") == 1
    assert value("prompt_duel_model_call_seconds_count", connection="metered") == 1
    assert value("prompt_duel_model_tokens_total", connection="metered") > 0


def test_an_event_as_json_has_its_fields() -> None:
    def line(message: str, *values: object) -> dict[str, object]:
        record = logging.LogRecord("optimizer.x", logging.INFO, "f", 1, message, values, None)
        return json.loads(logs.AsJson().format(record))

    event = line("verdict duel=%s margin=%.2f calls=%d", "d1", 0.256, 2)
    assert (event["event"], event["duel"], event["margin"], event["calls"]) == ("verdict", "d1", 0.256, 2)
    assert (event["level"], event["logger"]) == ("info", "optimizer.x")
    assert line("no fields here")["event"] == "no fields here"
    assert line("odd %s key=%s", "one", "two")["event"] == "odd one key=two"
    assert line("run=%s given up: %s", "r", NotFound("No."))["event"] == "run=r given up: No."


def test_an_error_keeps_its_traceback_and_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    before = value("prompt_duel_log_errors_total", logger="optimizer")
    logs.configure(as_json=True)
    logs.configure(as_json=True)  # once is enough
    try:
        try:
            raise NotFound("No.")
        except NotFound:
            logging.getLogger("optimizer.x").exception("broke id=%s", "a\nb")
        (line,) = capsys.readouterr().err.splitlines()
        told = json.loads(line)
        assert (told["event"], told["id"]) == ("broke", "a\nb")
        assert "NotFound: No." in told["fault"]
        assert value("prompt_duel_log_errors_total", logger="optimizer") == before + 1
        screens = value("prompt_duel_log_errors_total", logger="streamlit")
        get_logger("streamlit.error_util").error("A screen failed.")
        assert value("prompt_duel_log_errors_total", logger="streamlit") == screens + 1
    finally:
        for logger in map(logging.getLogger, ("optimizer", *logs.COUNTED)):
            for handler in list(logger.handlers):
                if getattr(handler, "prompt_duel", False) or isinstance(handler, logs.ErrorLines):
                    logger.removeHandler(handler)

"""A lane's calls: tried again when that helps, counted, limited, cancelled."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from optimizer.domain import Connection
from optimizer.errors import ProviderError
from optimizer.llm import errors, lane, open_model
from optimizer.llm.base import Completion, Message, Request, Role
from optimizer.llm.budget import Budget, Ledger, Spend
from optimizer.llm.keys import Key
from optimizer.llm.lane import Lane, Lanes, wait_after
from tests.fakes.openai_server import FakeServer, Fault

ASK = Request((Message(Role.USER, "one two three"),))


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "FIRST_WAIT_S", 0.01)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


def lane_to(server: FakeServer, concurrency: int = 4, timeout_s: float = 3.0) -> Lane:
    connection = Connection(
        "fake", server.url, "m", concurrency=concurrency, timeout_s=timeout_s, max_tokens=50,
        input_price=1.0, output_price=1.0,
    )  # fmt: skip
    return Lane(connection, open_model(connection, None))


@pytest.mark.parametrize(
    "faults",
    [
        [Fault.RATE_LIMITED_SOON] * 3,
        [Fault.RATE_LIMITED_SILENT] * 2,
        [Fault.BROKEN, Fault.BUSY],
        [Fault.DROP, Fault.CUT],
        [Fault.MALFORMED],
        [Fault.BROKEN, Fault.RATE_LIMITED_SOON, Fault.CUT, Fault.MALFORMED],
    ],
    ids=lambda faults: "+".join(faults),
)
def test_passing_faults_are_tried_again_until_the_answer_comes(
    server: FakeServer, faults: list[Fault]
) -> None:
    server.faults.extend(faults)
    assert lane_to(server).under().complete(ASK).text.startswith("Answer")
    assert server.calls == len(faults) + 1


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        (Fault.BUSY, 6), (Fault.CUT, 3), (Fault.MALFORMED, 3), (Fault.KEY_REFUSED, 1), (Fault.QUOTA, 1),
        (Fault.NO_MODEL, 1), (Fault.EMPTY, 1), (Fault.FILTERED, 1), (Fault.TOO_LONG, 1), (Fault.HTML, 1),
        (Fault.RATE_LIMITED_LONG, 1),
    ],
)  # fmt: skip
def test_nothing_is_tried_more_often_than_it_may_help(server: FakeServer, fault: Fault, tries: int) -> None:
    server.faults.extend([fault] * 20)
    with pytest.raises(ProviderError):
        lane_to(server).under().complete(ASK)
    assert server.calls == tries


def test_beginning_again_in_the_hour_that_a_server_asked_for_is_refused_and_does_not_stand_still(
    server: FakeServer,
) -> None:
    server.faults.extend([Fault.RATE_LIMITED_LONG] * 3)
    shared = lane_to(server)
    for _ in range(3):
        with pytest.raises(errors.QuotaSpent):
            shared.under().complete(ASK)
    cancelled, ledger = threading.Event(), Ledger()
    threading.Timer(5.0, cancelled.set).start()  # so that a call that waits ends this test
    with pytest.raises(errors.QuotaSpent, match="takes no calls for the next 60 minutes"):
        shared.under(ledger, cancelled).complete(ASK)
    assert server.calls == 3
    assert ledger.spent == Spend()


def test_retry_after_is_honoured(server: FakeServer) -> None:
    server.faults.append(Fault.RATE_LIMITED)  # Retry-After: 1
    started = time.monotonic()
    lane_to(server).under().complete(ASK)
    assert 1.0 <= time.monotonic() - started < 1.6


def test_a_server_that_asks_for_an_hour_is_not_waited_for(server: FakeServer) -> None:
    server.faults.append(Fault.RATE_LIMITED_LONG)
    with pytest.raises(errors.QuotaSpent, match="next 60 minutes"):
        lane_to(server).under().complete(ASK)


def test_waits_double_with_jitter_and_never_undercut_the_server() -> None:
    rng = random.Random(1)
    for failures in range(1, 12):
        top = min(lane.LONGEST_WAIT_S, lane.FIRST_WAIT_S * 2 ** (failures - 1))
        waits = [wait_after(None, failures, rng) for _ in range(200)]
        assert top / 2 <= min(waits) < max(waits) <= top
        assert max(waits) - min(waits) > 0.3 * top
    assert min(wait_after(3.0, 1, rng) for _ in range(200)) >= 3.0


def test_never_more_calls_at_once_than_the_connection_allows(server: FakeServer) -> None:
    server.latency_s = 0.02
    model = lane_to(server, concurrency=3).under()
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: model.complete(ASK), range(30)))
    assert server.most_at_once == 3


def test_urgent_calls_go_first(server: FakeServer) -> None:
    server.latency_s = 0.03
    here = lane_to(server, concurrency=1)
    order: list[str] = []

    def call(kind: str) -> None:
        here.under(urgent=kind == "urgent").complete(ASK)
        order.append(kind)

    threads = [threading.Thread(target=call, args=("usual",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.01)
    urgent = threading.Thread(target=call, args=("urgent",))
    urgent.start()
    for thread in [*threads, urgent]:
        thread.join(5)
    assert order.index("urgent") <= 2


def test_the_ledger_holds_what_the_server_billed(server: FakeServer) -> None:
    server.faults.extend([Fault.BUSY, Fault.RATE_LIMITED_SOON, Fault.EMPTY])
    ledger = Ledger(Budget(calls=3))
    model = lane_to(server).under(ledger)
    with pytest.raises(errors.EmptyAnswer):
        model.complete(ASK)
    assert ledger.spent.calls == 1  # refused calls are not billed, empty answers are
    answer = model.complete(ASK)
    assert ledger.spent == Spend(2, 6, answer.usage.output_tokens, pytest.approx(ledger.spent.tokens / 1e6))


def test_a_call_that_nobody_knows_the_end_of_counts_in_full(server: FakeServer) -> None:
    server.faults.append(Fault.HANG)
    ledger = Ledger(Budget(calls=1))
    with pytest.raises(errors.BudgetSpent):
        lane_to(server, timeout_s=0.2).under(ledger).complete(ASK)
    assert ledger.spent.output_tokens == 50  # max_tokens
    assert server.calls == 1


def test_a_budget_of_calls_is_kept_by_many_threads(server: FakeServer) -> None:
    server.latency_s = 0.005
    model = lane_to(server, concurrency=8).under(Ledger(Budget(calls=10)))

    def call(_: int) -> bool:
        try:
            model.complete(ASK)
        except errors.BudgetSpent:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        done = sum(pool.map(call, range(40)))
    assert done == server.answered == 10


def test_cancel_ends_every_kind_of_waiting(server: FakeServer) -> None:
    server.faults.extend([Fault.RATE_LIMITED] * 50)
    cancelled = threading.Event()
    model = lane_to(server, concurrency=2).under(cancelled=cancelled)
    threading.Timer(0.1, cancelled.set).start()
    started = time.monotonic()

    def call(_: int) -> type[ProviderError]:
        with pytest.raises(ProviderError) as raised:
            model.complete(ASK)
        return raised.type

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(call, range(6))) == {errors.CallCancelled}
    assert time.monotonic() - started < 0.9


def test_a_stream_is_tried_again_only_before_its_first_piece(server: FakeServer) -> None:
    server.faults.append(Fault.BUSY)
    ledger = Ledger()
    *pieces, last = lane_to(server).under(ledger).stream(ASK)
    assert isinstance(last, Completion)
    assert "".join(str(piece) for piece in pieces) == last.text
    assert ledger.spent.calls == 1
    server.faults.append(Fault.CUT)
    with pytest.raises(errors.CutOff):
        list(lane_to(server).under(ledger).stream(ASK))
    assert ledger.spent.calls == 2
    assert server.statuses == {503: 1, 200: 2}


def test_a_lane_is_shared_until_its_connection_changes(server: FakeServer) -> None:
    lanes = Lanes(open_model)
    connection = Connection("fake", server.url, "m")
    first = lanes.lane(connection, None)
    assert lanes.lane(connection, None) is first
    with_key = lanes.lane(connection, Key("another-key"))
    assert with_key is not first
    assert with_key.slots is first.slots
    assert with_key.pace is first.pace
    edited = Connection("fake", server.url, "m", concurrency=2)
    assert lanes.lane(edited, None).slots is not first.slots

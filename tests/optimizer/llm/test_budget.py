"""A budget holds whatever happens at once; a price is what the account says."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.domain import Connection
from optimizer.errors import BadInput
from optimizer.llm.base import Message, Request, Role, Usage
from optimizer.llm.budget import NOTHING, Budget, Ledger, Spend, most_of, spend_of
from optimizer.llm.errors import BudgetSpent, CallCancelled
from optimizer.llm.tokens import estimate, most_input

PRICED = Connection("x", "http://x/v1", "m", max_tokens=100, input_price=2.0, output_price=8.0)
NEVER = threading.Event()


def test_a_worked_price() -> None:
    """1,500 tokens in at 2 and 500 out at 8 per million: 0.003 + 0.004."""
    spend = spend_of(PRICED, Usage(1500, 500))
    assert spend == Spend(1, 1500, 500, pytest.approx(0.007))
    assert spend.tokens == 2000


def test_the_most_of_a_call_bounds_every_text() -> None:
    request = Request((Message(Role.USER, "日本語のテキスト, äöü, plain"),))
    assert most_of(PRICED, request).output_tokens == 100
    assert most_input(request) >= len("日本語のテキスト, äöü, plain".encode())
    assert estimate("x" * 400) == 100


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(0, 60),
    calls=st.lists(st.tuples(st.integers(1, 20), st.floats(0, 1)), max_size=30),
)
def test_reservations_never_let_the_spend_pass_the_limit(limit: int, calls: list[tuple[int, float]]) -> None:
    ledger = Ledger(Budget(tokens=limit))
    open_calls: list[tuple[int, int]] = []
    for most, share in calls:
        held = sum(tokens for _, tokens in open_calls)
        if ledger.spent.tokens + held + most > limit and open_calls:
            number, reserved = open_calls.pop()  # would wait for this one
            ledger.settle(number, Spend(1, int(reserved * share)))
        try:
            fits = ledger.spent.tokens + sum(t for _, t in open_calls) + most <= limit
            if fits or not open_calls:
                open_calls.append((ledger.reserve(Spend(1, most), NEVER), most))
        except BudgetSpent:
            assert ledger.spent.tokens + most > limit
        assert ledger.spent.tokens + sum(tokens for _, tokens in open_calls) <= limit


def test_many_threads_cannot_overshoot_and_use_all_of_it() -> None:
    ledger = Ledger(Budget(calls=37))
    made = []

    def work() -> None:
        while True:
            try:
                number = ledger.reserve(Spend(1, 10, 10), NEVER)
            except BudgetSpent:
                return
            time.sleep(0.001)
            made.append(number)
            ledger.settle(number, Spend(1, 5, 5))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(made) == len(set(made)) == 37
    assert ledger.spent == Spend(37, 185, 185)


def test_a_call_waits_for_what_others_may_give_back() -> None:
    ledger = Ledger(Budget(tokens=100))
    first = ledger.reserve(Spend(1, 80), NEVER)
    threading.Timer(0.05, ledger.settle, (first, Spend(1, 10))).start()
    second = ledger.reserve(Spend(1, 90), NEVER)
    ledger.settle(second, NOTHING)
    assert ledger.spent == Spend(1, 10)


def test_waiting_ends_when_cancelled_and_when_it_is_hopeless() -> None:
    ledger = Ledger(Budget(money=1.0))
    ledger.reserve(Spend(1, money=0.9), NEVER)
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(CallCancelled):
        ledger.reserve(Spend(1, money=0.2), cancelled)
    with pytest.raises(BudgetSpent, match="0 of 1 in money"):
        ledger.reserve(Spend(1, money=1.2), NEVER)


@pytest.mark.parametrize(
    ("budget", "connection", "complaint"),
    [
        (Budget(money=1), Connection("x", "http://x", "m"), "has none. Enter its price"),
        (Budget(tokens=5), Connection("x", "http://x", "m", max_tokens=None), "Set its max_tokens"),
        (Budget(calls=-1), PRICED, "makes no sense"),
    ],
)
def test_a_budget_that_could_not_be_kept_is_refused(
    budget: Budget, connection: Connection, complaint: str
) -> None:
    with pytest.raises(BadInput, match=complaint):
        budget.check(connection)

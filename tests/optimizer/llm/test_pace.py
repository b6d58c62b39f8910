"""The pace keeps a connection's limits in every minute, and finds the rate that a server allows."""

from collections import deque
from collections.abc import Callable

import pytest

from optimizer.llm.pace import IN_A_ROW, WINDOW_S, Pace, Start


def run(pace: Pace, seconds: float, tokens: Callable[[], int] = lambda: 1, step: float = 0.05) -> list[Start]:
    """Ask as often as the pace allows; every call is accepted at once."""
    now, size, starts = 0.0, tokens(), []
    while now < seconds:
        start = pace.start(now, size)
        if isinstance(start, Start):
            pace.accepted(start, now, start.tokens)
            starts.append(start)
            size = tokens()
        now += step if isinstance(start, Start) else max(start, 1e-6)
    return starts


def test_no_minute_holds_more_requests_than_the_limit() -> None:
    times = [start.at for start in run(Pace(20, None), 300)]
    assert len(times) >= 95  # 20 a minute for five minutes, nearly
    for n, at in enumerate(times):
        assert sum(at <= other < at + WINDOW_S for other in times[n:]) <= 20


def test_no_minute_holds_more_tokens_than_the_limit() -> None:
    sizes = deque([100, 700, 300, 50, 900] * 40)
    starts = run(Pace(None, 2000), 300, sizes.popleft)
    assert sum(start.tokens for start in starts) >= 5 * 2000 * 0.7
    for n, start in enumerate(starts):
        near = [other.tokens for other in starts[n:] if other.at < start.at + WINDOW_S]
        assert sum(near) <= 2000


def test_a_call_larger_than_the_limit_is_let_through_alone() -> None:
    pace = Pace(None, 100)
    assert isinstance(pace.start(0.0, 500), Start)
    assert pace.start(1.0, 1) == pytest.approx(59.0)
    assert isinstance(pace.start(60.1, 1), Start)


def test_unused_tokens_are_given_back() -> None:
    pace = Pace(None, 1000)
    start = pace.start(0.0, 900)
    assert isinstance(start, Start)
    assert pace.start(0.1, 900) == pytest.approx(59.9)
    pace.accepted(start, 0.5, 50)
    assert isinstance(pace.start(0.6, 900), Start)


def test_refusals_in_a_row_hold_everybody_as_long_as_the_server_asks() -> None:
    pace = Pace(None, None)
    starts = [pace.start(0.0, 1) for _ in range(IN_A_ROW)]
    for start in starts:
        assert isinstance(start, Start)
        pace.refused(start, 0.1, 7.0)
    assert pace.start(0.2, 1) == pytest.approx(6.9)
    assert isinstance(pace.start(7.2, 1), Start)


def test_a_refusal_among_the_first_few_calls_sets_no_rate() -> None:
    pace = Pace(None, None)
    starts = [pace.start(n / 100, 1) for n in range(6)]
    assert isinstance(starts[5], Start)
    pace.refused(starts[5], 0.06, 1.0)
    assert pace.rate is None
    later = pace.start(2.0, 1)
    assert isinstance(later, Start)
    pace.refused(later, 2.1, 1.0)
    assert pace.rate is not None


def test_a_refusal_that_took_longer_than_any_memory_is_survived() -> None:
    pace = Pace(None, None)
    start = pace.start(0.0, 1)
    assert isinstance(start, Start)
    assert isinstance(pace.start(WINDOW_S + 5, 1), Start)
    pace.refused(start, WINDOW_S * 3, 1.0)
    assert isinstance(pace.start(WINDOW_S * 3 + 2, 1), Start)


def server_of(limit: int) -> Callable[[float], bool]:
    """Allows so many calls in any second."""
    window: deque[float] = deque()

    def admits(now: float) -> bool:
        while window and window[0] <= now - 1.0:
            window.popleft()
        if len(window) >= limit:
            return False
        window.append(now)
        return True

    return admits


@pytest.mark.parametrize("limit", [2, 10, 50, 200])
def test_the_rate_of_a_server_is_found_and_kept(limit: int) -> None:
    """Simulated: 16 callers, 20 ms a call, a server with a sliding second that asks to wait one."""
    pace, admits = Pace(None, None), server_of(limit)
    ready = [0.0] * 16  # when each caller may call again
    accepted, refused = 0, 0
    clock = 0.0
    while clock < 60.0:
        caller = min(range(16), key=lambda n: ready[n])
        clock = max(clock, ready[caller])
        start = pace.start(clock, 1)
        if not isinstance(start, Start):
            ready[caller] = clock + start
        elif admits(clock):
            pace.accepted(start, clock + 0.02, 1)
            ready[caller] = clock + 0.02
            accepted += clock >= 5.0
        else:
            pace.refused(start, clock + 0.005, 1.0)
            ready[caller] = clock + 1.0
            refused += clock >= 5.0
    assert accepted / 55.0 >= (0.9 if limit > 2 else 0.85) * limit
    assert refused <= 20

"""When the next call of a connection may start: its own limits, and what the server lets through.

Two rules hold together. The connection's limits per minute hold in every window of 60 s. And a server
that refuses calls (429) teaches a rate: a refusal sets it a little under what went through of late,
and it grows slowly with the calls that succeed. A refused call waits as long as the server asks; when
one refusal follows another, nobody calls for as long.
"""

import threading
from collections import deque
from dataclasses import dataclass

WINDOW_S = 60.0
BELOW = 0.95  # of what went through, after a refusal
GROWTH = 0.05  # of the rate per second, and half of it at most per call
CAREFUL = 0.02  # the same, below the rate at which the server last refused
LOWEST = 0.1  # calls per second
BURST_S = 0.05  # a call may be late by so much and the rate is kept all the same
FALL = 0.9  # a refusal takes no more than this from a rate that was kept until then
IN_A_ROW, HOLD_AFTER_S = 3, 0.1  # refusals, and seconds without a success, after which nobody calls
SHORT_S, LONG_S = 1.0, 10.0  # the time over which a rate is seen; the long one where calls are few
ENOUGH, MANY = 5, 20  # calls that show a rate: over the short time, and over any


@dataclass(slots=True)
class Start:
    """A call that was let through."""

    at: float
    tokens: int
    refused: bool = False
    forgotten: bool = False


class Pace:
    """All times are seconds of one clock, passed in. Never sleeps. Shared between threads."""

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None) -> None:
        self._requests = requests_per_minute
        self._tokens = tokens_per_minute
        self._window: deque[Start] = deque()
        self._used = 0  # tokens in the window
        self._rate: float | None = None
        self._grown_at = 0.0
        self._next_at = 0.0
        self._hold_until = 0.0
        self._in_a_row = 0
        self._accepted_at = -HOLD_AFTER_S  # when the last accepted call had started
        self._cut_at = -1.0
        self._before_cut: float | None = None
        self._lock = threading.Lock()

    @property
    def rate(self) -> float | None:
        """The calls per second that the server is believed to allow; None while it refuses nothing."""
        return self._rate

    def start(self, now: float, tokens: int) -> Start | float:
        """The start of a call of about so many tokens, or the seconds until it is worth asking again."""
        with self._lock:
            self._forget(now)
            wait = max(self._hold_until - now, self._next_at - now, self._wait_for_window(now, tokens))
            if wait > 0:
                return wait
            if self._rate is not None:
                self._next_at = max(self._next_at, now - BURST_S) + 1 / self._rate
            start = Start(now, tokens)
            self._window.append(start)
            self._used += tokens
            return start

    def accepted(self, start: Start, now: float, tokens: int) -> None:
        """The call went through and took so many tokens."""
        with self._lock:
            self._in_a_row = 0
            self._accepted_at = max(self._accepted_at, start.at)
            self._retake(start, tokens)
            if self._rate is not None and now > self._grown_at:
                near = self._before_cut is not None and self._rate < self._before_cut
                growth = CAREFUL if near else GROWTH
                self._rate *= 1 + min(growth * (now - self._grown_at), growth / 2)
                self._grown_at = now

    def refused(self, start: Start, now: float, wait: float) -> None:
        """The server did not take the call (429); it is worth trying again after so many seconds."""
        with self._lock:
            start.refused = True
            if start.at > self._cut_at:  # later than what the last cut of the rate has answered
                self._before_cut, self._cut_at = self._rate, now
            seen = self._seen(now)
            if seen > 0:
                rate = BELOW * seen if self._rate is None else min(self._rate, BELOW * seen)
                self._rate = max(rate, LOWEST, FALL * (self._before_cut or 0.0))
        self.failed(start, now, wait)

    def failed(self, start: Start, now: float, wait: float) -> None:
        """The call failed otherwise, which says nothing of the rate; it took no tokens."""
        with self._lock:
            self._retake(start, 0)
            self._in_a_row += 1
            if self._in_a_row >= IN_A_ROW and now > self._accepted_at + HOLD_AFTER_S:
                self._hold_until = max(self._hold_until, now + wait)
            self._grown_at = max(now, self._hold_until)

    # -- parts --------------------------------------------------------------------------------
    def _wait_for_window(self, now: float, tokens: int) -> float:
        """Seconds until a call of so many tokens fits into the limits per minute."""
        wait = 0.0
        if self._requests is not None and len(self._window) >= self._requests:
            wait = self._window[-self._requests].at + WINDOW_S - now
        if self._tokens is not None:
            room = self._tokens - self._used - tokens
            for start in self._window:  # a call larger than the whole limit waits for an empty window
                if room >= 0:
                    break
                room += start.tokens
                wait = max(wait, start.at + WINDOW_S - now)
        return wait

    def _seen(self, now: float) -> float:
        """Calls per second that went through of late; 0 when there is too little to tell."""
        passed: list[float] = []
        for start in reversed(self._window):
            if start.at <= now - LONG_S:
                break
            if not start.refused:
                passed.append(start.at)
        if not passed or (len(passed) < MANY and now - self._window[0].at < SHORT_S):
            return 0.0  # a refusal among the first few calls says nothing of their rate
        lately = sum(at > now - SHORT_S for at in passed)
        if lately >= ENOUGH:
            return lately / SHORT_S
        return len(passed) / max(SHORT_S, now - passed[-1])

    def _forget(self, now: float) -> None:
        while self._window and self._window[0].at <= now - WINDOW_S:
            gone = self._window.popleft()
            gone.forgotten = True
            self._used -= gone.tokens

    def _retake(self, start: Start, tokens: int) -> None:
        if not start.forgotten:
            self._used += tokens - start.tokens
        start.tokens = tokens

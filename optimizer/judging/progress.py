"""How far an automatic run is: plain values for pages and commands."""

from dataclasses import dataclass
from enum import StrEnum

from optimizer.domain import Rater
from optimizer.llm.budget import Spend
from optimizer.stats.stopping import Advice


class State(StrEnum):
    RUNNING = "running"
    DONE = "done"  # every judge has its votes, or nothing is left to ask
    ADVISED = "advised"  # the votes suffice
    CANCELLED = "cancelled"
    SPENT = "spent"  # the budget leaves no room for another call
    STOPPED = "stopped"  # a fault that concerns every duel; ``last_error`` says which


@dataclass(frozen=True, slots=True)
class JudgeProgress:
    """One judge of a run. ``before`` are votes of earlier runs; the other counts are of this one."""

    rater: Rater
    before: int
    votes: int
    wanted: int
    in_flight: int
    moved: int  # verdicts that went with the position, recorded as ties
    undecided: int  # repeats without a majority, recorded as ties
    unread: int  # answers that could not be read twice: no vote
    failed: int  # the server failed, or the duel was gone: no vote


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A run at one moment."""

    state: State
    judges: tuple[JudgeProgress, ...]
    spent: Spend
    seconds: float
    per_second: float  # votes, lately
    seconds_left: float | None
    waiting: bool  # for outputs that are being generated
    last_error: str
    advice: Advice | None

    @property
    def votes(self) -> int:
        """Of this run."""
        return sum(judge.votes for judge in self.judges)

    @property
    def share(self) -> float:
        """How much of the plan is behind us, 0 to 1."""
        wanted = sum(judge.wanted for judge in self.judges)
        return min(1.0, sum(j.before + j.votes for j in self.judges) / wanted) if wanted else 1.0

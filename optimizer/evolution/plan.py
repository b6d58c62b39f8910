"""What to propose and what to run, as plain data. It never holds a key."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from optimizer.domain import JudgeVotes, RaterKind, StudyId
from optimizer.errors import BadInput
from optimizer.judges import JudgeSettings
from optimizer.judging.plan import Seat
from optimizer.llm.budget import NO_LIMIT, Budget
from optimizer.proposers import proposer_named
from optimizer.proposers.base import MOST_PROPOSALS
from optimizer.proposers.dials import Dial
from optimizer.results import VoteFilter

MOST_ROUNDS = 100


class Votes(StrEnum):
    """Whose votes say who leads."""

    PEOPLE = "people"
    JUDGES = "judges"
    BOTH = "both"

    @property
    def chosen(self) -> VoteFilter:
        """Judges count in full where both do."""
        kinds = {Votes.PEOPLE: RaterKind.HUMAN, Votes.JUDGES: RaterKind.JUDGE, Votes.BOTH: None}
        return VoteFilter(kind=kinds[self], judges=JudgeVotes.FULL)


@dataclass(frozen=True, slots=True)
class Order:
    """So many proposals of one proposer. ``connection`` is "" where none is needed; ``run`` and ``round`` say
    for which automatic run, if for one."""

    study: StudyId
    proposer: str
    connection: str = ""
    count: int = 3
    votes: Votes = Votes.BOTH
    budget: Budget = NO_LIMIT
    dial: Dial | None = None
    run: str = ""
    round: int = 0

    def check(self) -> None:
        """``BadInput`` says what is wrong with it."""
        proposer = proposer_named(self.proposer)
        if not 1 <= self.count <= MOST_PROPOSALS:
            raise BadInput(f"{self.count} proposals at a time: choose 1 to {MOST_PROPOSALS}.")
        if proposer.needs_model and not self.connection:
            raise BadInput(f"'{proposer.label}' needs a connection to a model. Choose one.")
        if self.proposer == "control" and self.dial is None:
            raise BadInput("Say what to control and its set point.")


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole loop: duels, proposals, outputs, duels again.

    writer         the connection that proposes; "" for proposers that need none
    judges         who votes beside people, or instead of them
    outputs        the connection that generates what new prompts need; "" where people's votes see to it
    rounds         how often to propose; each is followed by duels
    round_votes    duels of a round, at most: fewer when the leader is clear or the pool is weak
    children       proposals in a round
    automatic      proposals that pass every check enter the pool unseen
    most_prompts   in use at a time
    child_inputs   on which a new prompt gets outputs before its first duel
    patience       rounds without a new leader after which the advice is to stop; 0: never
    weak_share     of a round's votes that are "both bad", from which the pool counts as weak
    budget         of the run in all: proposals, outputs and verdicts
    """

    study: StudyId
    proposer: str
    writer: str = ""
    judges: tuple[Seat, ...] = ()
    outputs: str = ""
    votes: Votes = Votes.JUDGES
    rounds: int = 5
    round_votes: int = 12  # about four to a child: measured in benchmarks/evolution.py
    children: int = 3
    automatic: bool = False
    most_prompts: int = 8
    child_inputs: int = 8
    patience: int = 3
    weak_share: float = 0.5
    budget: Budget = NO_LIMIT
    dial: Dial | None = None

    def order(self, run: str, round: int, count: int) -> Order:
        """The proposals of a round."""
        return Order(
            self.study, self.proposer, self.writer, count, self.votes, NO_LIMIT, self.dial, run, round
        )

    def check(self) -> None:
        """``BadInput`` says what is wrong with it."""
        self.order("", 0, self.children).check()
        limits = (
            ("rounds", self.rounds, 1, MOST_ROUNDS),
            ("votes in a round", self.round_votes, 1, 1_000_000),
            ("prompts in use", self.most_prompts, 3, 1_000),
            ("inputs for a new prompt", self.child_inputs, 1, 10_000),
            ("rounds of patience", self.patience, 0, MOST_ROUNDS),
        )
        for name, value, least, most in limits:
            if not least <= value <= most:
                raise BadInput(f"{value:,} {name}: choose {least:,} to {most:,}.")
        if not 0.0 < self.weak_share <= 1.0:
            raise BadInput("The share of 'both bad' that makes a pool weak lies above 0 and is at most 1.")
        if self.votes is not Votes.PEOPLE and not self.judges:
            raise BadInput("Choose at least one judge, or let people alone vote.")
        if self.votes is Votes.PEOPLE and self.judges:
            raise BadInput("Judges are chosen, but people alone shall vote. Leave one of the two out.")


def plan_body(plan: Plan) -> dict[str, Any]:
    """The plan as JSON."""
    return asdict(plan)


def plan_of(body: Mapping[str, Any]) -> Plan:
    """The plan as it was written."""
    seats = tuple(
        Seat(seat["connection"], JudgeSettings(**seat["settings"])) for seat in body.get("judges", ())
    )
    plan = Plan(**{**body, "judges": seats})
    dial = body.get("dial")
    return replace(
        plan,
        study=StudyId(plan.study),
        votes=Votes(body["votes"]),
        budget=Budget(**body["budget"]),
        dial=Dial(**dial) if dial else None,
    )

"""The nouns: a study has prompts, inputs and outputs; raters answer duels with votes.

All are frozen values. Stores keep them, services combine them, nobody edits them in place.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NewType

StudyId = NewType("StudyId", str)
PromptId = NewType("PromptId", str)
InputId = NewType("InputId", str)
OutputId = NewType("OutputId", str)
RaterId = NewType("RaterId", str)
DuelId = NewType("DuelId", str)
VoteId = NewType("VoteId", str)
RubricId = NewType("RubricId", str)


def new_id() -> str:
    """A fresh identifier: 16 hexadecimal digits, 64 random bits."""
    return secrets.token_hex(8)


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class Outcome(StrEnum):
    """A vote as seen on screen, before any mathematics."""

    FIRST = "first"
    SECOND = "second"
    BOTH_GOOD = "both_good"
    BOTH_BAD = "both_bad"
    SKIP = "skip"

    @property
    def swapped(self) -> "Outcome":
        """The same opinion, had the two outputs been shown the other way round."""
        return {Outcome.FIRST: Outcome.SECOND, Outcome.SECOND: Outcome.FIRST}.get(self, self)


class Grade(StrEnum):
    """How clearly the better output is better; only first and second carry one."""

    SLIGHTLY = "slightly"
    CLEARLY = "clearly"


# The nine answers in the order of every stored count: from first clearly to second clearly, the skip last.
ANSWERS: tuple[tuple[Outcome, Grade | None], ...] = (
    (Outcome.FIRST, Grade.CLEARLY),
    (Outcome.FIRST, None),
    (Outcome.FIRST, Grade.SLIGHTLY),
    (Outcome.BOTH_GOOD, None),
    (Outcome.BOTH_BAD, None),
    (Outcome.SECOND, Grade.SLIGHTLY),
    (Outcome.SECOND, None),
    (Outcome.SECOND, Grade.CLEARLY),
    (Outcome.SKIP, None),
)


class RaterKind(StrEnum):
    HUMAN = "human"
    JUDGE = "judge"


class JudgeVotes(StrEnum):
    BESIDE = "beside"  # they do not count: their standings are shown beside the people's
    DISCOUNTED = "discounted"  # as far as they follow the people's votes
    FULL = "full"


class Origin(StrEnum):
    """Where a prompt came from."""

    WRITTEN = "written"
    FORKED = "forked"
    IMPORTED = "imported"
    PROPOSED = "proposed"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a study is run. Shares and confidences are fractions, the margin is win probability."""

    selector: str = "auto"
    confidence: float = 0.95
    margin: float = 0.05
    audit_share: float = 0.10
    replay_share: float = 0.05
    graded: bool = True
    reveal: bool = True  # name the two prompts after the vote
    budget: int | None = None
    lease_minutes: float = 24 * 60.0
    judge_votes: str = JudgeVotes.BESIDE.value
    judge_bar: float = 0.6  # agreement with people below which a judge is set aside
    connection: str = ""  # generates what the next duels need; none: duels are made of what is there
    output_calls: int | None = None  # the most that this study's outputs may take in all
    output_tokens: int | None = None
    output_money: float | None = None
    critic_first: bool = False  # a critic may be asked before the vote, which it may sway
    weigh_raters: bool = False  # careless raters count less; needs several raters


@dataclass(frozen=True, slots=True)
class Study:
    """One question: which prompt is best for this task?"""

    id: StudyId
    name: str
    task: str = ""
    criteria: str = ""
    about: str = ""  # shown beside every duel, e.g. that the outputs were written in advance
    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    created_at: datetime = field(default_factory=utc_now)
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template that competes: an arm. Its text never changes; an edit is a child."""

    id: PromptId
    study: StudyId
    name: str
    text: str
    parent: PromptId | None = None
    origin: Origin = Origin.WRITTEN
    note: str = ""
    created_at: datetime = field(default_factory=utc_now)
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """A row of variables. Variables never change; an edit retires the row and adds another."""

    id: InputId
    study: StudyId
    variables: Mapping[str, str]
    tags: tuple[str, ...] = ()
    created_at: datetime = field(default_factory=utc_now)
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """What a prompt produced on an input; ``sample`` counts repeats from 0."""

    id: OutputId
    study: StudyId
    prompt: PromptId
    input: InputId
    text: str
    sample: int = 0
    model: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    usage: Mapping[str, float] = field(default_factory=dict)
    latency_ms: float | None = None
    finish_reason: str = ""
    error: str = ""
    created_at: datetime = field(default_factory=utc_now)

    @property
    def usable(self) -> bool:
        """May this output be shown in a duel? Errors and empty answers may not."""
        return not self.error and bool(self.text.strip())


@dataclass(frozen=True, slots=True)
class Rater:
    """Who votes: a person, or a model (a judge). Set aside: the votes stay but do not count."""

    id: RaterId
    study: StudyId
    name: str
    kind: RaterKind = RaterKind.HUMAN
    created_at: datetime = field(default_factory=utc_now)
    set_aside_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rubric:
    """The criteria as judges read them, one to a line. It never changes: an edit is the next version."""

    id: RubricId
    study: StudyId
    version: int  # from 1
    text: str
    created_at: datetime = field(default_factory=utc_now)


@dataclass(frozen=True, slots=True)
class Duel:
    """Two outputs of two prompts on one input, put to one rater; stored before it is shown.

    ``repeats`` names the earlier duel that this one asks again: of the same rater, sides swapped (``replay``:
    never counts for the ranking), or of another. ``closed_at``: answered, skipped, or released on expiry.
    """

    id: DuelId
    study: StudyId
    input: InputId
    first: OutputId
    second: OutputId
    first_prompt: PromptId
    second_prompt: PromptId
    rater: RaterId
    selector: str
    reason: str
    audit: bool
    asked_at: datetime
    expires_at: datetime
    replay: bool = False
    repeats: DuelId | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """A rater's answer to a duel; stands until withdrawn. ``verdict`` says how a judge came to it."""

    id: VoteId
    study: StudyId
    duel: DuelId
    rater: RaterId
    outcome: Outcome
    at: datetime
    grade: Grade | None = None
    view_ms: int | None = None
    first_reasons: tuple[str, ...] = ()
    second_reasons: tuple[str, ...] = ()
    comment: str = ""
    withdrawn_at: datetime | None = None
    verdict: Mapping[str, object] = field(default_factory=dict)

    @property
    def answer(self) -> int:
        """Position of this answer in ``ANSWERS``."""
        return ANSWERS.index((self.outcome, self.grade))


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote together with the duel that it answers."""

    vote: Vote
    duel: Duel

    @property
    def winner(self) -> PromptId | None:
        """The prompt preferred, or None for ties and skips."""
        shown = {Outcome.FIRST: self.duel.first_prompt, Outcome.SECOND: self.duel.second_prompt}
        return shown.get(self.vote.outcome)


@dataclass(frozen=True, slots=True)
class Connection:
    """A way to reach a model, but for the key, which is never stored. Prices are per million tokens."""

    name: str
    server: str  # base URL, e.g. https://api.openai.com/v1
    model: str
    temperature: float | None = None
    max_tokens: int | None = 1024
    input_price: float | None = None
    output_price: float | None = None
    concurrency: int = 8
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout_s: float = 60.0
    created_at: datetime = field(default_factory=utc_now)


@dataclass(frozen=True, slots=True)
class Batch:
    """Nouns to be stored: all of them or none. ``changes`` are stored ones as they shall be from now on."""

    studies: Sequence[Study] = ()
    prompts: Sequence[Prompt] = ()
    inputs: Sequence[Input] = ()
    outputs: Sequence[Output] = ()
    raters: Sequence[Rater] = ()
    duels: Sequence[Duel] = ()
    votes: Sequence[Vote] = ()
    changes: Sequence[Study | Prompt | Input | Rater] = ()
    rubrics: Sequence[Rubric] = ()


# What a rater may tick after a vote: what speaks for an output, and what against it.
REASONS_FOR = ("useful", "complete", "clear", "creative")
REASONS_AGAINST = ("incorrect", "superficial", "ignored instructions", "too long")

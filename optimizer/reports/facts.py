"""What a report holds: numbers and nouns, no words and no markup."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from optimizer.domain import Input, InputId, Output, Prompt, PromptId, Study
from optimizer.results import VoteFilter
from optimizer.standings import Race, Row, Standings
from optimizer.stats.agreement import Coefficient
from optimizer.stats.judge_bias import Rate

SURE = 1.645  # standard deviations: 95 % on one side


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who said it, and how far they agree. Rates carry 95 % intervals; n is 0 where nothing was shared."""

    people: int  # raters with a vote that counts
    judges: int
    people_agree: Rate  # pairs of people on the same two outputs, where both prefer one
    alpha: Coefficient  # Krippendorff's, the same beyond chance
    steady: Rate  # earlier duels again with the sides swapped: the same answer?
    first_side: Rate  # how often the output shown first won
    audits: int  # votes on pairs drawn at random
    imported: bool  # were they cast in another tool?
    inputs: int  # inputs that were voted on


@dataclass(frozen=True, slots=True)
class Voices:
    """What voters ticked and wrote. ``read`` of ``votes`` were looked through, the newest ones."""

    for_winner: Mapping[str, int]
    against_winner: Mapping[str, int]
    for_others: Mapping[str, int]
    against_others: Mapping[str, int]
    praise: tuple[str, ...]  # comments on duels that the winner won
    blame: tuple[str, ...]  # and on those that it lost
    read: int
    votes: int


@dataclass(frozen=True, slots=True)
class ToldDuel:
    """Two outputs on one input, and how the votes on them fell."""

    kind: str  # of ``telling.KINDS``
    row: Input
    winner: Output
    other: Output
    other_prompt: Prompt
    won: int
    tied: int
    lost: int
    comments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """The votes on some of the inputs. Without a leader where they are too few to say."""

    slice: str  # "tag", "length" or "language"
    name: str
    inputs: int
    votes: int
    leader: Prompt | None
    p_best: float  # of the leader
    chance: float  # of the winner of the study to beat a random other prompt, here


@dataclass(frozen=True, slots=True)
class Price:
    """What one output of a prompt takes, on average; None where nobody measured it."""

    prompt: Prompt
    p_best: float
    chance: float
    plausible: bool  # may be the best: in the winner's credible set
    money: float | None
    tokens: float | None
    latency_ms: float | None  # median
    characters: float | None

    def of(self, measure: str) -> float | None:
        """One of "money", "tokens", "latency_ms", "characters"."""
        measures = {
            "money": self.money,
            "tokens": self.tokens,
            "latency_ms": self.latency_ms,
            "characters": self.characters,
        }
        return measures[measure]


@dataclass(frozen=True, slots=True)
class Fair:
    """Strengths at equal length of outputs, beside the raw ones. ``pull`` is in logits per doubling."""

    strengths: Mapping[PromptId, tuple[float, float, float]]  # value and 90 % interval
    p_best: Mapping[PromptId, float]
    leader: Prompt
    pull: float  # of length: above 0 longer outputs win for being longer
    pull_sd: float
    winner_length: float  # of its outputs in characters, geometric mean over the inputs
    pool_length: float  # of the others'
    votes: int  # that this rests on; fewer than all where there are very many inputs

    @property
    def longer_wins(self) -> bool:
        """Do voters prefer the longer output, surely enough to say so?"""
        return self.pull > SURE * self.pull_sd

    @property
    def shorter_wins(self) -> bool:
        return self.pull < -SURE * self.pull_sd


@dataclass(frozen=True, slots=True)
class Caution:
    """A reason not to take the result for more than it is."""

    kind: str  # of ``cautions.CHECKS``
    told: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told of a study at one moment, under one filter of its votes."""

    study: Study
    at: datetime
    chosen: VoteFilter
    standings: Standings
    race: Race
    winner: Row | None  # None while no vote counts
    evidence: Evidence
    voices: Voices | None
    duels: tuple[ToldDuel, ...]
    segments: tuple[Segment, ...]
    prices: tuple[Price, ...]
    measure: str  # by which the cheapest is found: the first of ``economy.MEASURES`` that is known
    cheapest: Price | None
    fair: Fair | None
    cautions: tuple[Caution, ...]
    inputs: int
    models: tuple[str, ...]  # that the outputs say they are from
    versions: Mapping[str, str]

    @property
    def runner_up(self) -> Row | None:
        """The strongest other prompt in use."""
        others = (r for r in self.standings.rows if r.prompt.retired_at is None and r is not self.winner)
        return next(others, None)


Lengths = Mapping[tuple[PromptId, InputId], float]  # mean length of usable outputs in characters

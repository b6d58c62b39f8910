"""What a proposer is: a brief goes in, proposals come out, most of them by way of a model.

A proposer says what to ask (``plan``); ``asking.py`` asks it. So what a proposer would spend is known
before anything is spent, each proposal fails for itself, and a proposer can be tested without a model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from optimizer.domain import InputId, PromptId
from optimizer.proposers.dials import Dial

MOST_PROPOSALS = 20


@dataclass(frozen=True, slots=True)
class Contender:
    """A prompt of the pool as the votes see it. Strengths in logits; ``won`` and ``lost`` are inputs on which
    it won or lost more duels than not."""

    id: PromptId
    name: str
    text: str
    strength: float = 0.0
    sd: float = 1.0
    p_best: float = 0.0
    duels: int = 0
    parent: PromptId | None = None
    won: frozenset[InputId] = frozenset()
    lost: frozenset[InputId] = frozenset()


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a duel: which prompt, what it produced, and what the rater ticked about it."""

    prompt: PromptId
    output: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Telling:
    """A vote that says something. ``preferred`` is the side that won, ``other`` the one that lost; with
    ``both_bad`` nobody won, and the order means nothing. ``share`` is how many of the study's inputs are
    of this input's kinds (its tags). ``shown_first``: whose output stood first, or left; comments say so."""

    input: InputId
    variables: Mapping[str, str]
    kinds: tuple[str, ...]
    preferred: Side
    other: Side
    comment: str = ""
    both_bad: bool = False
    share: str = ""
    shown_first: PromptId | None = None

    def seen_from(self, prompt: PromptId) -> tuple[Side, Side]:
        """The side of this prompt, which was in the duel, and that of its rival."""
        if self.preferred.prompt == prompt:
            return self.preferred, self.other
        return self.other, self.preferred

    def lost_by(self, prompt: PromptId) -> bool:
        """Did this prompt lose, or was it one of two bad ones?"""
        return self.other.prompt == prompt or (self.both_bad and self.preferred.prompt == prompt)

    def won_by(self, prompt: PromptId) -> bool:
        return not self.both_bad and self.preferred.prompt == prompt


@dataclass(frozen=True, slots=True)
class Example:
    """An input with an output that people liked."""

    variables: Mapping[str, str]
    output: str


@dataclass(frozen=True, slots=True)
class Brief:
    """All that a proposer may know of a study.

    pool       the prompts in use, strongest first
    duels      the telling ones, the newest first
    examples   inputs with outputs that won
    variables  that every new prompt has to use
    count      how many proposals are wanted; ``turn`` counts earlier ones, so that operators take turns
    dial       what ``control`` turns; ``outputs`` of the prompts along its line, for it to measure
    line       texts of the leader's ancestors that are out of use, for the dial's earlier settings
    """

    task: str
    criteria: tuple[str, ...]
    pool: tuple[Contender, ...]
    duels: tuple[Telling, ...] = ()
    examples: tuple[Example, ...] = ()
    variables: tuple[str, ...] = ()
    count: int = 1
    turn: int = 0
    dial: Dial | None = None
    outputs: Mapping[PromptId, tuple[str, ...]] = field(default_factory=dict)
    line: tuple[Contender, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A prompt to be: its parents (the first one counts for the lineage), what changed, and why."""

    text: str
    parents: tuple[PromptId, ...]
    change: str
    why: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to a model that is to become one proposal. ``rules`` hold the fence's place, ``material`` is
    what others wrote; ``sample`` tells equal questions apart."""

    rules: str
    material: Mapping[str, object]
    parents: tuple[PromptId, ...]
    sample: int = 0


class Proposer(Protocol):
    """Plans proposals; holds no state.

    The contract, checked on every registered proposer: as many steps as the brief wants, or an error that
    says what is missing (``NothingToPropose``); parents are prompts of the pool; whoever won a duel is
    never shown as having lost it; texts of others stand in the material, never in the rules; the same
    brief gives the same plan.
    """

    label: ClassVar[str]
    about: ClassVar[str]
    needs_model: ClassVar[bool]

    def plan(self, brief: Brief) -> Sequence[Ask | Proposal]: ...

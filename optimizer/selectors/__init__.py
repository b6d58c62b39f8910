"""The selectors: every rule that can choose the next pair, and how a screen offers them.

A new selector is one file, one line in ``SELECTORS`` and one in ``MENU``; the contract tests pick it up.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from optimizer.selectors.apohf import Apohf, ApohfTuned
from optimizer.selectors.auto import Auto
from optimizer.selectors.base import Need, Pair, Record, Selector
from optimizer.selectors.colstim import Colstim
from optimizer.selectors.copeland_confidence import CopelandConfidence
from optimizer.selectors.double_thompson import DoubleThompson
from optimizer.selectors.eubo import Eubo
from optimizer.selectors.gaussian_process import GaussianProcess
from optimizer.selectors.instinct import Instinct
from optimizer.selectors.knowledge_gradient import KnowledgeGradient
from optimizer.selectors.leader_ucb import LeaderUcb
from optimizer.selectors.maxinp import MaxInP
from optimizer.selectors.random import Random
from optimizer.selectors.rmed import Rmed
from optimizer.selectors.round_robin import RoundRobin
from optimizer.selectors.rucb import Rucb
from optimizer.selectors.self_sparring import SelfSparring
from optimizer.selectors.sequential_halving import SequentialHalving
from optimizer.selectors.sparring import Sparring
from optimizer.selectors.top_two import TopTwo
from optimizer.selectors.von_neumann import VonNeumann
from optimizer.selectors.winner_stays import WinnerStays

__all__ = [
    "MENU",
    "SELECTORS",
    "Group",
    "Need",
    "Offer",
    "Pair",
    "Record",
    "Selector",
    "known_needs",
    "offered",
]

SELECTORS: dict[str, Selector] = {
    "auto": Auto(),
    "eubo": Eubo(),
    "sequential_halving": SequentialHalving(),
    "gaussian_process": GaussianProcess(),
    "von_neumann": VonNeumann(),
    "sparring": Sparring(),
    "top_two": TopTwo(),
    "knowledge_gradient": KnowledgeGradient(),
    "leader_ucb": LeaderUcb(),
    "colstim": Colstim(),
    "maxinp": MaxInP(),
    "apohf": Apohf(),
    "apohf_tuned": ApohfTuned(),
    "instinct": Instinct(),
    "double_thompson": DoubleThompson(),
    "self_sparring": SelfSparring(),
    "winner_stays": WinnerStays(),
    "rmed": Rmed(),
    "rucb": Rucb(),
    "copeland_confidence": CopelandConfidence(),
    "round_robin": RoundRobin(),
    "random": Random(),
}


class Group(StrEnum):
    """The headings of the menu, in order."""

    DEFAULT = "recommended"
    SITUATION = "by situation"
    MORE = "more"


MENU: tuple[tuple[str, Group, str], ...] = (
    ("auto", Group.DEFAULT, "Automatic: looks ahead, races the top two"),
    ("eubo", Group.SITUATION, "Few votes: pairs likely to hold the best"),
    ("sequential_halving", Group.SITUATION, "Known budget: half go home each round"),
    ("gaussian_process", Group.SITUATION, "Embeddings: similar prompts share votes"),
    ("von_neumann", Group.SITUATION, "Cyclic preferences: keeps the cycle in play"),
    ("sparring", Group.SITUATION, "Drifting preferences: old votes fade"),
    ("top_two", Group.SITUATION, "Noisy votes: the leader and its closest rival"),
    ("knowledge_gradient", Group.MORE, "Knowledge gradient: the most telling vote"),
    ("leader_ucb", Group.MORE, "The leader and its most hopeful challenger"),
    ("colstim", Group.MORE, "CoLSTIM: perturbed leader, bold challenger"),
    ("maxinp", Group.MORE, "MaxInP: the least known pair that matters"),
    ("apohf", Group.MORE, "APOHF: neural bandit, as published"),
    ("apohf_tuned", Group.MORE, "APOHF: neural bandit, re-tuned"),
    ("instinct", Group.MORE, "INSTINCT: neural bandit on numeric scores"),
    ("double_thompson", Group.MORE, "Double Thompson sampling: a few prompts"),
    ("self_sparring", Group.MORE, "Self-sparring: two draws from one bandit"),
    ("winner_stays", Group.MORE, "The winner stays, the next one steps in"),
    ("rmed", Group.MORE, "RMED: hardly beaten so far; long studies"),
    ("rucb", Group.MORE, "RUCB: optimistic bounds; long studies"),
    ("copeland_confidence", Group.MORE, "CCB: may beat the most; long studies"),
    ("round_robin", Group.MORE, "Every pair equally often"),
    ("random", Group.MORE, "Random pairs"),
)

_WANTED: dict[Need, str] = {
    Need.FEATURES: "embeddings of its prompts",
    Need.BUDGET: "a number of votes set in advance",
    Need.SCORES: "numeric scores of its outputs",
    Need.HISTORY: "the order of its votes",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of the menu; ``missing`` is None, or one sentence on why this study cannot use it."""

    name: str
    label: str
    group: Group
    missing: str | None


def known_needs(record: Record) -> frozenset[Need]:
    """What this record can give to a selector that asks for more than votes."""
    given = {
        Need.FEATURES: record.features is not None,
        Need.BUDGET: record.budget is not None,
        Need.SCORES: record.scores is not None and len(record.scores) > 0,
        Need.HISTORY: record.history is not None,
    }
    return frozenset(need for need, present in given.items() if present)


def offered(known: Collection[Need]) -> list[Offer]:
    """The menu, in order, for a study that can give what is ``known`` (see ``known_needs``)."""
    offers = []
    for name, group, label in MENU:
        lacking = [_WANTED[need] for need in Need if need in SELECTORS[name].needs and need not in known]
        missing = f"Needs {' and '.join(lacking)}, which this study lacks." if lacking else None
        offers.append(Offer(name, label, group, missing))
    return offers

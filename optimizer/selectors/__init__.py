"""The selectors: every rule that can choose the next pair, and how a screen offers them.

A new selector is one file, one line in ``SELECTORS`` and one in ``MENU``; the contract tests pick it up.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from optimizer.selectors.base import Need, Pair, Record, Selector
from optimizer.selectors.double_thompson import DoubleThompson
from optimizer.selectors.eubo import Eubo
from optimizer.selectors.leader_ucb import LeaderUcb
from optimizer.selectors.random import Random
from optimizer.selectors.round_robin import RoundRobin
from optimizer.selectors.top_two import TopTwo

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
    "eubo": Eubo(),
    "top_two": TopTwo(),
    "leader_ucb": LeaderUcb(),
    "double_thompson": DoubleThompson(),
    "round_robin": RoundRobin(),
    "random": Random(),
}


class Group(StrEnum):
    """The headings of the menu, in order."""

    DEFAULT = "recommended"
    SITUATION = "by situation"
    MORE = "more"


MENU: tuple[tuple[str, Group, str], ...] = (
    ("eubo", Group.SITUATION, "Few votes: pairs that probably hold the best prompt"),
    ("top_two", Group.SITUATION, "Noisy single-example votes: the leader against its closest rival"),
    ("leader_ucb", Group.MORE, "The leader against its most hopeful challenger"),
    ("double_thompson", Group.MORE, "Double Thompson sampling, for a handful of prompts"),
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

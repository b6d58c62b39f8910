"""The winner as a regression test: a promptfoo configuration with assertions drafted from the votes.

A person reads the draft before it guards anything: it says what voters liked and disliked, no more.
"""

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from optimizer.domain import REASONS_AGAINST, REASONS_FOR, Outcome, Output, Prompt
from optimizer.errors import NotFound
from optimizer.formats.base import Extract
from optimizer.formats.promptfoo import PROVIDERS, SCHEMA, tests_of
from optimizer.formats.shared_input import Shown, shown
from optimizer.formats.writing import yaml_text

MOST = 6  # assertions from reasons
LONGER = 1.5  # times the longest output that won
TOO_LONG = "too long"
# What a reason asks of an output: one for the winner as it stands, one against the loser turned round.
ASKS = {
    "useful": "The answer is useful to the person who asked.",
    "complete": "The answer is complete: nothing that was asked for is missing.",
    "clear": "The answer is clear and easy to follow.",
    "creative": "The answer is original rather than generic.",
    "incorrect": "The answer contains nothing incorrect.",
    "superficial": "The answer goes into the matter and is not superficial.",
    "ignored instructions": "The answer follows every instruction of the prompt.",
    TOO_LONG: "The answer is no longer than it needs to be.",
}


class WinnerTest:
    """Export."""

    name: ClassVar[str] = "promptfoo-winner"
    label: ClassVar[str] = "Winner as a promptfoo regression test (YAML)"
    suffix: ClassVar[str] = "yaml"
    mime: ClassVar[str] = "application/yaml"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "Assertions are drafted from the reasons that voters ticked, weighted by how often; comments are not "
        "used. Its provider is 'echo': name your own in the file."
    )

    def write(self, extract: Extract) -> Iterator[str]:
        """``NotFound`` when nothing leads, or the leader came without its text."""
        winner = extract.winner
        if winner is None or not winner.text:
            raise NotFound("No prompt with a text leads yet. Vote first, or widen the filters.")
        reasons, won = _liked(shown(extract), winner)
        config = {
            "description": f"'{winner.name}', winner of the study '{extract.contents.study.name}'",
            "prompts": [{"id": winner.name, "label": winner.name, "raw": winner.text}],
            "providers": PROVIDERS,
            "defaultTest": {"assert": _assertions(reasons, won)},
            "tests": tests_of(extract.contents),
        }
        return iter([SCHEMA + yaml_text(config)])


def _liked(votes: Iterator[Shown], winner: Prompt) -> tuple[Counter[str], list[Output]]:
    """What was said for the winner and against what it beat, and the outputs that it won with."""
    reasons: Counter[str] = Counter()
    won: dict[str, Output] = {}
    for one in votes:
        vote = one.ballot.vote
        if vote.outcome is Outcome.FIRST and one.first_prompt.id == winner.id:
            better, liked, disliked = one.first, vote.first_reasons, vote.second_reasons
        elif vote.outcome is Outcome.SECOND and one.second_prompt.id == winner.id:
            better, liked, disliked = one.second, vote.second_reasons, vote.first_reasons
        else:
            continue
        won[better.id] = better
        reasons.update(reason for reason in liked if reason in REASONS_FOR)
        reasons.update(reason for reason in disliked if reason in REASONS_AGAINST)
    return reasons, list(won.values())


def _assertions(reasons: Counter[str], won: list[Output]) -> list[dict[str, object]]:
    drafted: list[dict[str, object]] = [
        {"type": "llm-rubric", "value": ASKS[reason], "weight": count}
        for reason, count in reasons.most_common(MOST)
    ]
    if reasons[TOO_LONG] and won:
        limit = round(LONGER * max(len(output.text) for output in won))
        drafted.append({"type": "javascript", "value": f"output.length <= {limit}"})
    if not drafted:
        drafted.append({"type": "javascript", "value": "output.trim().length > 0"})
    return drafted

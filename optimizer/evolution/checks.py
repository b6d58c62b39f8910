"""What is looked at before a proposal may enter the pool; none of it says whether it is any better."""

from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.checks import fault_of_text
from optimizer.domain import Input, Prompt
from optimizer.llm.base import Embedder
from optimizer.templates import variables_of

SAME = 0.99  # cosine of the embedded default at which two prompts count as the same
LONGER = 3.0  # times its longest parent
SHORT_ENOUGH = 1_500  # characters that are never too many


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. Where ``must`` does not pass, the text cannot be accepted as it is."""

    label: str
    passed: bool
    told: str
    must: bool = True


def check(
    text: str,
    parents: Sequence[Prompt],
    prompts: Sequence[Prompt],
    inputs: Sequence[Input],
    embedder: Embedder,
    by_number: bool = False,
) -> tuple[Check, ...]:
    """Variables, duplicates, length, of a text that shall stand beside ``prompts`` (all of the study's).

    ``by_number``: it differs from its parent in a number, on purpose, so likeness says nothing.
    """
    found = [_variables(text, parents, prompts, inputs), _text(text, prompts)]
    if not by_number:
        found.append(_meaning(text, prompts, embedder))
    return (*found, _length(text, parents))


def acceptable(checks: Sequence[Check]) -> bool:
    """May a person accept it?"""
    return all(one.passed for one in checks if one.must)


def spotless(checks: Sequence[Check]) -> bool:
    """May it be accepted unseen?"""
    return all(one.passed for one in checks)


def wanted_variables(parents: Sequence[Prompt], prompts: Sequence[Prompt]) -> tuple[str, ...]:
    """What a child has to use: all that its parents use; without parents, what every prompt in use does."""
    if parents:
        return tuple(dict.fromkeys(name for parent in parents for name in variables_of(parent.text)))
    used = [set(variables_of(prompt.text)) for prompt in prompts if prompt.retired_at is None]
    return tuple(sorted(set.intersection(*used))) if used else ()


def _variables(
    text: str, parents: Sequence[Prompt], prompts: Sequence[Prompt], inputs: Sequence[Input]
) -> Check:
    uses = variables_of(text)
    lost = [name for name in wanted_variables(parents, prompts) if name not in uses]
    if lost:
        return Check("Variables", False, f"It lacks {_listed(lost)}.")
    for row in inputs:
        unknown = [name for name in uses if row.retired_at is None and name not in row.variables]
        if unknown:
            return Check("Variables", False, f"An input in use has no {_listed(unknown)}.")
    return Check("Variables", True, f"It uses {_listed(uses)}." if uses else "None are needed.")


def _text(text: str, prompts: Sequence[Prompt]) -> Check:
    fault = fault_of_text(text)
    if fault or not text.strip():
        return Check("New text", False, f"The prompt {fault or 'is empty'}.")
    for prompt in prompts:
        if _plain(prompt.text) == _plain(text):
            return Check("New text", False, f"It is the same as '{prompt.name}'.")
    return Check("New text", True, "No prompt of this study has this text.")


def _meaning(text: str, prompts: Sequence[Prompt], embedder: Embedder) -> Check:
    """Likeness by embedding; the default one compares wording."""
    if not prompts or not text.strip():
        return Check("New wording", True, "There is nothing to compare it with.", must=False)
    rows = embedder.embed([text, *(prompt.text for prompt in prompts)])
    likeness = rows[1:] @ rows[0]
    nearest = int(likeness.argmax())
    told = f"Nearest: '{prompts[nearest].name}', {likeness[nearest]:.0%} alike."
    return Check("New wording", bool(likeness[nearest] < SAME), told, must=False)


def _length(text: str, parents: Sequence[Prompt]) -> Check:
    longest = max((len(parent.text) for parent in parents), default=0)
    most = max(SHORT_ENOUGH, round(LONGER * longest))
    times = f", {len(text) / longest:.1f} times its parent" if longest else ""
    return Check("Length", len(text) <= most, f"{len(text):,} characters{times}.", must=False)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names)

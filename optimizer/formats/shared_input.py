"""What both sides of a duel answered, as other tools want to see it: their input, not their prompts.

Two different prompts stand behind a pair. A record for training or for an arena has one ``prompt`` that
both answers belong to, so it must be what they share: the study's task and the input's variables.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from optimizer.checks import KEY_NAMES
from optimizer.domain import Ballot, Input, Outcome, Output, Prompt, Study
from optimizer.formats.base import Extract
from optimizer.formats.votes import counts

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A vote that counts and is no skip, with the nouns that it is about."""

    ballot: Ballot
    row: Input
    first_prompt: Prompt
    second_prompt: Prompt
    first: Output
    second: Output


def shown(extract: Extract) -> Iterator[Shown]:
    """The votes that a preference record can be made of: no skips, nothing that the standings leave out."""
    contents = extract.contents
    prompts = {prompt.id: prompt for prompt in contents.prompts}
    inputs = {row.id: row for row in contents.inputs}
    outputs = {output.id: output for output in contents.outputs}
    for ballot in extract.ballots:
        vote, duel = ballot.vote, ballot.duel
        if vote.outcome is Outcome.SKIP or not counts(ballot, extract.raters[vote.rater]):
            continue
        yield Shown(
            ballot,
            inputs[duel.input],
            prompts[duel.first_prompt],
            prompts[duel.second_prompt],
            outputs[duel.first],
            outputs[duel.second],
        )


def input_text(row: Input) -> str:
    """One variable as its value, several as "name: value" paragraphs; keys are left out."""
    variables = {name: value for name, value in row.variables.items() if name not in KEY_NAMES}
    if len(variables) == 1:
        return next(iter(variables.values()))
    return "\n\n".join(f"{name}: {value}" for name, value in (variables or row.variables).items())


def opening(study: Study, row: Input) -> list[Message]:
    """The conversation up to the answer: the task as system message if there is one, then the input."""
    system = [{"role": "system", "content": study.task}] if study.task else []
    return [*system, {"role": "user", "content": input_text(row)}]


def answer(output: Output) -> list[Message]:
    return [{"role": "assistant", "content": output.text}]

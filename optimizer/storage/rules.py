"""What every store refuses, and in which words: one text of the rules for all stores.

A store hands over what it knows of the ids that a batch refers to (``Known``); the checks are pure.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from optimizer.domain import (
    ANSWERS,
    Batch,
    Duel,
    DuelId,
    Grade,
    Input,
    InputId,
    Origin,
    Outcome,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    RaterKind,
    Rubric,
    Study,
    StudyId,
    Vote,
)
from optimizer.errors import AlreadyVoted, BadInput, Conflict, DuelClosed, NotAllowed, NotFound

# What ``Store.replace`` may change; all the rest of a noun is fixed for good.
CHANGEABLE: Mapping[type, tuple[str, ...]] = {
    Study: ("name", "task", "criteria", "about", "settings", "archived_at"),
    Prompt: ("name", "note", "retired_at"),
    Input: ("tags", "retired_at"),
    Rater: ("name", "set_aside_at"),
}


@dataclass(frozen=True, slots=True)
class References:
    """Ids that a batch refers to and does not hold itself."""

    studies: set[StudyId]
    prompts: set[PromptId]
    inputs: set[InputId]
    raters: set[RaterId]
    outputs: set[OutputId]
    duels: set[DuelId]


@dataclass(frozen=True, slots=True)
class Known:
    """Stored nouns by id, as far as a batch refers to them: the study each belongs to, and so on."""

    studies: Mapping[StudyId, StudyId] = field(default_factory=dict)
    prompts: Mapping[PromptId, StudyId] = field(default_factory=dict)
    inputs: Mapping[InputId, StudyId] = field(default_factory=dict)
    raters: Mapping[RaterId, StudyId] = field(default_factory=dict)
    outputs: Mapping[OutputId, tuple[StudyId, PromptId, InputId]] = field(default_factory=dict)
    duels: Mapping[DuelId, Duel] = field(default_factory=dict)
    standing: Mapping[DuelId, Vote] = field(default_factory=dict)


def references(batch: Batch) -> References:
    """What a store must look up before it can judge the batch."""
    parents = {p.parent for p in batch.prompts if p.parent is not None}
    repeats = {d.repeats for d in batch.duels if d.repeats is not None}
    of_study: list[Prompt | Input | Rater | Rubric]
    of_study = [*batch.prompts, *batch.inputs, *batch.raters, *batch.rubrics]
    return References(
        studies={noun.study for noun in of_study} - {s.id for s in batch.studies},
        prompts=({o.prompt for o in batch.outputs} | parents) - {p.id for p in batch.prompts},
        inputs={o.input for o in batch.outputs} - {i.id for i in batch.inputs},
        raters={d.rater for d in batch.duels} - {r.id for r in batch.raters},
        outputs={id for d in batch.duels for id in (d.first, d.second)} - {o.id for o in batch.outputs},
        duels=({v.duel for v in batch.votes} | repeats) - {d.id for d in batch.duels},
    )


def check_references(batch: Batch, known: Known) -> None:
    """``NotFound`` where something refers to what is neither known, of its own study, nor in the batch."""
    studies = {**known.studies, **{s.id: s.id for s in batch.studies}}
    prompts = {**known.prompts, **{p.id: p.study for p in batch.prompts}}
    inputs = {**known.inputs, **{i.id: i.study for i in batch.inputs}}
    raters = {**known.raters, **{r.id: r.study for r in batch.raters}}
    outputs = {**known.outputs, **{o.id: (o.study, o.prompt, o.input) for o in batch.outputs}}
    duels = {**{d.id: d.study for d in known.duels.values()}, **{d.id: d.study for d in batch.duels}}

    of_study: list[Prompt | Input | Rater | Rubric]
    of_study = [*batch.prompts, *batch.inputs, *batch.raters, *batch.rubrics]
    for noun in of_study:
        _home("study", noun.study, studies, noun.study)
    for prompt in batch.prompts:
        if prompt.parent is not None:
            _home("prompt", prompt.parent, prompts, prompt.study)
    for output in batch.outputs:
        _home("prompt", output.prompt, prompts, output.study)
        _home("input", output.input, inputs, output.study)
    for duel in batch.duels:
        if duel.first_prompt == duel.second_prompt:
            raise BadInput(f"Duel {duel.id!r} sets prompt {duel.first_prompt!r} against itself.")
        _home("rater", duel.rater, raters, duel.study)
        for shown, prompt_id in ((duel.first, duel.first_prompt), (duel.second, duel.second_prompt)):
            if outputs.get(shown) != (duel.study, prompt_id, duel.input):
                raise NotFound(f"No output {shown!r} of prompt {prompt_id!r} on input {duel.input!r}.")
        if duel.repeats is not None:
            _home("duel", duel.repeats, duels, duel.study)
    for vote in batch.votes:
        _home("duel", vote.duel, duels, vote.study)


def check_votes(batch: Batch, known: Known, expiring: bool) -> None:
    """Every vote is by the rater asked, on an open duel without a standing vote.

    Duels of the same batch are history and may be closed; ``expiring`` asks for the expiry too.
    """
    duels = {**known.duels, **{d.id: d for d in batch.duels}}
    fresh = {d.id for d in batch.duels}
    standing = dict(known.standing)
    for vote in batch.votes:
        duel = duels[vote.duel]
        if vote.rater != duel.rater:
            raise NotAllowed(f"Duel {duel.id!r} was asked of another rater than {vote.rater!r}.")
        if duel.id in standing and vote.withdrawn_at is None:
            raise AlreadyVoted(standing[duel.id])
        if duel.closed_at is not None and duel.id not in fresh:
            raise DuelClosed("This duel is closed. Ask for the next one.")
        if expiring and vote.at >= duel.expires_at:
            raise DuelClosed("This duel has expired. Ask for the next one.")
        if vote.withdrawn_at is None:
            standing[duel.id] = vote


def check_names(prompts: Iterable[Prompt], stored: Iterable[Prompt]) -> None:
    """``Conflict`` where a name is another prompt's of the same study, retired or not; case and outer blanks
    aside. Looked at in the store, for only there nobody comes in between."""
    named = {prompt.id: prompt for prompt in prompts}
    taken = {_name(other): other for other in stored if other.id not in named}
    for prompt in named.values():
        other = taken.setdefault(_name(prompt), prompt)
        if other.id != prompt.id:
            retired = " (it is retired)" if other.retired_at else ""
            raise Conflict(f"There is a prompt named '{other.name}' already{retired}. Choose another name.")


def joining(batch: Batch) -> list[Prompt]:
    """The prompts whose study is stored already. A study that comes with its prompts is taken as it is."""
    fresh = {study.id for study in batch.studies}
    return [prompt for prompt in batch.prompts if prompt.study not in fresh]


def _name(prompt: Prompt) -> tuple[StudyId, str]:
    return prompt.study, prompt.name.strip().casefold()


def check_change(old: Study | Prompt | Input | Rater, new: Study | Prompt | Input | Rater) -> None:
    """``Conflict`` when anything but the changeable fields differs."""
    allowed = CHANGEABLE[type(old)]
    if replace(old, **{name: getattr(new, name) for name in allowed}) != new:
        raise Conflict(f"Only {', '.join(allowed)} of {_a(new)} may change; add a new one instead.")


def check_storable(nouns: Iterable[Any]) -> None:
    """``BadInput``, naming the field, for what could not be read back as it was given: text that is
    not Unicode (lone surrogates), times without a zone, numbers out of range, settings not JSON."""
    for noun in nouns:
        names, values = _FIELDS[type(noun)]
        found = values(noun)
        if not all(map(_plainly_storable, found)):
            for name, value in zip(names, found, strict=True):
                _check_field(noun, name, value)
        if isinstance(noun, Vote) and (noun.outcome, noun.grade) not in _ANSWERS:
            raise BadInput(f"A vote of outcome {noun.outcome} has no grade {noun.grade}.")


def _plainly_storable(value: object) -> bool:
    """What nearly every field holds, told at a glance: a large import has millions of them."""
    kind = value.__class__
    if kind is str:
        return value.isascii()  # type: ignore[attr-defined, no-any-return]  # known without looking at the text
    return kind in _SAFE or not value or (kind is datetime and value.tzinfo is UTC)  # type: ignore[attr-defined]


def _check_field(noun: object, name: str, value: object) -> None:
    if isinstance(value, str):
        _check_text(noun, name, value)
    elif isinstance(value, datetime):
        if value.utcoffset() is None:
            raise BadInput(f"The {name} of {_a(noun)} has no time zone: {value}.")
    elif value and value is not True:
        _check_value(noun, name, value)


def check_time(name: str, value: datetime) -> None:
    """``BadInput`` for a time without a zone."""
    if value.utcoffset() is None:
        raise BadInput(f"The {name} has no time zone: {value}.")


def _check_value(noun: object, name: str, value: object) -> None:
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise BadInput(f"The {name} of {_a(noun)} is {value}: too large to be stored.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise BadInput(f"The {name} of {_a(noun)} is {value}, which is not a number.")
    elif isinstance(value, tuple):
        for part in value:
            _check_text(noun, name, part)
    elif isinstance(value, Mapping):
        _check_mapping(noun, name, value)
    elif is_dataclass(value):
        check_storable([value])
    else:
        raise BadInput(f"The {name} of {_a(noun)} is of type {type(value).__name__}.")


def _check_text(noun: object, name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as fault:
        raise BadInput(
            f"The {name} of {_a(noun)} is not Unicode text: half a character at position {fault.start}."
        ) from fault


def _check_mapping(noun: object, name: str, value: Mapping[str, object]) -> None:
    if not value:
        return
    try:
        text = json.dumps(dict(value), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as fault:
        raise BadInput(f"The {name} of {_a(noun)} cannot be written as JSON: {fault}.") from fault
    _check_text(noun, name, text)
    if json.loads(text) != value:
        raise BadInput(f"The {name} of {_a(noun)} would not read back from JSON as given.")


def _home(word: str, id: str, known: Mapping[Any, StudyId], study: StudyId) -> None:
    if known.get(id) != study:
        where = "" if word == "study" else f" in study {study!r}"
        raise NotFound(f"No {word} {id!r}{where}.")


def _a(noun: object) -> str:
    word = type(noun).__name__.lower()
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


class _Fields(dict[type, tuple[tuple[str, ...], Any]]):
    """Field names of a dataclass and a function that gives their values, made once per class."""

    def __missing__(self, kind: type) -> tuple[tuple[str, ...], Any]:
        names = tuple(f.name for f in fields(kind))
        self[kind] = names, attrgetter(*names)
        return self[kind]


_FIELDS = _Fields()
_ANSWERS = frozenset(ANSWERS)
_SAFE = frozenset({type(None), bool, Outcome, Grade, RaterKind, Origin})

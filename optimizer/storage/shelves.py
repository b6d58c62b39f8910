"""What a memory store holds: dictionaries of nouns, and per study what nobody should have to count."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from optimizer.domain import (
    Batch,
    Connection,
    Duel,
    DuelId,
    Input,
    InputId,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    Rubric,
    RubricId,
    Study,
    StudyId,
    Vote,
    VoteId,
)
from optimizer.errors import Conflict, NotFound
from optimizer.storage.counting import Counts
from optimizer.storage.rules import (
    Known,
    check_change,
    check_names,
    check_references,
    check_storable,
    check_votes,
    joining,
    references,
)

Id = TypeVar("Id", bound=str)
Noun = TypeVar("Noun")


@dataclass(slots=True)
class Tallies:
    """What is kept per study."""

    content_version: int = 0
    vote_version: int = 0
    duels: int = 0
    votes: int = 0
    counts: Counts = field(default_factory=Counts)
    asked: defaultdict[frozenset[PromptId], Counter[InputId]] = field(
        default_factory=lambda: defaultdict(Counter)
    )


class Shelves:
    """All nouns by id in order of arrival. Not safe for threads: the store has the lock."""

    def __init__(self) -> None:
        self.studies: dict[StudyId, Study] = {}
        self.prompts: dict[PromptId, Prompt] = {}
        self.inputs: dict[InputId, Input] = {}
        self.outputs: dict[OutputId, Output] = {}
        self.raters: dict[RaterId, Rater] = {}
        self.duels: dict[DuelId, Duel] = {}
        self.votes: dict[VoteId, Vote] = {}
        self.rubrics: dict[RubricId, Rubric] = {}
        self.connections: dict[str, Connection] = {}
        self.tallies: dict[StudyId, Tallies] = {}
        self.standing: dict[DuelId, VoteId] = {}
        self.open: set[DuelId] = set()
        self._place: dict[DuelId, int] = {}
        self.answers: dict[object, OutputId] = {}  # by the request that they answer
        self._versions: set[tuple[StudyId, int]] = set()
        self._cells: set[tuple[PromptId, InputId, int]] = set()

    def add(self, batch: Batch, expiring: bool) -> None:
        """All of the batch, or an error and nothing: every check comes before the first change."""
        for _, nouns, _ in self._by_kind(batch):
            check_storable(nouns)
        check_storable(batch.changes)
        versions = [(r.study, r.version) for r in batch.rubrics]
        _check_free(versions, self._versions, "The study and version {} of a rubric exist already.")
        known = self._known(batch)
        check_references(batch, known)
        check_votes(batch, known, expiring)
        for word, nouns, shelf in self._by_kind(batch):
            _check_free((noun.id for noun in nouns), shelf, f"The {word} {{!r}} exists already.")
        cells = [(o.prompt, o.input, o.sample) for o in batch.outputs]
        _check_free(cells, self._cells, "The prompt, input and sample {} have an output already.")
        for noun in batch.changes:
            if noun.id not in self._changeable(noun):
                raise NotFound(f"No {type(noun).__name__.lower()} {noun.id!r}.")
            check_change(self._changeable(noun)[noun.id], noun)
        changed = {noun.id: noun for noun in batch.changes if isinstance(noun, Prompt)}
        renamed = [noun for noun in changed.values() if self.prompts[noun.id].name != noun.name]
        check_names([*renamed, *joining(batch)], {**self.prompts, **changed}.values())

        for study in batch.studies:
            self.tallies[study.id] = Tallies()
        for _, nouns, shelf in self._by_kind(batch):
            shelf.update((noun.id, noun) for noun in nouns)
        self._cells.update(cells)
        self._versions.update(versions)
        for output in batch.outputs:
            request = output.settings.get("request_hash")
            before = self.answers.get(request)
            if request is not None and (before is None or output.usable > self.outputs[before].usable):
                self.answers[request] = output.id
        content: list[Prompt | Input | Output] = [*batch.prompts, *batch.inputs, *batch.outputs]
        for study_id in {noun.study for noun in content}:
            self.tallies[study_id].content_version += 1
        for duel in batch.duels:
            self._place[duel.id] = len(self._place)
            self.put_duel(duel)
            tallies = self.tallies[duel.study]
            tallies.duels += 1
            tallies.asked[frozenset((duel.first_prompt, duel.second_prompt))][duel.input] += 1
        for vote in batch.votes:
            if vote.withdrawn_at is None:
                self.stand(vote, closed_at=vote.at)
        for noun in batch.changes:
            self._change(noun)

    def put_duel(self, duel: Duel) -> None:
        self.duels[duel.id] = duel
        if duel.closed_at is None:
            self.open.add(duel.id)
        else:
            self.open.discard(duel.id)

    def open_duels(self, study: StudyId) -> list[Duel]:
        """In order of arrival."""
        found = [self.duels[id] for id in sorted(self.open, key=self._place.__getitem__)]
        return [duel for duel in found if duel.study == study]

    def stand(self, vote: Vote, closed_at: datetime) -> None:
        """The vote stands from now on; its duel is closed if it was open."""
        self.votes[vote.id] = vote
        self.standing[vote.duel] = vote.id
        duel = self.duels[vote.duel]
        if duel.closed_at is None:
            self.put_duel(replace(duel, closed_at=closed_at))
        self._count(vote, +1)

    def fall(self, vote: Vote) -> None:
        """The vote, given as withdrawn, stands no more."""
        self._count(self.votes[vote.id], -1)
        self.votes[vote.id] = vote
        del self.standing[vote.duel]

    def _change(self, noun: Study | Prompt | Input | Rater) -> None:
        if isinstance(noun, Rater):
            self._set_aside(noun)
        elif isinstance(noun, Prompt | Input):
            self.tallies[noun.study].content_version += 1
        self._changeable(noun)[noun.id] = noun

    def _changeable(self, noun: Study | Prompt | Input | Rater) -> dict[Any, Any]:
        shelves: dict[type, dict[Any, Any]] = {
            Study: self.studies,
            Prompt: self.prompts,
            Input: self.inputs,
            Rater: self.raters,
        }
        return shelves[type(noun)]

    def _set_aside(self, rater: Rater) -> None:
        """Votes move out of the counts, or back into them, when the rater is set aside or not."""
        mine = [vote for id in self.standing.values() if (vote := self.votes[id]).rater == rater.id]
        moved = (self.raters[rater.id].set_aside_at is None) != (rater.set_aside_at is None)
        for vote in mine if moved else ():
            self._count(vote, -1)
        self.raters[rater.id] = rater
        for vote in mine if moved else ():
            self._count(vote, +1)
        if moved:
            self.tallies[rater.study].vote_version += 1

    def _count(self, vote: Vote, times: int) -> None:
        tallies, duel, rater = self.tallies[vote.study], self.duels[vote.duel], self.raters[vote.rater]
        tallies.votes += times
        tallies.vote_version += 1
        tallies.counts.add_vote(vote, duel, rater, times)

    def _by_kind(self, batch: Batch) -> Iterator[tuple[str, Sequence[Any], dict[Any, Any]]]:
        yield "study", batch.studies, self.studies
        yield "prompt", batch.prompts, self.prompts
        yield "input", batch.inputs, self.inputs
        yield "output", batch.outputs, self.outputs
        yield "rater", batch.raters, self.raters
        yield "duel", batch.duels, self.duels
        yield "vote", batch.votes, self.votes
        yield "rubric", batch.rubrics, self.rubrics

    def _known(self, batch: Batch) -> Known:
        asked = references(batch)
        standing = {id: self.votes[self.standing[id]] for id in asked.duels if id in self.standing}
        cells = {o.id: (o.study, o.prompt, o.input) for o in _some(self.outputs, asked.outputs)}
        return Known(
            studies={s.id: s.id for s in _some(self.studies, asked.studies)},
            prompts={p.id: p.study for p in _some(self.prompts, asked.prompts)},
            inputs={i.id: i.study for i in _some(self.inputs, asked.inputs)},
            raters={r.id: r.study for r in _some(self.raters, asked.raters)},
            outputs=cells,
            duels={d.id: d for d in _some(self.duels, asked.duels)},
            standing=standing,
        )


def _some(shelf: Mapping[Id, Noun], ids: Iterable[Id]) -> Iterator[Noun]:
    return (shelf[id] for id in ids if id in shelf)


def _check_free(keys: Iterable[object], taken: Container[object], message: str) -> None:
    """``Conflict`` where a key is taken or comes twice."""
    seen = set()
    for key in keys:
        if key in taken or key in seen:
            raise Conflict(message.format(key))
        seen.add(key)

"""What a proposer is told: the pool with strengths, the telling duels with reasons, outputs that won."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from optimizer.domain import (
    Ballot,
    Input,
    InputId,
    Outcome,
    Prompt,
    PromptId,
    RaterId,
    Study,
)
from optimizer.evolution.checks import wanted_variables
from optimizer.evolution.plan import Order
from optimizer.judges.criteria import criteria_of
from optimizer.judging.rubrics import Rubrics
from optimizer.proposers.base import Brief, Contender, Example, Side, Telling
from optimizer.results import Results
from optimizer.standings import Row
from optimizer.storage.base import Store

REMEMBERED = 2_000  # newest ballots looked through
MOST_LOST, MOST_WON, MOST_OTHERS = 8, 6, 10  # telling duels: the leader's, and those of others
MOST_EXAMPLES = 15
MEASURED = 20  # outputs of a prompt that a dial is measured on
ONE_INPUT = "this input alone, as far as is known"


class Briefs:
    """Reads briefs from the store. Safe to share between threads."""

    def __init__(self, store: Store, results: Results, rubrics: Rubrics) -> None:
        self._store = store
        self._results = results
        self._rubrics = rubrics

    def brief(self, order: Order, turn: int) -> Brief:
        """All that the order's proposer may know; ``turn`` counts the study's proposals so far."""
        study = self._store.study(order.study)
        prompts = self._store.prompts(study.id)
        rows = self._results.standings(study, order.votes.chosen).rows
        inputs = {row.id: row for row in self._store.inputs(study.id)}
        ballots = self._ballots(study, order)
        pool = _pool(rows, ballots)
        leader = pool[0].id if pool else None
        chosen = _telling(ballots, leader)
        line = _ancestors(leader, prompts)
        in_use = [prompt for prompt in prompts if prompt.retired_at is None]
        parents = [prompt for prompt in prompts if prompt.id == leader]
        return Brief(
            study.task,
            criteria_of(self._rubrics.shown(study.id)),
            pool,
            tuple(self._told(ballot, inputs) for ballot in chosen),
            self._examples(study, ballots, in_use, inputs),
            wanted_variables(parents, in_use) or _common(inputs.values()),
            order.count,
            turn,
            order.dial,
            self._outputs(pool, line, order),
            tuple(one for one in line if one.id not in {mate.id for mate in pool}),
        )

    def _ballots(self, study: Study, order: Order) -> list[Ballot]:
        """Standing votes of those who count, newest first; no replays, no skips."""
        kind = order.votes.chosen.kind
        voters: set[RaterId] = {
            rater.id
            for rater in self._store.raters(study.id)
            if rater.set_aside_at is None and kind in (None, rater.kind)
        }
        return [
            ballot
            for ballot in self._store.ballots(study.id, limit=REMEMBERED)
            if ballot.vote.withdrawn_at is None
            and not ballot.duel.replay
            and ballot.vote.rater in voters
            and ballot.vote.outcome is not Outcome.SKIP
        ]

    def _told(self, ballot: Ballot, inputs: Mapping[InputId, Input]) -> Telling:
        """A ballot with its texts, the preferred side first."""
        duel, vote = ballot.duel, ballot.vote
        first = Side(duel.first_prompt, self._store.output(duel.first).text, vote.first_reasons)
        second = Side(duel.second_prompt, self._store.output(duel.second).text, vote.second_reasons)
        if vote.outcome is Outcome.SECOND:
            first, second = second, first
        row = inputs.get(duel.input) or self._store.input(duel.input)
        return Telling(
            duel.input,
            row.variables,
            row.tags,
            first,
            second,
            vote.comment,
            vote.outcome is Outcome.BOTH_BAD,
            _share(row, inputs.values()),
            duel.first_prompt,
        )

    def _examples(
        self,
        study: Study,
        ballots: Sequence[Ballot],
        in_use: Sequence[Prompt],
        inputs: Mapping[InputId, Input],
    ) -> tuple[Example, ...]:
        """Outputs that won, the newest on each input; without any votes, outputs as they are there."""
        found: dict[InputId, Example] = {}
        for ballot in ballots:
            duel = ballot.duel
            won = {Outcome.FIRST: duel.first, Outcome.SECOND: duel.second}.get(ballot.vote.outcome)
            if won is not None and duel.input in inputs and duel.input not in found:
                found[duel.input] = Example(inputs[duel.input].variables, self._store.output(won).text)
            if len(found) == MOST_EXAMPLES:
                break
        if found or ballots:
            return tuple(found.values())
        for prompt in in_use:
            for output in self._store.outputs(study.id, prompt.id):
                if output.usable and output.input in inputs and len(found) < MOST_EXAMPLES:
                    found.setdefault(output.input, Example(inputs[output.input].variables, output.text))
        return tuple(found.values())

    def _outputs(
        self, pool: Sequence[Contender], line: Sequence[Contender], order: Order
    ) -> dict[PromptId, tuple[str, ...]]:
        """Of the leader; where a dial is turned, of every prompt that may have it."""
        wanted = [*line, *pool] if order.dial is not None else pool[:1]
        return {
            one.id: tuple(
                output.text for output in self._store.outputs(order.study, one.id) if output.usable
            )[-MEASURED:]
            for one in wanted
        }


@dataclass(frozen=True, slots=True)
class _Record:
    """Wins less losses by input."""

    net: Counter[InputId]

    @property
    def won(self) -> frozenset[InputId]:
        return frozenset(row for row, n in self.net.items() if n > 0)

    @property
    def lost(self) -> frozenset[InputId]:
        return frozenset(row for row, n in self.net.items() if n < 0)


def contender(row: Row, record: _Record | None = None) -> Contender:
    """A row of the standings as proposers see it."""
    record = record or _Record(Counter())
    sd = (row.high - row.low) / (2 * 1.6449)  # of a 90 % interval
    prompt = row.prompt
    return Contender(
        prompt.id, prompt.name, prompt.text, row.strength, sd, row.p_best, row.duels, prompt.parent,
        record.won, record.lost,
    )  # fmt: skip


def _pool(rows: Iterable[Row], ballots: Iterable[Ballot]) -> tuple[Contender, ...]:
    """The prompts in use, strongest first."""
    records: dict[PromptId, _Record] = {}
    for ballot in ballots:
        winner = ballot.winner
        if winner is not None:
            for prompt in (ballot.duel.first_prompt, ballot.duel.second_prompt):
                net = records.setdefault(prompt, _Record(Counter())).net
                net[ballot.duel.input] += 1 if prompt == winner else -1
    return tuple(contender(row, records.get(row.prompt.id)) for row in rows if row.prompt.retired_at is None)


def _telling(ballots: Sequence[Ballot], leader: PromptId | None) -> list[Ballot]:
    """The leader's defeats and bad ties, its wins, wins of others; those with words first, then newest."""
    lost, won, others = [], [], []
    for ballot in sorted(ballots, key=lambda one: not _has_words(one)):
        both_bad = ballot.vote.outcome is Outcome.BOTH_BAD
        mine = leader in (ballot.duel.first_prompt, ballot.duel.second_prompt)
        if mine and (both_bad or ballot.winner not in (None, leader)):
            lost.append(ballot)
        elif mine and ballot.winner == leader:
            won.append(ballot)
        elif ballot.winner is not None:
            others.append(ballot)
    chosen = {b.vote.id for b in [*lost[:MOST_LOST], *won[:MOST_WON], *others[:MOST_OTHERS]]}
    return [ballot for ballot in ballots if ballot.vote.id in chosen]


def _has_words(ballot: Ballot) -> bool:
    vote = ballot.vote
    return bool(vote.comment or vote.first_reasons or vote.second_reasons)


def _share(row: Input, inputs: Iterable[Input]) -> str:
    """How many inputs in use share a tag with this one."""
    if not row.tags:
        return ONE_INPUT
    in_use = [other for other in inputs if other.retired_at is None]
    alike = sum(bool(set(other.tags) & set(row.tags)) for other in in_use)
    return f"{alike} of {len(in_use)} inputs"


def _common(inputs: Iterable[Input]) -> tuple[str, ...]:
    """The variables that every input in use has."""
    rows = [set(row.variables) for row in inputs if row.retired_at is None]
    return tuple(sorted(set.intersection(*rows))) if rows else ()


def _ancestors(leader: PromptId | None, prompts: Sequence[Prompt]) -> list[Contender]:
    """The leader's line of parents, retired or not."""
    by_id = {prompt.id: prompt for prompt in prompts}
    line: list[Contender] = []
    here = by_id.get(leader) if leader else None
    while here is not None and len(line) <= len(prompts):
        line.append(Contender(here.id, here.name, here.text, parent=here.parent))
        here = by_id.get(here.parent) if here.parent else None
    return line

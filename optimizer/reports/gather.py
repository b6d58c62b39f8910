"""The service behind the report: reads a study once and gathers the facts."""

import platform
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version

from optimizer import __version__
from optimizer.domain import ANSWERS, Ballot, DuelId, Outcome, Prompt, Study, StudyId, utc_now
from optimizer.reports import economy, telling
from optimizer.reports.cautions import cautions_of
from optimizer.reports.evidence import evidence_of
from optimizer.reports.facts import Lengths, Price, Report, ToldDuel
from optimizer.reports.fairness import fair_of
from optimizer.reports.segments import segments_of
from optimizer.reports.voices import voices_of
from optimizer.results import Results, VoteFilter
from optimizer.standings import Row, race_of
from optimizer.storage.base import Answered, Store

SKIP = ANSWERS.index((Outcome.SKIP, None))
RACE_POINTS = 16
PAGE = 5000  # ballots read at a time
FURTHEST = 30_000  # ballots read for what voters said; the report says so where there are more
LIBRARIES = ("numpy", "scipy", "plotly")


class Reports:
    """Gathers reports. Safe to share between threads."""

    def __init__(self, store: Store, results: Results, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._results = results
        self._clock = clock

    def gather(self, study_id: StudyId, chosen: VoteFilter | None = None) -> Report:
        """The facts at this moment, of the votes that pass the filter."""
        chosen = chosen or VoteFilter()
        study = self._store.study(study_id)
        standings = self._results.standings(study, chosen)
        arms, inputs = standings.arms, self._store.inputs(study_id)
        answered = self._store.answered(study_id)
        admitted = self._results.admitted(study, chosen, answered)
        votes = self._results.count(study, chosen, arms, admitted)
        rows = [row for row in admitted if row.answer != SKIP]
        active = [row for row in standings.rows if row.prompt.retired_at is None]
        winner = active[0] if active and rows else None
        rival = active[1].prompt if len(active) > 1 else None
        prices, models = self._prices(study_id, active)
        measure = economy.measure_of(prices)
        report = Report(
            study=study,
            at=self._clock(),
            chosen=chosen,
            standings=standings,
            race=race_of(study, arms, votes, RACE_POINTS),
            winner=winner,
            evidence=evidence_of(rows, answered, self._imported(rows)),
            voices=None if winner is None else voices_of(self._newest(study_id), winner.prompt.id, rows),
            duels=() if winner is None else self._duels(study, winner.prompt, rival, rows),
            segments=() if winner is None else segments_of(votes, arms, inputs, winner.prompt),
            prices=prices,
            measure=measure,
            cheapest=economy.cheapest(prices, measure) if winner else None,
            fair=None
            if winner is None
            else fair_of(votes, arms, inputs, self._lengths(study_id), winner.prompt, study.seed),
            cautions=(),
            inputs=sum(row.retired_at is None for row in inputs),
            models=models,
            versions=versions(),
        )
        return replace(report, cautions=cautions_of(report))

    def _prices(self, study: StudyId, active: Sequence[Row]) -> tuple[tuple[Price, ...], tuple[str, ...]]:
        """What the prompts in use take, strongest first, and the models; reads outputs prompt by prompt."""
        plausible = economy.credible_set(active)
        prices, models = [], set()
        for row in active:
            outputs = self._store.outputs(study, row.prompt.id)
            prices.append(economy.price_of(row, row.prompt.id in plausible, outputs))
            models |= {output.model for output in outputs if output.model}
        return tuple(prices), tuple(sorted(models))

    def _lengths(self, study: StudyId) -> Lengths:
        cells = defaultdict(list)
        for key in self._store.output_index(study):
            if key.usable:
                cells[key.prompt, key.input].append(key.length)
        return {cell: sum(lengths) / len(lengths) for cell, lengths in cells.items()}

    def _imported(self, rows: Sequence[Answered]) -> bool:
        """Were the votes cast in another tool? Told from the first of them: a study is imported whole."""
        return bool(rows) and self._store.duel(rows[0].duel).selector == "imported"

    def _newest(self, study: StudyId) -> Iterator[Ballot]:
        for offset in range(0, FURTHEST, PAGE):
            page = self._store.ballots(study, limit=PAGE, offset=offset)
            yield from page
            if len(page) < PAGE:
                return

    def _duels(
        self, study: Study, winner: Prompt, rival: Prompt | None, rows: Sequence[Answered]
    ) -> tuple[ToldDuel, ...]:
        prompts = {prompt.id: prompt for prompt in self._store.prompts(study.id)}
        found = []
        for kind, met in telling.telling(rows, winner.id, None if rival is None else rival.id).items():
            ballots = [b for duel in met.duels[: telling.MOST_QUOTED] for b in self._of(study.id, duel)]
            said = dict.fromkeys(b.vote.comment.strip() for b in ballots if b.vote.comment.strip())
            found.append(
                ToldDuel(
                    kind,
                    self._store.input(met.input),
                    self._store.output(met.winner),
                    self._store.output(met.other),
                    prompts[met.other_prompt],
                    met.won,
                    met.tied,
                    met.lost,
                    tuple(said)[: telling.MOST_QUOTED],
                )
            )
        return tuple(found)

    def _of(self, study: StudyId, duel: DuelId) -> list[Ballot]:
        return [b for b in self._store.ballots(study, duel=duel) if b.vote.withdrawn_at is None]


def versions() -> Mapping[str, str]:
    """Of what the numbers depend on."""
    return {
        "Prompt Duel": __version__,
        "Python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }

"""A small study whose votes are written by hand, and its report."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from optimizer.domain import (
    Batch,
    Duel,
    DuelId,
    Grade,
    Input,
    InputId,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    RaterKind,
    Settings,
    Study,
    StudyId,
    Vote,
    VoteId,
)
from optimizer.reports import Report, Reports
from optimizer.results import Results, VoteFilter
from optimizer.storage import open_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND, GOOD, BAD = Outcome.FIRST, Outcome.SECOND, Outcome.BOTH_GOOD, Outcome.BOTH_BAD


class World:
    """Prompts of given names, inputs x0, x1, ..., one output in each cell; votes by ``vote``."""

    def __init__(
        self,
        prompts: Sequence[str] = ("Best", "Middle", "Worst"),
        inputs: int = 6,
        texts: Mapping[str, str] | None = None,
        settings: Settings | None = None,
        name: str = "Replies",
    ) -> None:
        self.store = open_store("memory://")
        settings = settings or Settings()
        self.study = Study(
            StudyId("s"), name, "Answer well.", "True\nShort", settings=settings, seed=5, created_at=NOW
        )
        self.prompts = {
            p: Prompt(PromptId(p), self.study.id, p, f"{p}: {{{{q}}}}", created_at=NOW) for p in prompts
        }
        rows = [
            Input(
                InputId(f"x{x}"),
                self.study.id,
                {"q": f"question {x}"},
                ("even",) if x % 2 == 0 else ("odd",),
                NOW,
            )
            for x in range(inputs)
        ]
        texts = texts or {}
        outputs = [
            Output(
                OutputId(f"{p}-{row.id}"), self.study.id, PromptId(p), row.id,
                texts.get(p, f"{p} answers {row.id}"),
                model="model-1", usage={"output_tokens": 10.0 * (n + 1), "cost": 0.001 * (n + 1)},
                latency_ms=100.0 * (n + 1), created_at=NOW,
            )
            for n, p in enumerate(prompts)
            for row in rows
        ]  # fmt: skip
        self.inputs = len(rows)
        self.store.add(Batch([self.study], list(self.prompts.values()), rows, outputs))
        self.results = Results(self.store)
        self._asked = 0

    def vote(
        self,
        first: str,
        second: str,
        outcome: Outcome = FIRST,
        times: int = 1,
        *,
        rater: str = "Ann",
        kind: RaterKind = RaterKind.HUMAN,
        x: int | None = None,
        selector: str = "auto",
        grade: Grade | None = None,
        comment: str = "",
        for_first: tuple[str, ...] = (),
        against_second: tuple[str, ...] = (),
        repeats: DuelId | None = None,
    ) -> DuelId:
        """``times`` votes on two prompts, on ``x`` or on each input in turn; returns the last duel."""
        known = {one.id for one in self.store.raters(self.study.id)}
        raters = [] if rater in known else [Rater(RaterId(rater), self.study.id, rater, kind, NOW)]
        duels, votes = [], []
        for _ in range(times):
            self._asked += 1
            row = InputId(f"x{self._asked % self.inputs if x is None else x}")
            at = NOW + timedelta(seconds=self._asked)
            duel = Duel(
                DuelId(f"d{self._asked}"), self.study.id, row, OutputId(f"{first}-{row}"),
                OutputId(f"{second}-{row}"), PromptId(first), PromptId(second), RaterId(rater), selector,
                "why", False, at, at + timedelta(1), repeats is not None, repeats,
            )  # fmt: skip
            duels.append(duel)
            votes.append(
                Vote(
                    VoteId(f"v{self._asked}"), self.study.id, duel.id, RaterId(rater), outcome, at, grade,
                    first_reasons=for_first, second_reasons=against_second, comment=comment,
                )
            )  # fmt: skip
        self.store.add(Batch(raters=raters, duels=duels, votes=votes))
        return duels[-1].id

    def usual(self) -> "World":
        """Three people who mostly agree that Best is best and Worst is worst."""
        for rater in ("Ann", "Bob", "Cleo"):
            self.vote("Best", "Middle", FIRST, 8, rater=rater)
            self.vote("Middle", "Best", SECOND, 8, rater=rater)
            self.vote("Best", "Worst", FIRST, 8, rater=rater)
            self.vote("Worst", "Middle", SECOND, 8, rater=rater)
            self.vote("Middle", "Best", FIRST, 1, rater=rater)
        return self

    def report(self, chosen: VoteFilter | None = None) -> Report:
        return Reports(self.store, self.results, lambda: NOW).gather(self.study.id, chosen)

"""Studies as a whole: make, change, archive and duplicate them, restore the samples.

Nothing is ever deleted. Their prompts and inputs have services of their own.
"""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from optimizer.checks import check_text, clean_name, free_name
from optimizer.copies import renumbered
from optimizer.domain import (
    Batch,
    Input,
    InputId,
    JudgeVotes,
    Prompt,
    PromptId,
    Settings,
    Study,
    StudyId,
    new_id,
    utc_now,
)
from optimizer.errors import BadInput, Conflict
from optimizer.samples import same_contents, sample_batches
from optimizer.selectors import SELECTORS
from optimizer.storage.base import Store


@dataclass(frozen=True, slots=True)
class Grid:
    """Prompts and inputs in use, and how many usable outputs each pair has."""

    prompts: tuple[Prompt, ...]
    inputs: tuple[Input, ...]
    usable: Mapping[tuple[PromptId, InputId], int]

    @property
    def missing(self) -> list[tuple[Prompt, Input]]:
        """The pairs without any, input by input."""
        return [
            (prompt, row)
            for row in self.inputs
            for prompt in self.prompts
            if not self.usable.get((prompt.id, row.id))
        ]

    @property
    def cells(self) -> int:
        return len(self.prompts) * len(self.inputs)


class Studies:
    """Changes studies in a store."""

    def __init__(self, store: Store, samples_dir: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._samples_dir = samples_dir
        self._clock = clock

    def create(
        self,
        name: str,
        task: str = "",
        criteria: str = "",
        about: str = "",
        settings: Settings | None = None,
    ) -> Study:
        """A new, empty study. ``Conflict`` when another one has this name."""
        study = Study(
            StudyId(new_id()),
            self._unused_name(name),
            check_text("task", task.strip()),
            check_text("criteria", criteria.strip()),
            check_text("note about the study", about.strip()),
            check_settings(settings or Settings()),
            secrets.randbits(32),
            self._clock(),
        )
        self._store.add(Batch(studies=[study]))
        return study

    def edit(
        self,
        study_id: StudyId,
        *,
        name: str | None = None,
        task: str | None = None,
        criteria: str | None = None,
        about: str | None = None,
        settings: Settings | None = None,
    ) -> Study:
        """Change what is given, leave the rest."""
        old = self._store.study(study_id)
        study = replace(
            old,
            name=old.name if name is None else self._unused_name(name, study_id),
            task=old.task if task is None else check_text("task", task.strip()),
            criteria=old.criteria if criteria is None else check_text("criteria", criteria.strip()),
            about=old.about if about is None else check_text("note about the study", about.strip()),
            settings=old.settings if settings is None else check_settings(settings),
        )
        self._store.replace(study)
        return study

    def rename(self, study_id: StudyId, name: str) -> Study:
        return self.edit(study_id, name=name)

    def archive(self, study_id: StudyId) -> Study:
        """Out of the way, with everything in it; ``unarchive`` brings it back."""
        study = replace(self._store.study(study_id), archived_at=self._clock())
        self._store.replace(study)
        return study

    def unarchive(self, study_id: StudyId) -> Study:
        study = replace(self._store.study(study_id), archived_at=None)
        self._store.replace(study)
        return study

    def duplicate(self, study_id: StudyId, name: str | None = None) -> Study:
        """A copy with its prompts, inputs, outputs and rubrics, without raters and votes."""
        old = self._store.study(study_id)
        copy = replace(
            old,
            name=free_name(old.name, self._names()) if name is None else self._unused_name(name),
            seed=secrets.randbits(32),
            created_at=self._clock(),
            archived_at=None,
        )
        batch = renumbered(
            Batch(
                studies=[copy],
                prompts=self._store.prompts(study_id),
                inputs=self._store.inputs(study_id),
                outputs=self._store.outputs(study_id),
                rubrics=self._store.rubrics(study_id),
            )
        )
        self._store.add(batch)
        return batch.studies[0]

    def restore_samples(self) -> list[Study]:
        """See to it that every sample is there, unchanged and not archived; returns what was brought back.

        A sample is recognised by its prompts and inputs, whatever its name and votes. One that stands
        is left alone, an archived one is unarchived with its votes, and where a sample was changed the
        changed study stays and a fresh copy is added beside it.
        """
        restored = []
        for batch in sample_batches(self._samples_dir, self._clock()):
            studies = self._store.studies()
            twins = [
                study
                for study in studies
                if same_contents(batch, self._store.prompts(study.id), self._store.inputs(study.id))
            ]
            if any(study.archived_at is None for study in twins):
                continue
            if twins:
                restored.append(self.unarchive(twins[-1].id))
                continue
            sample = batch.studies[0]
            name = free_name(sample.name, [study.name for study in studies])
            if any(study.id == sample.id for study in studies):  # the first copy, changed meanwhile
                batch = renumbered(batch)
            fresh = replace(batch.studies[0], name=name)
            with suppress(Conflict):  # another process loaded the same sample a moment ago
                self._store.add(replace(batch, studies=[fresh]))
                restored.append(fresh)
        return restored

    def grid(self, study_id: StudyId) -> Grid:
        """Which outputs are there, for prompts and inputs in use."""
        usable: dict[tuple[PromptId, InputId], int] = {}
        for key in self._store.output_index(study_id):
            if key.usable:
                cell = key.prompt, key.input
                usable[cell] = usable.get(cell, 0) + 1
        return Grid(
            tuple(prompt for prompt in self._store.prompts(study_id) if prompt.retired_at is None),
            tuple(row for row in self._store.inputs(study_id) if row.retired_at is None),
            usable,
        )

    def _names(self) -> list[str]:
        return [study.name for study in self._store.studies()]

    def _unused_name(self, raw: str, but: StudyId | None = None) -> str:
        name = clean_name("study", raw)
        for study in self._store.studies():
            if study.id != but and study.name.casefold() == name.casefold():
                archived = " (it is archived)" if study.archived_at else ""
                raise Conflict(
                    f"There is a study named '{study.name}' already{archived}. Choose another name."
                )
        return name


def check_settings(settings: Settings) -> Settings:
    """The settings themselves; ``BadInput`` names the one that makes no sense."""
    if settings.selector not in SELECTORS:
        raise BadInput(f"There is no selector '{settings.selector}'. Known are {', '.join(SELECTORS)}.")
    ranges = {
        "confidence": (settings.confidence, 0.5, 0.9999),
        "margin": (settings.margin, 0.0, 0.45),
        "audit share": (settings.audit_share, 0.0, 1.0),
        "replay share": (settings.replay_share, 0.0, 0.5),
        "share of audits and replays together": (settings.audit_share + settings.replay_share, 0.0, 1.0),
        "agreement below which a judge is set aside": (settings.judge_bar, 0.0, 1.0),
        "lease in minutes": (settings.lease_minutes, 1.0, 366 * 24 * 60.0),
    }
    for name, (value, lowest, highest) in ranges.items():
        if not lowest <= value <= highest:
            raise BadInput(f"The {name} is {value:g}; it must lie between {lowest:g} and {highest:g}.")
    if settings.judge_votes not in set(JudgeVotes):
        raise BadInput(
            f"Votes of judges cannot count '{settings.judge_votes}'. Known are {', '.join(JudgeVotes)}."
        )
    limits = settings.output_calls, settings.output_tokens, settings.output_money
    if any(limit is not None and limit < 0 for limit in limits):
        raise BadInput("The most that outputs may take is 0 or more, in calls, tokens and money.")
    if settings.budget is not None and settings.budget < 1:
        raise BadInput(f"The budget is {settings.budget} votes; it must be at least 1.")
    return settings

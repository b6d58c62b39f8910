"""Files in and out of a study: look at what an import would do, do it, export under a filter."""

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import PurePath
from secrets import randbits

from optimizer.checks import clean_name, free_name
from optimizer.copies import renumbered
from optimizer.domain import Ballot, Duel, Prompt, Rater, RaterId, Study, StudyId, new_id, utc_now
from optimizer.errors import BadFile, BadInput, Conflict
from optimizer.formats import EXPORTERS, IMPORTERS
from optimizer.formats.base import Choices, Contents, Extract, Faults, Preview, Upload
from optimizer.formats.guessing import guess
from optimizer.formats.tables import read_table
from optimizer.results import Results, VoteFilter
from optimizer.storage.base import Store

PAGE = 5000  # ballots read at a time


@dataclass(frozen=True, slots=True)
class Export:
    """A file on its way out; ``pieces`` may be gone through once."""

    filename: str
    mime: str
    pieces: Iterator[bytes]

    def whole(self) -> bytes:
        """The whole file at once."""
        return b"".join(self.pieces)


class Exchange:
    """Imports and exports."""

    def __init__(
        self, store: Store, results: Results, max_bytes: int, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._store = store
        self._results = results
        self._max_bytes = max_bytes
        self._clock = clock

    def preview(
        self,
        format: str,
        upload: Upload,
        study_id: StudyId | None = None,
        choices: Choices | None = None,
    ) -> Preview:
        """What the file would do; nothing is stored. Formats that make a study need no ``study_id``.

        ``BadFile`` when it cannot be read at all; faults in its rows are in the preview.
        """
        importer = IMPORTERS.get(format)
        if importer is None:
            raise BadInput(f"There is no import format '{format}'. Known are {', '.join(IMPORTERS)}.")
        self._check_size(upload)
        if importer.makes_study:
            fresh = Study(StudyId(new_id()), _study_name(upload), seed=randbits(32), created_at=self._clock())
            with _uncollected():
                preview = importer.read(upload, Contents(fresh), choices or Choices(), self._clock())
            return self._as_new(preview)
        if study_id is None:
            raise BadInput(f"The format '{format}' adds to a study: say which.")
        seen = self._store.counters(study_id).content_version
        contents = self._contents(study_id)
        with _uncollected():
            preview = importer.read(upload, contents, choices or Choices(), self._clock())
        return replace(preview, study=study_id, seen=seen)

    def apply(self, preview: Preview) -> Study:
        """Store all of it, or on any fault nothing; returns the study.

        ``BadFile`` with the faults of the preview; ``Conflict`` when the study changed since.
        """
        batch = preview.checked()
        if preview.study is None:
            with _uncollected():
                self._store.add(batch)
            return batch.studies[0]
        if self._store.counters(preview.study).content_version != preview.seen:
            raise Conflict("The study changed since this preview. Look at a new preview first.")
        with _uncollected():
            self._store.add(batch)
        return self._store.study(preview.study)

    def columns(self, upload: Upload) -> tuple[str, ...]:
        """The columns of a table, for a person to say which hold outputs."""
        self._check_size(upload)
        return read_table(upload, ("prompt", "output", "input_id", "tags"), Faults()).columns

    def guess(self, upload: Upload) -> str:
        """The likeliest import format; of tables that could be anything, outputs in the wide form."""
        self._check_size(upload)
        return guess(upload)

    def export(self, study_id: StudyId, format: str, chosen: VoteFilter | None = None) -> Export:
        """The study, or the votes that pass the filter, as a file."""
        exporter = EXPORTERS.get(format)
        if exporter is None:
            raise BadInput(f"There is no export format '{format}'. Known are {', '.join(EXPORTERS)}.")
        chosen = VoteFilter() if exporter.whole or chosen is None else chosen
        contents = self._contents(study_id)
        raters = {rater.id: rater for rater in self._store.raters(study_id)}
        ballots = self._ballots(contents, raters, chosen)
        leader = partial(self.leader, study_id, chosen)
        duels, rubrics = self._duels(study_id), self._store.rubrics(study_id)
        written = exporter.write(Extract(contents, raters, ballots, duels, rubrics, leader))
        pieces = (piece.encode() if isinstance(piece, str) else piece for piece in written)
        slug = re.sub(r"[^a-z0-9]+", "-", contents.study.name.lower()).strip("-")[:60] or "study"
        named = format.removesuffix(f"-{exporter.suffix}")  # votes-csv is votes.csv
        return Export(f"{slug}-{named}.{exporter.suffix}", exporter.mime, pieces)

    def leader(self, study_id: StudyId, chosen: VoteFilter | None = None) -> Prompt | None:
        """The strongest prompt in use, None while no vote counts."""
        standings = self._results.standings(self._store.study(study_id), chosen)
        if not standings.votes:
            return None
        return next((row.prompt for row in standings.rows if row.prompt.retired_at is None), None)

    def _contents(self, study_id: StudyId) -> Contents:
        return Contents(
            self._store.study(study_id),
            tuple(self._store.prompts(study_id)),
            tuple(self._store.inputs(study_id)),
            tuple(self._store.outputs(study_id)),
        )

    def _ballots(
        self, contents: Contents, raters: dict[RaterId, Rater], chosen: VoteFilter
    ) -> Iterator[Ballot]:
        tagged = {row.id for row in contents.inputs if not chosen.tags or chosen.tags.intersection(row.tags)}
        offset = 0
        while page := self._store.ballots(contents.study.id, newest_first=False, limit=PAGE, offset=offset):
            offset += len(page)
            for ballot in page:
                rater = ballot.vote.rater
                if (
                    ballot.duel.input in tagged
                    and (not chosen.raters or rater in chosen.raters)
                    and (chosen.kind is None or raters[rater].kind is chosen.kind)
                    and (ballot.duel.audit or not chosen.audit_only)
                ):
                    yield ballot

    def _duels(self, study_id: StudyId) -> Iterator[Duel]:
        """Every duel ever asked, oldest first."""
        asked = self._store.counters(study_id).duels
        yield from reversed(self._store.last_duels(study_id, limit=asked) if asked else [])

    def _as_new(self, preview: Preview) -> Preview:
        """The same under a name that no study has, and under new ids where its original is here."""
        if preview.faults:
            return preview
        batch, notes = preview.batch, preview.notes
        known = self._store.studies()
        if any(study.id == batch.studies[0].id for study in known):
            batch = renumbered(batch)
            notes = (*notes, "This study is here already: it is imported as a copy.")
        study = batch.studies[0]
        name = free_name(study.name, [one.name for one in known])
        if name != study.name:
            batch = replace(batch, studies=[replace(study, name=name)])
            notes = (*notes, f"There is a study '{study.name}' already: the new one is called '{name}'.")
        return replace(preview, batch=batch, notes=notes)

    def _check_size(self, upload: Upload) -> None:
        if len(upload.data) > self._max_bytes:
            raise BadFile(
                [
                    f"'{upload.name}' has {len(upload.data) / 1e6:,.1f} MB; at most "
                    f"{self._max_bytes / 1e6:,.1f} MB can be imported. Split the file, or raise "
                    "PROMPT_DUEL_MAX_UPLOAD_MB."
                ]
            )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without Python's search for cycles: an import makes a million nouns and no cycle, and each search
    would go through all of them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _study_name(upload: Upload) -> str:
    """The name of the file, for formats that do not name their study."""
    try:
        return clean_name("study", PurePath(upload.name).stem)
    except BadInput:
        return "Imported study"

"""The sample studies that come with the project."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from optimizer.domain import Batch, Input, Prompt, Study, StudyId
from optimizer.formats.base import Choices, Contents, Upload
from optimizer.formats.study_json import StudyJson
from optimizer.inputs_table import content_of


def sample_batches(folder: Path, now: datetime) -> Iterator[Batch]:
    """Each sample as a batch, by name of its file. Its study's id and seed follow from that name, so two
    processes that load samples at the same time cannot both succeed."""
    for path in sorted(folder.glob("*.json")):
        digest = hashlib.sha256(f"sample study {path.stem}".encode()).hexdigest()
        study = Study(StudyId(digest[:16]), path.stem, seed=int(digest[16:24], 16), created_at=now)
        upload = Upload(path.name, path.read_bytes())
        yield StudyJson().read(upload, Contents(study), Choices(), now).checked()


def same_contents(batch: Batch, prompts: Sequence[Prompt], inputs: Sequence[Input]) -> bool:
    """Are these the prompts and inputs of the batch, leaving out retired ones?"""
    ours = {(prompt.name, prompt.text) for prompt in batch.prompts}
    theirs = {(prompt.name, prompt.text) for prompt in prompts if prompt.retired_at is None}
    our_rows = {(content_of(row.variables), row.tags) for row in batch.inputs}
    their_rows = {(content_of(row.variables), row.tags) for row in inputs if row.retired_at is None}
    return ours == theirs and our_rows == their_rows

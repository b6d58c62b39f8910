"""From the inputs as they are and the rows as they shall be to one batch of changes.

Variables of an input never change, so a changed row retires its input and adds another. A row equal to
a retired input brings that one back, with its outputs: undoing an edit loses nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from optimizer.checks import check_variables, clean_tags, unfilled
from optimizer.domain import Batch, Input, InputId, Prompt, StudyId, new_id
from optimizer.errors import BadInput, NotFound


@dataclass(frozen=True, slots=True)
class InputRow:
    """A row of variables as a person wants it; ``id`` names the input that it was before, if any."""

    variables: Mapping[str, str]
    tags: tuple[str, ...] = ()
    id: InputId | None = None


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a batch does to the inputs, in numbers. An edited row counts as added and retired."""

    batch: Batch
    added: int = 0
    restored: int = 0
    retagged: int = 0
    retired: int = 0
    unchanged: int = 0


Content = frozenset[tuple[str, str]]


def content_of(variables: Mapping[str, str]) -> Content:
    """Equal for rows of equal variables, in whatever order."""
    return frozenset(variables.items())


def plan_table(
    study: StudyId,
    prompts: Sequence[Prompt],
    inputs: Sequence[Input],
    rows: Sequence[InputRow],
    now: datetime,
) -> TableChange:
    """Make the inputs in use exactly these rows. ``BadInput`` names the first row that cannot be."""
    return _plan(study, prompts, inputs, rows, now, whole=True)


def plan_additions(
    study: StudyId,
    prompts: Sequence[Prompt],
    inputs: Sequence[Input],
    rows: Sequence[InputRow],
    now: datetime,
) -> TableChange:
    """Have these rows besides the inputs in use."""
    return _plan(study, prompts, inputs, rows, now, whole=False)


def _plan(
    study: StudyId,
    prompts: Sequence[Prompt],
    inputs: Sequence[Input],
    rows: Sequence[InputRow],
    now: datetime,
    whole: bool,
) -> TableChange:
    by_id = {row.id: row for row in inputs}
    by_content: dict[Content, Input] = {}
    for known in inputs:  # of several equal ones, the one in use
        old = by_content.get(content_of(known.variables))
        if old is None or old.retired_at is not None:
            by_content[content_of(known.variables)] = known
    wanted: dict[Content, int] = {}
    kept: set[InputId] = set()
    replaced: set[InputId] = set()
    added: list[Input] = []
    changes: dict[InputId, Input] = {}
    restored = retagged = 0
    for number, row in enumerate(rows, start=1):
        variables, tags = _checked(row, number, prompts)
        content = content_of(variables)
        if wanted.setdefault(content, number) != number:
            raise BadInput(f"Row {number:,} has the same variables as row {wanted[content]:,}.")
        if row.id is not None:
            if row.id not in by_id:
                raise NotFound(f"Row {number:,} names the input '{row.id}', which this study does not have.")
            replaced.add(row.id)
        old = by_content.get(content)
        if old is None:
            added.append(Input(InputId(new_id()), study, variables, tags, now))
            continue
        if row.id not in (None, old.id) and old.retired_at is None and not whole:
            raise BadInput(f"Row {number:,} has the same variables as another input.")
        kept.add(old.id)
        if old.retired_at is not None:
            changes[old.id] = replace(old, tags=tags, retired_at=None)
            restored += 1
        elif old.tags != tags:
            changes[old.id] = replace(old, tags=tags)
            retagged += 1
    in_use = [row for row in inputs if row.retired_at is None]
    gone = [row for row in in_use if row.id not in kept and (whole or row.id in replaced)]
    changes.update({row.id: replace(row, retired_at=now) for row in gone})
    return TableChange(
        Batch(inputs=added, changes=list(changes.values())),
        added=len(added),
        restored=restored,
        retagged=retagged,
        retired=len(gone),
        unchanged=len(kept) - restored - retagged,
    )


def _checked(row: InputRow, number: int, prompts: Sequence[Prompt]) -> tuple[dict[str, str], tuple[str, ...]]:
    try:
        variables, tags = check_variables(row.variables), clean_tags(row.tags)
    except BadInput as error:
        raise BadInput(f"Row {number:,}: {error}") from error
    lacking = unfilled(prompts, variables)
    if lacking:
        raise BadInput(f"Row {number:,} {lacking}. Add it, or retire that prompt.")
    return variables, tags

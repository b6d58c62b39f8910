"""The inputs of a study: add, edit, retire, restore, or apply a whole edited table.

The variables of an input are fixed, so that the votes on it keep their meaning: an edit retires the
row and adds another. Tags describe an input and change in place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from optimizer.domain import Input, InputId, Prompt, StudyId, utc_now
from optimizer.errors import NotFound
from optimizer.inputs_table import InputRow, TableChange, plan_additions, plan_table
from optimizer.storage.base import Store

Plan = Callable[[StudyId, Sequence[Prompt], Sequence[Input], Sequence[InputRow], datetime], TableChange]


class Inputs:
    """Changes the inputs in a store. ``BadInput`` names the row and what is wrong with it."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock

    def add(self, study_id: StudyId, rows: Sequence[InputRow]) -> TableChange:
        """More rows. A row that stands already is left alone; one that was retired is restored."""
        return self._apply(study_id, rows, plan_additions)

    def apply_table(self, study_id: StudyId, rows: Sequence[InputRow]) -> TableChange:
        """Make the inputs in use what an edited table says, all or nothing: changed rows are edited, new
        ones added, and inputs without a row retired."""
        return self._apply(study_id, rows, plan_table)

    def planned(self, study_id: StudyId, rows: Sequence[InputRow]) -> TableChange:
        """What ``apply_table`` would do; nothing is stored."""
        return self._plan(study_id, rows, plan_table)

    def edit(
        self, study_id: StudyId, input_id: InputId, variables: Mapping[str, str], tags: Sequence[str]
    ) -> TableChange:
        """Other variables, other tags, or both."""
        self.get(study_id, input_id)
        return self._apply(study_id, [InputRow(variables, tuple(tags), input_id)], plan_additions)

    def retire(self, study_id: StudyId, input_id: InputId) -> Input:
        """Out of further duels; its votes and outputs stay."""
        retired = replace(self.get(study_id, input_id), retired_at=self._clock())
        self._store.replace(retired)
        return retired

    def restore(self, study_id: StudyId, input_id: InputId) -> TableChange:
        """Back into duels; nothing happens where an equal row is in use."""
        old = self.get(study_id, input_id)
        return self._apply(study_id, [InputRow(old.variables, old.tags)], plan_additions)

    def get(self, study_id: StudyId, input_id: InputId) -> Input:
        """The input; ``NotFound`` when this study has none of this id."""
        row = self._store.input(input_id)
        if row.study != study_id:
            raise NotFound(f"This study has no input '{input_id}'.")
        return row

    def _apply(self, study_id: StudyId, rows: Sequence[InputRow], plan: Plan) -> TableChange:
        change = self._plan(study_id, rows, plan)
        self._store.add(change.batch)
        return change

    def _plan(self, study_id: StudyId, rows: Sequence[InputRow], plan: Plan) -> TableChange:
        prompts, inputs = self._store.prompts(study_id), self._store.inputs(study_id)
        return plan(study_id, prompts, inputs, rows, self._clock())

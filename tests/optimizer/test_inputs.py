from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.domain import InputId, StudyId
from optimizer.errors import BadInput, NotFound, PromptDuelError
from optimizer.inputs import Inputs
from optimizer.inputs_table import InputRow
from optimizer.prompts import Prompts
from optimizer.storage.memory import MemoryStore
from optimizer.studies import Studies

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def study(store: MemoryStore) -> StudyId:
    return Studies(store, Path()).create("Replies").id


@pytest.fixture
def inputs(store: MemoryStore) -> Inputs:
    return Inputs(store, lambda: NOW)


def in_use(store: MemoryStore, study: StudyId) -> list[tuple[dict[str, str], tuple[str, ...]]]:
    return [(dict(row.variables), row.tags) for row in store.inputs(study) if row.retired_at is None]


def test_rows_are_added_once(inputs: Inputs, study: StudyId, store: MemoryStore) -> None:
    change = inputs.add(study, [InputRow({"x": "1"}, ("a",)), InputRow({"x": "2"})])
    assert (change.added, change.unchanged) == (2, 0)
    change = inputs.add(study, [InputRow({"x": "2"}), InputRow({"x": "3"})])
    assert (change.added, change.unchanged) == (1, 1)
    assert in_use(store, study) == [({"x": "1"}, ("a",)), ({"x": "2"}, ()), ({"x": "3"}, ())]


def test_new_variables_retire_the_row_and_add_another(
    inputs: Inputs, study: StudyId, store: MemoryStore
) -> None:
    inputs.add(study, [InputRow({"x": "1"}, ("a",))])
    old = store.inputs(study)[0]
    change = inputs.edit(study, old.id, {"x": "one"}, ["a"])
    assert (change.added, change.retired) == (1, 1)
    assert [(row.variables, row.retired_at) for row in store.inputs(study)] == [
        ({"x": "1"}, NOW),
        ({"x": "one"}, None),
    ]


def test_tags_change_in_place(inputs: Inputs, study: StudyId, store: MemoryStore) -> None:
    inputs.add(study, [InputRow({"x": "1"}, ("a",))])
    old = store.inputs(study)[0]
    change = inputs.edit(study, old.id, {"x": "1"}, ["b", "c"])
    assert (change.retagged, change.added, change.retired) == (1, 0, 0)
    assert store.input(old.id).tags == ("b", "c")


def test_undoing_an_edit_brings_the_old_row_back(inputs: Inputs, study: StudyId, store: MemoryStore) -> None:
    inputs.add(study, [InputRow({"x": "1"})])
    old = store.inputs(study)[0]
    inputs.edit(study, old.id, {"x": "one"}, [])
    edited = store.inputs(study)[1]
    change = inputs.edit(study, edited.id, {"x": "1"}, [])
    assert (change.restored, change.added, change.retired) == (1, 0, 1)
    assert [row.id for row in store.inputs(study) if row.retired_at is None] == [old.id]


def test_a_row_cannot_be_edited_into_another(inputs: Inputs, study: StudyId, store: MemoryStore) -> None:
    inputs.add(study, [InputRow({"x": "1"}), InputRow({"x": "2"})])
    with pytest.raises(BadInput, match="same variables as another input"):
        inputs.edit(study, store.inputs(study)[0].id, {"x": "2"}, [])


def test_a_table_is_applied_as_a_whole(inputs: Inputs, study: StudyId, store: MemoryStore) -> None:
    inputs.add(
        study, [InputRow({"x": "1"}), InputRow({"x": "2"}), InputRow({"x": "3"}), InputRow({"x": "4"})]
    )
    one, two, three, _ = store.inputs(study)
    wanted = [
        InputRow({"x": "1"}, (), one.id),
        InputRow({"x": "two"}, (), two.id),
        InputRow({"x": "3"}, ("new",), three.id),
        InputRow({"x": "5"}),
    ]
    plan = inputs.planned(study, wanted)
    assert len(store.inputs(study)) == 4
    change = inputs.apply_table(study, wanted)
    numbers = (change.added, change.retired, change.retagged, change.restored, change.unchanged)
    assert numbers == (2, 2, 1, 0, 1)
    assert numbers == (plan.added, plan.retired, plan.retagged, plan.restored, plan.unchanged)
    assert in_use(store, study) == [
        ({"x": "1"}, ()),
        ({"x": "3"}, ("new",)),
        ({"x": "two"}, ()),
        ({"x": "5"}, ()),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (InputRow({"x": "1"}), "Row 2 has the same variables as row 1"),
        (InputRow({"y": "1"}), "Row 2 has no 'x', which the prompt 'Terse' uses"),
        (InputRow({"x": "  "}), "Row 2: An input needs at least one variable"),
        (InputRow({"x": "a\0"}), "Row 2: The variable 'x' holds a NUL character"),
        (InputRow({"x": "2"}, ("a;b",)), "Row 2: The tag 'a;b'"),
        (InputRow({"x": "2"}, (), InputId("nobody")), "Row 2 names the input 'nobody'"),
    ],
)
def test_a_wrong_row_changes_nothing(
    inputs: Inputs, study: StudyId, store: MemoryStore, row: InputRow, said: str
) -> None:
    Prompts(store).write(study, "Terse", "{{x}}")
    inputs.add(study, [InputRow({"x": "0"})])
    before = store.inputs(study)
    with pytest.raises(PromptDuelError, match=said):
        inputs.apply_table(study, [InputRow({"x": "1"}), row])
    assert store.inputs(study) == before


def test_retiring_and_restoring(inputs: Inputs, study: StudyId, store: MemoryStore) -> None:
    inputs.add(study, [InputRow({"x": "1"})])
    row = store.inputs(study)[0]
    assert inputs.retire(study, row.id).retired_at == NOW
    assert inputs.restore(study, row.id).restored == 1
    assert inputs.restore(study, row.id).unchanged == 1
    inputs.retire(study, row.id)
    Prompts(store).write(study, "Terse", "{{y}}")
    with pytest.raises(BadInput, match="has no 'y', which the prompt 'Terse' uses"):
        inputs.restore(study, row.id)


def test_an_input_of_another_study_is_not_found(inputs: Inputs, study: StudyId, store: MemoryStore) -> None:
    other = Studies(store, Path()).create("Other").id
    inputs.add(other, [InputRow({"x": "1"})])
    with pytest.raises(NotFound):
        inputs.retire(study, store.inputs(other)[0].id)


ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.sets(st.sampled_from("ab"))), max_size=6, unique_by=lambda row: row[0]
)


@settings(deadline=None)
@given(ROWS, ROWS, ROWS)
def test_whatever_the_edits_the_inputs_are_what_the_table_says(
    first: list[tuple[int, set[str]]], second: list[tuple[int, set[str]]], third: list[tuple[int, set[str]]]
) -> None:
    store = MemoryStore()
    study = Studies(store, Path()).create("Replies").id
    inputs = Inputs(store, lambda: NOW)
    for table in (first, second, third):
        known = [row.id for row in store.inputs(study) if row.retired_at is None]
        rows = [
            InputRow({"x": str(value)}, tuple(sorted(tags)), known[place] if place < len(known) else None)
            for place, (value, tags) in enumerate(table)
        ]
        inputs.apply_table(study, rows)
        wanted = sorted((str(value), tuple(sorted(tags))) for value, tags in table)
        assert sorted((row["x"], tags) for row, tags in in_use(store, study)) == wanted
    contents = [row.variables["x"] for row in store.inputs(study)]
    assert len(contents) == len(set(contents))

from datetime import UTC, datetime
from pathlib import Path

import pytest

from optimizer.domain import Origin, PromptId, StudyId
from optimizer.errors import BadInput, Conflict, NotFound
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
def prompts(store: MemoryStore) -> Prompts:
    return Prompts(store, lambda: NOW)


def test_a_prompt_is_written(prompts: Prompts, study: StudyId, store: MemoryStore) -> None:
    prompt = prompts.write(study, " Terse ", "Answer {{email}}.\n", note="first try")
    assert store.prompts(study) == [prompt]
    assert (prompt.name, prompt.text, prompt.note) == ("Terse", "Answer {{email}}.\n", "first try")
    assert (prompt.origin, prompt.parent, prompt.created_at) == (Origin.WRITTEN, None, NOW)


def test_a_prompt_needs_a_text(prompts: Prompts, study: StudyId) -> None:
    with pytest.raises(BadInput, match="'Terse' has no text"):
        prompts.write(study, "Terse", " \n")


def test_a_variable_that_inputs_lack_is_named(prompts: Prompts, study: StudyId, store: MemoryStore) -> None:
    Inputs(store).add(study, [InputRow({"email": "Hi"})])
    with pytest.raises(BadInput, match=r"\{\{emial\}\}.*Did you mean \{\{email\}\}"):
        prompts.write(study, "Terse", "Answer {{emial}}.")
    assert store.prompts(study) == []


def test_names_are_unique_in_a_study_retired_prompts_included(prompts: Prompts, study: StudyId) -> None:
    first = prompts.write(study, "Terse", "a")
    with pytest.raises(Conflict, match=r"'Terse' already\. Choose"):
        prompts.write(study, "TERSE", "b")
    prompts.retire(study, first.id)
    with pytest.raises(Conflict, match="it is retired"):
        prompts.write(study, "Terse", "b")


def test_a_fork_keeps_its_parent_and_gets_a_name(prompts: Prompts, study: StudyId) -> None:
    parent = prompts.write(study, "Terse", "a")
    child = prompts.fork(study, parent.id, "b")
    grandchild = prompts.fork(study, child.id, "c")
    assert (child.name, child.parent, child.origin) == ("Terse 2", parent.id, Origin.FORKED)
    assert (grandchild.name, grandchild.parent) == ("Terse 3", child.id)
    assert prompts.suggest_name(study, "Terse") == "Terse 4"


def test_a_fork_can_take_its_parents_place(prompts: Prompts, study: StudyId, store: MemoryStore) -> None:
    parent = prompts.write(study, "Terse", "a")
    prompts.fork(study, parent.id, "b", name="Curt", retire_parent=True)
    assert [(p.name, p.retired_at) for p in store.prompts(study)] == [("Terse", NOW), ("Curt", None)]


def test_a_fork_that_fails_retires_nothing(prompts: Prompts, study: StudyId, store: MemoryStore) -> None:
    parent = prompts.write(study, "Terse", "a")
    with pytest.raises(Conflict):
        prompts.fork(study, parent.id, "b", name="Terse", retire_parent=True)
    assert store.prompts(study) == [parent]


def test_a_fork_must_change_something(prompts: Prompts, study: StudyId) -> None:
    parent = prompts.write(study, "Terse", "a")
    with pytest.raises(BadInput, match="the same as that of 'Terse'"):
        prompts.fork(study, parent.id, "a")


def test_renaming_and_retiring_are_reversible(prompts: Prompts, study: StudyId, store: MemoryStore) -> None:
    prompt = prompts.write(study, "Terse", "a")
    prompts.rename(study, prompt.id, "terse")
    prompts.rename(study, prompt.id, "Terse")
    prompts.retire(study, prompt.id, note="too short")
    assert store.prompts(study)[0].note == "too short"
    restored = prompts.restore(study, prompt.id)
    assert (restored.retired_at, restored.text) == (None, "a")


def test_a_prompt_that_no_longer_fits_the_inputs_cannot_come_back(
    prompts: Prompts, study: StudyId, store: MemoryStore
) -> None:
    prompt = prompts.write(study, "Terse", "{{email}}")
    prompts.retire(study, prompt.id)
    Inputs(store).add(study, [InputRow({"letter": "Hi"})])
    with pytest.raises(BadInput, match=r"\{\{email\}\}"):
        prompts.restore(study, prompt.id)


def test_a_prompt_of_another_study_is_not_found(prompts: Prompts, study: StudyId, store: MemoryStore) -> None:
    other = Studies(store, Path()).create("Other")
    prompt = prompts.write(other.id, "Terse", "a")
    for act in (prompts.retire, prompts.restore, prompts.get):
        with pytest.raises(NotFound):
            act(study, prompt.id)
    with pytest.raises(NotFound):
        prompts.fork(study, PromptId("nobody"), "text")

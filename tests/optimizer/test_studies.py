import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from optimizer.domain import Batch, Output, OutputId, Settings, Study, StudyId, new_id
from optimizer.errors import BadFile, BadInput, Conflict, NotFound
from optimizer.inputs import Inputs
from optimizer.inputs_table import InputRow
from optimizer.prompts import Prompts
from optimizer.storage.memory import MemoryStore
from optimizer.studies import Studies

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAMPLE = {
    "format": "prompt-duel-study",
    "version": 1,
    "study": {"name": "Sample", "task": "t", "criteria": "c", "about": "written in advance"},
    "prompts": [{"key": "a", "name": "A", "text": "{{x}}"}, {"key": "b", "name": "B", "text": "{{x}}!"}],
    "inputs": [{"key": "i", "variables": {"x": "1"}, "tags": ["short"]}],
    "outputs": [{"prompt": "a", "input": "i", "text": "one"}, {"prompt": "b", "input": "i", "text": "two"}],
}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def studies(store: MemoryStore, tmp_path: Path) -> Studies:
    (tmp_path / "sample.json").write_text(json.dumps(SAMPLE), encoding="utf-8")
    return Studies(store, tmp_path, lambda: NOW)


def test_a_study_is_made_with_clean_texts(studies: Studies, store: MemoryStore) -> None:
    study = studies.create("  Replies ", task=" Answer. ", criteria="short")
    assert store.study(study.id) == study
    assert (study.name, study.task, study.criteria, study.created_at) == ("Replies", "Answer.", "short", NOW)


def test_names_of_studies_are_unique_whatever_the_capitals(studies: Studies) -> None:
    first = studies.create("Replies")
    with pytest.raises(Conflict, match=r"'Replies' already\. Choose another"):
        studies.create("replies")
    studies.archive(first.id)
    with pytest.raises(Conflict, match="archived"):
        studies.create("Replies")


def test_editing_changes_what_is_given(studies: Studies, store: MemoryStore) -> None:
    study = studies.create("Replies", task="Answer.")
    studies.edit(study.id, criteria="short", settings=Settings(budget=40))
    kept = store.study(study.id)
    assert (kept.name, kept.task, kept.criteria, kept.settings.budget) == ("Replies", "Answer.", "short", 40)
    assert studies.rename(study.id, "REPLIES").name == "REPLIES"  # its own name is no obstacle


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(selector="best"), "no selector 'best'"),
        (Settings(confidence=1.0), "confidence is 1;"),
        (Settings(margin=-0.1), "margin is -0.1"),
        (Settings(audit_share=0.8, replay_share=0.3), "together is 1.1"),
        (Settings(budget=0), "budget is 0 votes"),
        (Settings(lease_minutes=0), "lease in minutes is 0"),
        (Settings(output_calls=-1), "outputs may take is 0 or more"),
        (Settings(output_money=-0.5), "outputs may take is 0 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(studies: Studies, settings: Settings, said: str) -> None:
    study = studies.create("Replies")
    with pytest.raises(BadInput, match=said):
        studies.edit(study.id, settings=settings)


def test_archiving_is_undone_by_unarchiving(studies: Studies, store: MemoryStore) -> None:
    study = studies.create("Replies")
    assert studies.archive(study.id).archived_at == NOW
    studies.unarchive(study.id)
    assert store.study(study.id) == study


def test_a_duplicate_holds_everything_but_votes_under_new_ids(studies: Studies, store: MemoryStore) -> None:
    studies.restore_samples()
    old = store.studies()[0]
    prompts = Prompts(store, lambda: NOW)
    a = store.prompts(old.id)[0]
    prompts.fork(old.id, a.id, "{{x}}?", retire_parent=True)
    copy = studies.duplicate(old.id)
    assert (copy.name, copy.task, copy.about) == ("Sample 2", old.task, old.about)
    mine, theirs = store.prompts(copy.id), store.prompts(old.id)
    assert [(p.name, p.text, p.retired_at) for p in mine] == [(p.name, p.text, p.retired_at) for p in theirs]
    assert mine[2].parent == mine[0].id
    assert [row.variables for row in store.inputs(copy.id)] == [{"x": "1"}]
    assert [output.text for output in store.outputs(copy.id)] == ["one", "two"]
    assert not {p.id for p in mine} & {p.id for p in theirs}
    assert studies.duplicate(old.id, "Other").name == "Other"
    with pytest.raises(Conflict):
        studies.duplicate(old.id, "Other")


def test_samples_are_restored_once(studies: Studies, store: MemoryStore) -> None:
    assert [study.name for study in studies.restore_samples()] == ["Sample"]
    assert studies.restore_samples() == []
    assert len(store.studies()) == 1
    assert len(store.outputs(store.studies()[0].id)) == 2


def test_an_archived_sample_comes_back_itself(studies: Studies, store: MemoryStore) -> None:
    (sample,) = studies.restore_samples()
    studies.rename(sample.id, "My trial")
    studies.archive(sample.id)
    assert [study.id for study in studies.restore_samples()] == [sample.id]
    assert store.studies()[0].archived_at is None


def test_a_changed_sample_stays_and_a_fresh_copy_is_added(studies: Studies, store: MemoryStore) -> None:
    (sample,) = studies.restore_samples()
    Prompts(store).write(sample.id, "Mine", "{{x}}")
    (fresh,) = studies.restore_samples()
    assert fresh.name == "Sample 2"
    assert {prompt.name for prompt in store.prompts(sample.id)} == {"A", "B", "Mine"}
    assert len(store.outputs(fresh.id)) == 2
    assert studies.restore_samples() == []
    Inputs(store).add(fresh.id, [InputRow({"x": "2"})])
    assert [study.name for study in studies.restore_samples()] == ["Sample 3"]


def test_a_sample_that_another_process_loads_at_the_same_time_is_no_fault(
    studies: Studies, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sample,) = studies.restore_samples()
    monkeypatch.setattr(store, "studies", list)  # what this process saw a moment ago
    assert studies.restore_samples() == []
    monkeypatch.undo()
    assert [study.id for study in store.studies()] == [sample.id]


def test_a_broken_sample_is_told_and_nothing_of_it_stored(store: MemoryStore, tmp_path: Path) -> None:
    broken = SAMPLE | {"outputs": [{"prompt": "nobody", "input": "i", "text": "x"}]}
    (tmp_path / "broken.json").write_text(json.dumps(broken), encoding="utf-8")
    with pytest.raises(BadFile, match="'nobody' is not the key of a prompt"):
        Studies(store, tmp_path).restore_samples()
    assert store.studies() == []


def test_the_grid_counts_what_can_be_shown(studies: Studies, store: MemoryStore) -> None:
    (sample,) = studies.restore_samples()
    a, b = store.prompts(sample.id)
    Inputs(store).add(sample.id, [InputRow({"x": "2"})])
    first, second = store.inputs(sample.id)

    def output(text: str, sample_number: int = 0, error: str = "") -> Output:
        return Output(OutputId(new_id()), sample.id, a.id, second.id, text, sample=sample_number, error=error)

    store.add(Batch(outputs=[output("", error="timed out"), output("fine", 1), output("better", 2)]))
    grid = studies.grid(sample.id)
    assert (grid.prompts, grid.inputs, grid.cells) == ((a, b), (first, second), 4)
    assert grid.usable == {(a.id, first.id): 1, (b.id, first.id): 1, (a.id, second.id): 2}
    assert grid.missing == [(b, second)]
    Prompts(store).retire(sample.id, b.id)
    assert studies.grid(sample.id).missing == []


def test_an_unknown_study_is_not_found(studies: Studies) -> None:
    with pytest.raises(NotFound):
        studies.edit(StudyId("nobody"), name="x")


def test_seeds_differ(studies: Studies) -> None:
    made: list[Study] = [studies.create(f"Study {i}") for i in range(5)]
    assert len({study.seed for study in made}) == 5

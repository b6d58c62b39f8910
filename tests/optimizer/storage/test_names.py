"""Names of prompts are unique in a study, whoever is quicker; on each registered store."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from optimizer.domain import Batch, Origin, Prompt, PromptId, Study, StudyId
from optimizer.errors import Conflict
from optimizer.prompts import Prompts
from optimizer.storage.base import Store
from tests.optimizer.storage.world import NOW

S = StudyId("s")


def prompt(id: str, name: str, study: StudyId = S, **kept: object) -> Prompt:
    return Prompt(PromptId(id), study, name, "Answer.", created_at=NOW, **kept)


@pytest.fixture
def full(store: Store) -> Store:
    store.add(Batch(prompts=[prompt("terse", "Terse")]))
    return store


def test_a_name_that_is_taken_is_refused(full: Store) -> None:
    before = full.prompts(S)
    for name, origin in (
        ("Terse", Origin.WRITTEN),
        ("TERSE", Origin.IMPORTED),
        (" terse\t", Origin.PROPOSED),
    ):
        with pytest.raises(
            Conflict, match=r"There is a prompt named 'Terse' already\. Choose another name\."
        ):
            full.add(Batch(prompts=[prompt("free", "Curt"), prompt("second", name, origin=origin)]))
    assert full.prompts(S) == before


def test_a_retired_prompt_keeps_its_name(full: Store) -> None:
    full.replace(prompt("terse", "Terse", retired_at=NOW))
    with pytest.raises(Conflict, match="it is retired"):
        full.add(Batch(prompts=[prompt("second", "terse")]))


def test_one_batch_cannot_bring_a_name_twice(full: Store) -> None:
    with pytest.raises(Conflict, match="named 'Curt'"):
        full.add(Batch(prompts=[prompt("one", "Curt"), prompt("other", "curt")]))


def test_renaming_minds_the_others_and_not_itself(full: Store) -> None:
    full.add(Batch(prompts=[prompt("curt", "Curt")]))
    with pytest.raises(Conflict, match="named 'Terse'"):
        full.replace(prompt("curt", "terse"))
    full.replace(prompt("curt", "CURT"))
    assert [p.name for p in full.prompts(S)][-2:] == ["Terse", "CURT"]


def test_other_studies_may_have_the_name_and_one_that_comes_whole_is_taken_as_it_is(full: Store) -> None:
    """An archive of a study in which a name stood twice opens, and its prompts can be noted and retired."""
    other = StudyId("other")
    twice = [prompt("o1", "Terse", other), prompt("o2", "terse", other)]
    full.add(Batch([Study(other, "Other", created_at=NOW)], twice))
    full.replace(replace(twice[0], note="the first", retired_at=NOW))
    full.replace(replace(twice[1], name="Curt"))
    assert [p.name for p in full.prompts(other)] == ["Terse", "Curt"]


def test_of_two_windows_one_gets_the_name(full: Store) -> None:
    def write(number: int) -> str:
        try:
            return Prompts(full).write(S, ("Same", "same ")[number % 2], f"Text {number}.").name
        except Conflict as refused:
            return str(refused)

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(write, range(8)))
    made = [p for p in full.prompts(S) if p.name.casefold() == "same"]
    assert len(made) == 1
    assert sorted(said, key=len)[0] == made[0].name
    assert said.count(f"There is a prompt named '{made[0].name}' already. Choose another name.") == 7

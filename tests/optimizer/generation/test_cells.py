"""Which outputs are wanted, in which order, and what each asks."""

import pytest

from optimizer.domain import Batch, Input, InputId, Output, OutputId, PromptId, StudyId
from optimizer.errors import BadInput
from optimizer.generation.cells import Cell, Material, Order, conversation, missing
from optimizer.llm.base import Message, Role
from optimizer.storage.memory import MemoryStore

STUDY = StudyId("study")


def output(prompt: str, row: str, sample: int = 0, error: str = "") -> Output:
    return Output(
        OutputId(f"{prompt}{row}{sample}"), STUDY, PromptId(prompt), InputId(row), "text", sample, error=error
    )


def lacking(store: MemoryStore, **wanted: object) -> list[tuple[str, str, int]]:
    order = Order(STUDY, "fake", **wanted)  # type: ignore[arg-type]
    return [tuple(cell) for cell in missing(store, order, Material(store, STUDY))]


def row(**variables: str) -> Input:
    return Input(InputId("i"), STUDY, variables)


def test_a_template_with_variables_is_the_question() -> None:
    assert conversation("Say {{a}} to {{b}}", row(a="hi", b="Ann", c="?")) == (
        Message(Role.USER, "Say hi to Ann"),
    )


def test_a_template_without_variables_instructs_and_the_input_asks() -> None:
    assert conversation("Be kind.", row(question="Why?")) == (
        Message(Role.SYSTEM, "Be kind."),
        Message(Role.USER, "Why?"),
    )
    assert conversation("Be kind.", row(a="1", b="2"))[1].content == "a: 1\nb: 2"


def test_inputs_are_completed_one_by_one_and_samples_after_that(store: MemoryStore) -> None:
    cells = lacking(store, samples=2)
    assert len(cells) == 40
    assert cells[:5] == [("p0", "i0", 0), ("p1", "i0", 0), ("p2", "i0", 0), ("p3", "i0", 0), ("p0", "i1", 0)]
    assert {sample for _, _, sample in cells[:20]} == {0}


def test_what_is_there_is_not_wanted_again(store: MemoryStore) -> None:
    store.add(Batch(outputs=[output("p0", "i0"), output("p1", "i0", error="held back")]))
    cells = lacking(store, inputs=(InputId("i0"),))
    assert cells == [("p2", "i0", 0), ("p3", "i0", 0)]


def test_a_retry_asks_for_further_samples_of_what_was_held_back(store: MemoryStore) -> None:
    store.add(
        Batch(outputs=[output("p0", "i0", 0, "held"), output("p0", "i0", 1), output("p1", "i0", 0, "held")])
    )
    wanted = {"prompts": (PromptId("p0"), PromptId("p1")), "inputs": (InputId("i0"),), "retry": True}
    assert lacking(store, **wanted) == [("p1", "i0", 1)]  # of the other one there is one to show
    assert lacking(store, samples=2, **wanted) == [("p0", "i0", 2), ("p1", "i0", 2), ("p1", "i0", 1)]


def test_named_cells_come_in_the_order_given_each_once(store: MemoryStore) -> None:
    wanted = tuple(Cell(PromptId(p), InputId(i)) for p, i in (("p3", "i4"), ("p0", "i0"), ("p3", "i4")))
    assert lacking(store, cells=wanted) == [("p3", "i4", 0), ("p0", "i0", 0)]


@pytest.mark.parametrize("samples", [0, 101])
def test_a_senseless_number_of_samples_is_refused(store: MemoryStore, samples: int) -> None:
    with pytest.raises(BadInput, match="1 to 100"):
        lacking(store, samples=samples)

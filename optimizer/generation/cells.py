"""A cell is one prompt on one input, repeat by repeat: which cells are wanted, and what each asks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from optimizer.domain import Input, InputId, Prompt, PromptId, StudyId
from optimizer.errors import BadInput, NotFound
from optimizer.llm.base import Message, Request, Role
from optimizer.llm.budget import NO_LIMIT, Budget
from optimizer.storage.base import Store
from optimizer.templates import render, variables_of

MOST_SAMPLES = 100
Id = TypeVar("Id", bound=str)


class Cell(NamedTuple):
    """One output to be: ``sample`` counts repeats from 0."""

    prompt: PromptId
    input: InputId
    sample: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """What to generate, as plain data: it may be queued, and it never holds a key.

    Without ``cells`` it is the grid of the study's active prompts and inputs, or of those named.
    ``retry`` asks again, as further samples, where nothing that could be shown came back.
    ``accept_truncated`` lets answers that were cut off at max_tokens into duels. ``bulk`` sends all as one
    batch, where the server takes batches: often cheaper, and done within a day.
    """

    study: StudyId
    connection: str
    samples: int = 1
    prompts: tuple[PromptId, ...] | None = None
    inputs: tuple[InputId, ...] | None = None
    cells: tuple[Cell, ...] | None = None
    budget: Budget = NO_LIMIT
    retry: bool = False
    accept_truncated: bool = False
    bulk: bool = False


class Material:
    """The prompts and inputs of a study, by id. Their texts never change; new ones are found as they come."""

    def __init__(self, store: Store, study: StudyId) -> None:
        self._store = store
        self._study = study
        self.prompts: dict[PromptId, Prompt] = {}
        self.inputs: dict[InputId, Input] = {}
        self._read()

    def request(self, cell: Cell) -> Request:
        """What a cell asks the model. ``BadInput`` when the template does not fit the input."""
        if cell.prompt not in self.prompts or cell.input not in self.inputs:
            self._read()
        if cell.prompt not in self.prompts or cell.input not in self.inputs:
            raise NotFound("This prompt or input does not belong to the study.")
        prompt, row = self.prompts[cell.prompt], self.inputs[cell.input]
        return Request(conversation(prompt.text, row), sample=cell.sample)

    def _read(self) -> None:
        self.prompts = {prompt.id: prompt for prompt in self._store.prompts(self._study)}
        self.inputs = {row.id: row for row in self._store.inputs(self._study)}


def conversation(template: str, row: Input) -> tuple[Message, ...]:
    """A template with variables is the question; one without is the instruction, and the input asks."""
    if variables_of(template) or not row.variables:
        return (Message(Role.USER, render(template, row.variables)),)
    values = list(row.variables.items())
    told = values[0][1] if len(values) == 1 else "\n".join(f"{name}: {value}" for name, value in values)
    return Message(Role.SYSTEM, template), Message(Role.USER, told)


def missing(store: Store, order: Order, material: Material) -> list[Cell]:
    """The cells of an order that have no output yet, in the order in which duels profit most from them.

    All prompts on the first input, then on the next, and further samples only after that: every pair
    can be asked as soon as one input is complete.
    """
    if not 1 <= order.samples <= MOST_SAMPLES:
        raise BadInput(f"{order.samples} samples of each output: choose 1 to {MOST_SAMPLES}.")
    usable: dict[Cell, bool] = {}
    shown: Counter[tuple[PromptId, InputId]] = Counter()  # that can be, or will be asked for again
    following: dict[tuple[PromptId, InputId], int] = {}
    for key in store.output_index(order.study):
        usable[Cell(key.prompt, key.input, key.sample)] = key.usable
        place = key.prompt, key.input
        following[place] = max(following.get(place, 0), key.sample + 1)
        shown[place] += key.usable
    found = []
    for cell in dict.fromkeys(_wanted(order, material)):
        if cell not in usable:
            found.append(cell)
        elif order.retry and not usable[cell] and shown[cell.prompt, cell.input] < order.samples:
            place = cell.prompt, cell.input
            shown[place] += 1
            number = max(following[place], order.samples)
            following[place] = number + 1
            found.append(cell._replace(sample=number))
    return found


def _wanted(order: Order, material: Material) -> Iterable[Cell]:
    if order.cells is not None:
        return order.cells
    prompts = _chosen(order.prompts, [p.id for p in material.prompts.values() if p.retired_at is None])
    inputs = _chosen(order.inputs, [i.id for i in material.inputs.values() if i.retired_at is None])
    return (
        Cell(prompt, row, sample) for sample in range(order.samples) for row in inputs for prompt in prompts
    )


def _chosen(named: Sequence[Id] | None, active: Sequence[Id]) -> Sequence[Id]:
    return active if named is None else named

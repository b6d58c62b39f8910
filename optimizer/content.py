"""What can be asked of a study: its prompts and inputs in use, and which outputs are there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from optimizer.domain import Input, InputId, OutputId, Prompt, PromptId, StudyId
from optimizer.newcomers import ancestors_in_use, proposed
from optimizer.selectors.base import BoolArray, IntArray
from optimizer.selectors.inputs import in_turn
from optimizer.storage.base import OutputKey, Store


@dataclass(frozen=True, slots=True)
class Content:
    """What can be asked of a study at one content version: active arms, active inputs, the grid."""

    version: int
    prompts: tuple[Prompt, ...]
    arm: dict[PromptId, int]
    inputs: tuple[Input, ...]
    column: dict[InputId, int]
    samples: dict[tuple[int, int], tuple[OutputKey, ...]]  # (arm, column) -> usable outputs
    covered: BoolArray  # (arms, inputs): has an output that may be shown
    open: BoolArray  # (arms, inputs): has one, or nothing yet; not: all that came was held back
    playable: BoolArray  # (arms, arms): with what is there
    makeable: BoolArray  # (arms, arms): with what can be generated, too
    parents: IntArray  # (arms,) the nearest ancestor in use, -1 for none
    proposed: BoolArray  # (arms,) written by a proposer

    def holds(self, input: InputId, *prompts: PromptId) -> bool:
        """Are they all in use still?"""
        return input in self.column and all(prompt in self.arm for prompt in prompts)

    def makeable_on(self, input: InputId, *prompts: PromptId) -> bool:
        """Do all have an output there, or can get one? Not when one was held back, or retired."""
        return self.holds(input, *prompts) and all(
            self.open[self.arm[prompt], self.column[input]] for prompt in prompts
        )

    def key(self, prompt: PromptId, input: InputId, output: OutputId) -> OutputKey | None:
        """This output, if it may be shown; its prompt and its input must be in use."""
        there = self.samples.get((self.arm[prompt], self.column[input]), ())
        return next((key for key in there if key.id == output), None)

    def by_input(self, times: Mapping[InputId, int]) -> IntArray:
        """(inputs,) how often, 0 where nothing is said."""
        return np.array([times.get(row.id, 0) for row in self.inputs], dtype=np.int64)

    def in_turn(self, i: int, j: int, inputs: IntArray, asked: Mapping[InputId, int]) -> IntArray:
        """These inputs in the order in which two arms are to meet on them (``selectors/inputs.py``)."""
        there = self.covered[i, inputs].astype(int) + self.covered[j, inputs].astype(int)
        tags = [self.inputs[x].tags for x in inputs]
        order: IntArray = inputs[in_turn(self.by_input(asked)[inputs], tags, 2 - there)]
        return order

    def without(self, cells: Collection[tuple[PromptId, InputId]]) -> "Content":
        """The same, where no output will come on these cells."""
        if not cells:
            return self
        open = self.open.copy()
        for prompt, input in cells:
            if self.holds(input, prompt):
                cell = self.arm[prompt], self.column[input]
                open[cell] = self.covered[cell]
        return replace(self, open=open, makeable=_sharing(open))


def read_content(store: Store, study_id: StudyId, version: int) -> Content:
    """The content as it is now, said to be of this version."""
    everyone = store.prompts(study_id)
    prompts = tuple(p for p in everyone if p.retired_at is None)
    inputs = tuple(x for x in store.inputs(study_id) if x.retired_at is None)
    arm = {p.id: i for i, p in enumerate(prompts)}
    column = {x.id: c for c, x in enumerate(inputs)}
    samples: dict[tuple[int, int], tuple[OutputKey, ...]] = {}
    covered = np.zeros((len(prompts), len(inputs)), dtype=bool)
    tried = covered.copy()
    for key in store.output_index(study_id):
        if key.prompt in arm and key.input in column:
            cell = arm[key.prompt], column[key.input]
            tried[cell] = True
            if key.usable:
                samples[cell] = (*samples.get(cell, ()), key)
                covered[cell] = True
    open = covered | ~tried
    return Content(
        version,
        prompts,
        arm,
        inputs,
        column,
        samples,
        covered,
        open,
        _sharing(covered),
        _sharing(open),
        ancestors_in_use(everyone, arm),
        proposed(prompts, arm),
    )


def _sharing(grid: BoolArray) -> BoolArray:
    """(arms, arms) which two different arms have an input in common."""
    shared: BoolArray = grid.astype(np.int64) @ grid.T.astype(np.int64) > 0
    np.fill_diagonal(shared, False)
    return shared

"""Prompts, inputs and outputs on their way into a study: found there by name, key or variables, or made.

Shared by every format that brings outputs, so that all of them match, refuse and create alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches

from optimizer.checks import (
    KEY_NAMES,
    SCORE,
    check_variables,
    clean_name,
    clean_tags,
    fault_of_text,
    unfilled,
)
from optimizer.domain import (
    Batch,
    Input,
    InputId,
    Origin,
    Output,
    OutputId,
    Prompt,
    PromptId,
)
from optimizer.errors import BadInput
from optimizer.formats.base import MADE, Choices, Contents, Faults, Made, Preview, told
from optimizer.formats.fresh import fresh_ids
from optimizer.templates import variables_of

Cell = tuple[PromptId, InputId]


class Arrivals:
    """Gathers what one file brings to one study. Methods return None where a fault was noted."""

    def __init__(self, contents: Contents, choices: Choices, now: datetime, faults: Faults) -> None:
        self._study = contents.study
        self._choices = choices
        self._now = now
        self._ids, self._input_ids = fresh_ids(), fresh_ids()
        self._faults = faults
        self._prompts: dict[str, Prompt] = {}
        for prompt in contents.prompts:
            self._prompts[prompt.name.casefold()] = prompt
            self._prompts.setdefault(prompt.id, prompt)
        self._inputs = [row for row in contents.inputs if row.retired_at is None]
        self._retired_inputs = {row.id for row in contents.inputs if row.retired_at is not None}
        self._by_key: dict[str, list[Input]] = {}
        for row in self._inputs:
            self._index_key(row)
        self._by_names: dict[tuple[str, ...], dict[tuple[str, ...], list[Input]]] = {}
        self._samples: dict[Cell, dict[int, Output]] = {}
        for output in contents.outputs:
            self._samples.setdefault((output.prompt, output.input), {})[output.sample] = output
        self._came_from: dict[OutputId, str] = {}  # where in the file, for outputs that are new
        self._new_prompts: dict[PromptId, tuple[Prompt, str]] = {}
        self._new_inputs: list[Input] = []
        self._outputs: list[Output] = []
        self._blank = self._there = 0

    # -- finding or making ----------------------------------------------------------------------
    def prompt(self, raw_name: str, where: str, text: str = "") -> Prompt | None:
        """The prompt of this name (or id); ``text`` is checked against it, or used to make it."""
        known = self._prompts.get(raw_name.strip().casefold()) or self._prompts.get(raw_name.strip())
        if known is None:
            return self._make_prompt(raw_name, where, text)
        if known.retired_at is not None:
            self._faults.add(where, f"names '{known.name}', which is retired. Restore that prompt first")
            return None
        if text and _same_lines(text) != _same_lines(known.text):
            self._faults.add(where, f"gives the prompt '{known.name}' another text than it has")
            return None
        return known

    def input_by_key(self, key: str, variables: Mapping[str, str], tags: str, where: str) -> Input | None:
        """The input of this id, or with this value of a key variable; made if there are variables."""
        found = self._by_key.get(key.strip(), [])
        if len(found) > 1:
            self._faults.add(where, f"names the input '{key}', which {len(found)} inputs are called")
            return None
        if not found:
            if key.strip() in self._retired_inputs:
                self._faults.add(where, f"names the input '{key}', which is retired. Restore it first")
                return None
            if not any(value.strip() for value in variables.values()):
                self._faults.add(
                    where,
                    f"names the input '{key}', which this study does not have. Add its variables as "
                    "columns, or import the inputs first",
                )
                return None
            return self._make_input({KEY_NAMES[0]: key.strip(), **variables}, tags, where)
        for name, value in variables.items():
            if found[0].variables.get(name, value) != value:
                self._faults.add(where, f"says another '{name}' than the input '{key}' has")
                return None
        return found[0]

    def input_by_variables(self, variables: Mapping[str, str], tags: str, where: str) -> Input | None:
        """The one input that has these values among its variables."""
        found = self._having(variables)
        if len(found) > 1:
            self._faults.add(
                where, f"fits {len(found)} inputs of this study. Add a column input_id, or more variables"
            )
            return None
        return found[0] if found else self._make_input(variables, tags, where)

    def input_of_its_own(self, variables: Mapping[str, str], tags: str, where: str) -> Input | None:
        """The input that has these variables and no others."""
        same = next((row for row in self._having(variables) if len(row.variables) == len(variables)), None)
        return same or self._make_input(variables, tags, where)

    def output(
        self, prompt: Prompt, row: Input, text: str, where: str, sample: int | None = None, made: Made = MADE
    ) -> None:
        """An output, unless it is blank or there already; another text in its place is a fault."""
        if not text.strip():
            self._blank += 1
            return
        there = self._samples.setdefault((prompt.id, row.id), {})
        if sample is None:
            rivals = [one for one in there.values() if one.usable]
            twin = next((one for one in rivals if one.text == text), None)
            rival = twin or (rivals[0] if rivals else None)
            sample = max(there, default=-1) + 1
        else:
            rival = there.get(sample)
        if rival is None:
            self._add_output(prompt, row, text, sample, made, where)
        elif rival.text == text:
            self._there += 1
        else:
            came_from = self._came_from.get(rival.id, "")
            place = f"given in {came_from[:1].lower()}{came_from[1:]}" if came_from else "in the study"
            self._faults.add(
                where,
                f"brings another output of '{prompt.name}' on this input than the one {place}. Outputs are "
                "never replaced; if it is a repeat, number the repeats in a column 'sample' from 0",
            )

    def shown(self, prompt: Prompt, row: Input, text: str, where: str) -> Output:
        """The output that a vote made elsewhere was about: the one with this text, or a further sample.
        Without a text it stands for an output that the file does not hold, and is never shown again."""
        there = self._samples.setdefault((prompt.id, row.id), {})
        for output in there.values():
            if output.text == text:
                return output
        return self._add_output(prompt, row, text, max(there, default=-1) + 1, MADE, where)

    def _add_output(
        self, prompt: Prompt, row: Input, text: str, sample: int, made: Made, where: str
    ) -> Output:
        output = Output(
            OutputId(next(self._ids)),
            self._study.id,
            prompt.id,
            row.id,
            text,
            sample,
            made.model,
            settings={} if made.score is None else {SCORE: made.score},
            error="" if text.strip() else "The text is not in the file.",
            created_at=self._now,
        )
        fault = fault_of_text(text)
        if fault:
            self._faults.add(where, f"has an output that {fault}")
        self._samples[prompt.id, row.id][sample] = output
        self._came_from[output.id] = where
        self._outputs.append(output)
        return output

    # -- the result -----------------------------------------------------------------------------
    def preview(self, head: tuple[Mapping[str, str], ...], notes: tuple[str, ...] = ()) -> Preview:
        """Everything gathered, after a last check of templates against inputs."""
        self._check_templates()
        prompts = [prompt for prompt, _ in self._new_prompts.values()]
        batch = Batch(prompts=prompts, inputs=self._new_inputs, outputs=self._outputs)
        return Preview(batch, head, (*self._told(prompts), *notes), self._faults.sentences())

    def _told(self, prompts: Sequence[Prompt]) -> Iterator[str]:
        inputs, outputs = self._new_inputs, self._outputs
        if outputs or not (prompts or inputs):
            yield f"{told(len(outputs), 'new output')}."
        if prompts:
            names = ", ".join(f"'{prompt.name}'" for prompt in prompts[:12])
            yield f"{told(len(prompts), 'new prompt')}: {names}{', ...' if len(prompts) > 12 else ''}."
        nameless = sum(not prompt.text for prompt in prompts)
        if nameless:
            yield (
                f"{told(nameless, 'new prompt')} without a text (column 'prompt_text'): their outputs can be "
                "compared all the same."
            )
        if inputs:
            names = ", ".join(
                f"'{name}'" for name in dict.fromkeys(n for row in inputs for n in row.variables)
            )
            yield f"{told(len(inputs), 'new input')}, with the variables {names}."
        if len(inputs) == len(outputs) > 1:
            yield "No two outputs are on the same input. Are all of these columns variables of the input?"
        if self._blank:
            yield f"{told(self._blank, 'empty output')} left out."
        if self._there:
            yield f"{told(self._there, 'output')} left out: there already."

    def _check_templates(self) -> None:
        for prompt, where in self._new_prompts.values():
            if not variables_of(prompt.text):
                continue
            for row in self._inputs:
                lacking = unfilled([prompt], row.variables)
                if lacking:
                    self._faults.add(where, f"brings a prompt that an input cannot fill: it {lacking}")
                    break

    # -- making ---------------------------------------------------------------------------------
    def _make_prompt(self, raw_name: str, where: str, text: str) -> Prompt | None:
        if not self._choices.create:
            names = {prompt.name for prompt in self._prompts.values()}
            self._faults.add(
                where,
                f"names the prompt '{raw_name}', which this study does not have{_near(raw_name, names)}",
            )
            return None
        try:
            name = clean_name("prompt", raw_name)
        except BadInput as error:
            self._faults.add_error(where, error)
            return None
        prompt = Prompt(
            PromptId(next(self._ids)),
            self._study.id,
            name,
            text,
            origin=Origin.IMPORTED,
            created_at=self._now,
        )
        self._prompts[name.casefold()] = prompt
        self._new_prompts[prompt.id] = prompt, where
        return prompt

    def _make_input(self, variables: Mapping[str, str], tags: str, where: str) -> Input | None:
        if not self._choices.create:
            self._faults.add(where, "has variables that no input of this study has")
            return None
        try:
            row = Input(
                InputId(next(self._input_ids)),
                self._study.id,
                check_variables(variables),
                clean_tags(tags),
                self._now,
            )
        except BadInput as error:
            self._faults.add_error(where, error)
            return None
        lacking = unfilled(list(self._prompts.values()), variables)
        if lacking:
            self._faults.add(where, f"{lacking}. Add that column, or import under input_id")
            return None
        self._inputs.append(row)
        self._new_inputs.append(row)
        self._index_key(row)
        for names in self._by_names:
            self._index_names(row, names)
        return row

    def _having(self, variables: Mapping[str, str]) -> list[Input]:
        """The inputs that have these values among their variables; each set of names is indexed once."""
        names = tuple(sorted(variables))
        if names not in self._by_names:
            self._by_names[names] = {}
            for row in self._inputs:
                self._index_names(row, names)
        return self._by_names[names].get(tuple(variables[name] for name in names), [])

    def _index_key(self, row: Input) -> None:
        keys = {row.id, *(row.variables[name] for name in KEY_NAMES if row.variables.get(name))}
        for key in keys:
            self._by_key.setdefault(key, []).append(row)

    def _index_names(self, row: Input, names: tuple[str, ...]) -> None:
        if all(name in row.variables for name in names):
            values = tuple(row.variables[name] for name in names)
            self._by_names[names].setdefault(values, []).append(row)


def _same_lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _near(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""

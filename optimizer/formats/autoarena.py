"""AutoArena's responses: one CSV per model, with the columns prompt and response; out as a zip of them."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath
from typing import ClassVar

from optimizer.checks import free_name
from optimizer.formats.arrivals import Arrivals
from optimizer.formats.base import HEAD, Choices, Contents, Extract, Faults, Preview, Upload
from optimizer.formats.packing import Sink, packed
from optimizer.formats.shared_input import input_text
from optimizer.formats.tables import read_table
from optimizer.formats.writing import csv_lines

COLUMNS = ("prompt", "response")


class AutoArena:
    """Import of one model's file into a study, export of all."""

    name: ClassVar[str] = "autoarena"
    label: ClassVar[str] = "AutoArena responses (CSV)"
    about: ClassVar[str] = (
        "Columns 'prompt' (the question put to the model) and 'response'; the name of the file names what "
        "competes."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("csv",)
    makes_study: ClassVar[bool] = False
    suffix: ClassVar[str] = "zip"
    mime: ClassVar[str] = "application/zip"
    whole: ClassVar[bool] = True
    loses: ClassVar[str] = "One file per prompt with its outputs; no texts of prompts, no tags, no votes."

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """Their prompt is our input: it is matched with the study's one variable, or becomes 'question'."""
        faults = Faults()
        table = read_table(upload, COLUMNS, faults)
        for column in COLUMNS:
            if column not in table.columns:
                faults.add_sentence(
                    f"There is no column '{column}'. The header is: {', '.join(table.columns)}."
                )
        arrivals = Arrivals(contents, choices, now, faults)
        if faults:
            return arrivals.preview(())
        names = {name for row in contents.inputs if row.retired_at is None for name in row.variables}
        variable = names.pop() if len(names) == 1 else "question"
        prompt = arrivals.prompt(PurePath(upload.name).stem, "The file")
        for row in table.rows:
            found = arrivals.input_by_variables({variable: row.cells["prompt"]}, "", row.where)
            if prompt is not None and found is not None:
                arrivals.output(prompt, found, row.cells["response"], row.where)
        return arrivals.preview(tuple(row.cells for row in table.rows[:HEAD]))

    def write(self, extract: Extract) -> Iterator[bytes]:
        contents = extract.contents
        inputs = {row.id: input_text(row) for row in contents.inputs if row.retired_at is None}
        taken: list[str] = []
        sink = Sink()
        with packed(sink) as archive:
            for prompt in contents.prompts:
                if prompt.retired_at is not None:
                    continue
                name = free_name(re.sub(r"[^\w .-]", "_", prompt.name), taken)
                taken.append(name)
                rows = [
                    (inputs[output.input], output.text)
                    for output in contents.outputs
                    if output.prompt == prompt.id and output.usable and output.input in inputs
                ]
                archive.add(f"{name}.csv", (piece.encode() for piece in csv_lines(COLUMNS, rows)))
                yield sink.taken()
        yield sink.taken()

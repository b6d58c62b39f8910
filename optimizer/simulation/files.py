"""Preferences from files: a matrix (JSON with key "P", or CSV) and measured prompt accuracies."""

import csv
import gzip
import io
import json
import math
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import BadInput
from optimizer.simulation.worlds import differ

FloatArray = NDArray[np.float64]
Rows = list[list[Any]]
Tables = dict[str, tuple[list[str], Rows]]  # of each task: its models, and by prompt their accuracies

A_MATRIX = "a matrix of numbers (JSON with a key 'P', or CSV)"
TASKS = "a list of tasks with models, prompts and accuracy"


def read_matrix(path: Path) -> FloatArray:
    """P (k, k) with P + P' = 1. A CSV holds numbers only; raises ``BadInput`` on anything else."""
    rows = _csv_rows(path) if path.suffix.lower() == ".csv" else _json_rows(path)
    if len(rows) < 2:
        raise BadInput(f"{path} must hold a square matrix of two arms or more.")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows):
            columns = "1 column" if len(row) == 1 else f"{len(row)} columns"
            raise BadInput(
                f"{path} must hold a square matrix: row {number} has {columns}, but there are "
                f"{len(rows)} rows."
            )
    preference = np.array(
        [
            [
                _share(cell, f"{path}: row {i}, column {j}", "which is no probability (a number from 0 to 1)")
                for j, cell in enumerate(row, 1)
            ]
            for i, row in enumerate(rows, 1)
        ]
    )
    uneven = np.abs(preference + preference.T - 1.0)
    np.fill_diagonal(uneven, 0.0)
    if uneven.max() > 0.01:
        i, j = divmod(int(uneven.argmax()), len(preference))
        raise BadInput(
            f"{path}: row {i + 1}, column {j + 1} is {preference[i, j]:g} and row {j + 1}, column {i + 1} is "
            f"{preference[j, i]:g}, but the two must add up to 1."
        )
    upper = np.triu(preference, 1)
    preference = upper + np.tril(1.0 - upper.T, -1)
    np.fill_diagonal(preference, 0.5)
    return preference


def read_accuracies(path: Path, task: str, model: str) -> FloatArray:
    """Accuracies (k,) of the prompts of one task under one model; raises ``BadInput``.

    The file lists {"task", "models", "prompts", "accuracy" (prompts x models)}, gzipped or not.
    """
    tables = _tables(path)
    if not tables:
        raise BadInput(f"{path} has no tasks at all.")
    if task not in tables:
        raise BadInput(f"{path} has no task '{task}'. It has: {', '.join(tables)}.")
    models, _ = tables[task]
    if not models:
        raise BadInput(f"{path}: the task '{task}' has no models at all.")
    if model not in models:
        raise BadInput(f"{path}: the task '{task}' has no model '{model}'. It has: {', '.join(models)}.")
    return _accuracies(path, tables, task, model)


def list_accuracies(path: Path) -> list[tuple[str, str]]:
    """Every (task, model) of the file that ``read_accuracies`` takes."""
    tables = _tables(path)
    found = []
    for task, (models, _) in tables.items():
        for model in models:
            with suppress(BadInput):
                _accuracies(path, tables, task, model)
                found.append((task, model))
    return found


def _accuracies(path: Path, tables: Tables, task: str, model: str) -> FloatArray:
    models, rows = tables[task]
    column, whose = models.index(model), f"of '{task}' with '{model}'"
    accuracy = np.array(
        [
            _share(row[column], f"{path}: row {number} {whose}", "but accuracies are shares from 0 to 1")
            for number, row in enumerate(rows, 1)
        ]
    )
    if not differ(accuracy):
        raise BadInput(f"{path}: all prompts {whose} have the same accuracy; nothing can be found.")
    return accuracy


def _tables(path: Path) -> Tables:
    raw = _content(path)
    if path.suffix.lower() == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise BadInput(
                f"{path} cannot be unpacked: {error}; fetch it again, or take .gz from its name if it is not "
                "compressed."
            ) from error
    entries = _json(path, raw, TASKS)
    if not isinstance(entries, list):
        raise BadInput(f"{path} is not {TASKS}, but {_told(entries)}.")
    tables: Tables = {}
    for number, entry in enumerate(entries, 1):
        match entry:
            case {"task": str(task), "models": list(models), "accuracy": list(rows)} if all(
                isinstance(model, str) for model in models
            ):
                tables[task] = models, rows
            case _:
                raise BadInput(
                    f"{path} is not {TASKS}: entry {number} needs 'task' (a text), 'models' (a list of "
                    "texts) and 'accuracy' (a list of lists of numbers)."
                )
        for line, row in enumerate(rows, 1):
            if not isinstance(row, list) or len(row) != len(models):
                raise BadInput(
                    f"{path}: row {line} of the accuracy of '{task}' must be a list of {len(models)}, "
                    f"a number for each of its models, but is {_told(row)}."
                )
    return tables


def _json_rows(path: Path) -> Rows:
    match _json(path, _content(path), A_MATRIX):
        case {"P": list(rows)}:
            pass
        case _:
            raise BadInput(f"{path} is not {A_MATRIX}: it has no key 'P' with a list of rows.")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list):
            raise BadInput(f"{path} is not {A_MATRIX}: row {number} is {_told(row)}, not a list.")
    return rows


def _csv_rows(path: Path) -> Rows:
    try:
        text = _content(path).decode("utf-8-sig")
        return [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except (ValueError, csv.Error) as error:
        raise BadInput(f"{path} is not {A_MATRIX}: {error}.") from error


def _json(path: Path, raw: bytes, what: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise BadInput(f"{path} is not {what}: {error}.") from error
    except RecursionError as error:
        raise BadInput(f"{path} is not {what}: it is nested too deeply to be read.") from error


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder; name a file.")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error


def _share(value: Any, where: str, otherwise: str) -> float:
    """The number from 0 to 1 that ``value`` is, or ``BadInput``."""
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        number = math.nan
    if not 0.0 <= number <= 1.0:  # neither is NaN
        raise BadInput(f"{where} is {_told(value)}, {otherwise}.")
    return number


def _told(value: Any) -> str:
    """A value of the file, for a sentence."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}..."

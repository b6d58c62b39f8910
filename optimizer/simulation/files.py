"""Preferences from files: a matrix (JSON with key "P", or CSV) and measured prompt accuracies."""

import csv
import gzip
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import BadInput

FloatArray = NDArray[np.float64]


def read_matrix(path: Path) -> FloatArray:
    """P (k, k) with P + P' = 1. A CSV holds numbers only; raises ``BadInput`` on anything else."""
    try:
        if path.suffix == ".csv":
            with path.open(newline="") as file:
                rows = [[float(cell) for cell in row] for row in csv.reader(file) if row]
        else:
            rows = json.loads(path.read_text())["P"]
        preference = np.array(rows, dtype=np.float64)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} is not a matrix of numbers (JSON with a key 'P', or CSV): {error}."
        ) from error
    if preference.ndim != 2 or preference.shape[0] != preference.shape[1] or len(preference) < 2:
        raise BadInput(f"{path} must hold a square matrix of two arms or more, not {preference.shape}.")
    if not np.isfinite(preference).all() or (preference < 0).any() or (preference > 1).any():
        raise BadInput(f"{path} holds a number that is no probability.")
    uneven = np.abs(preference + preference.T - 1.0)
    np.fill_diagonal(uneven, 0.0)
    if uneven.max() > 0.01:
        i, j = divmod(int(uneven.argmax()), len(preference))
        raise BadInput(
            f"{path}: P[{i}][{j}] = {preference[i, j]:g} and P[{j}][{i}] = {preference[j, i]:g} "
            "must add up to 1."
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
    if task not in tables:
        raise BadInput(f"{path} has no task '{task}'. It has: {', '.join(tables)}.")
    models, accuracy = tables[task]
    if model not in models:
        raise BadInput(f"The task '{task}' has no model '{model}'. It has: {', '.join(models)}.")
    column = accuracy[:, models.index(model)]
    if len(column) < 2 or column.std() == 0.0:
        raise BadInput(
            f"All prompts of '{task}' have the same accuracy with '{model}'; nothing can be found."
        )
    return column


def list_accuracies(path: Path) -> list[tuple[str, str]]:
    """Every (task, model) of the file whose prompts differ in accuracy."""
    return [
        (task, model)
        for task, (models, accuracy) in _tables(path).items()
        for column, model in enumerate(models)
        if accuracy[:, column].std() > 0.0
    ]


def _tables(path: Path) -> dict[str, tuple[list[str], FloatArray]]:
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return {
            entry["task"]: (list(entry["models"]), np.array(entry["accuracy"], dtype=np.float64))
            for entry in json.loads(raw)
        }
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} is not a list of tasks with models, prompts and accuracy: {error}."
        ) from error

"""How far repeats differ, on numbers that can be done by hand."""

import numpy as np
import pytest

from optimizer.domain import InputId, Output, OutputId, PromptId, StudyId
from optimizer.generation.stability import length_spread, mean_distance, stability
from optimizer.llm.hashed import HashedEmbedder


def outputs(*texts: tuple[str, str]) -> list[Output]:
    return [
        Output(OutputId(str(n)), StudyId("s"), PromptId("p"), InputId(row), text, n)
        for n, (row, text) in enumerate(texts)
    ]


def test_worked_distances() -> None:
    same = np.array([[1.0, 0.0], [1.0, 0.0]])
    apart = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])  # cosines 0, -1, 0: mean -1/3
    assert mean_distance(same) == pytest.approx(0.0)
    assert mean_distance(apart) == pytest.approx(4 / 3)
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(6, 9))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = [1 - rows[i] @ rows[j] for i in range(6) for j in range(i)]
    assert mean_distance(rows) == pytest.approx(float(np.mean(pairs)))


def test_worked_length_spread() -> None:
    assert length_spread([10, 10, 10]) == 0.0
    assert length_spread([8, 12]) == pytest.approx(np.sqrt(8) / 10)


def test_only_inputs_with_repeats_count() -> None:
    figure = stability(
        outputs(("a", "one two three"), ("a", "one two three"), ("b", "alone"), ("c", "red"), ("c", "blue")),
        HashedEmbedder(),
    )
    assert figure is not None
    assert (figure.inputs, figure.outputs) == (2, 4)
    assert 0.2 < figure.distance <= 0.75  # the mean of nothing and nearly everything
    assert stability(outputs(("a", "x"), ("b", "y"), ("a", "  ")), HashedEmbedder()) is None

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from optimizer.errors import BadInput
from optimizer.simulation.files import list_accuracies, read_accuracies, read_matrix


def test_a_matrix_from_json_and_from_csv(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"name": "a", "P": [[0.5, 0.7], [0.3, 0.5]]}')
    (tmp_path / "a.csv").write_text("0.5,0.7\n0.3,0.5\n")
    for name in ("a.json", "a.csv"):
        assert read_matrix(tmp_path / name) == pytest.approx(np.array([[0.5, 0.7], [0.3, 0.5]]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"Q": []}', "not a matrix of numbers"),
        ("nonsense", "not a matrix of numbers"),
        ('{"P": [[0.5, 0.7, 0.1], [0.3, 0.5, 0.2]]}', "square matrix"),
        ('{"P": [[0.5, 1.7], [-0.7, 0.5]]}', "no probability"),
        ('{"P": [[0.5, 0.7], [0.6, 0.5]]}', "must add up to 1"),
    ],
)
def test_a_wrong_matrix_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_matrix(tmp_path / "m.json")


def test_a_missing_matrix_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_matrix(tmp_path / "none.json")


TABLE = [{"task": "t", "models": ["m", "flat"], "prompts": ["a", "b"], "accuracy": [[0.2, 0.5], [0.9, 0.5]]}]


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_accuracies_of_a_task_and_model(tmp_path: Path, name: str) -> None:
    raw = json.dumps(TABLE).encode()
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    assert read_accuracies(tmp_path / name, "t", "m").tolist() == [0.2, 0.9]
    assert list_accuracies(tmp_path / name) == [("t", "m")]
    with pytest.raises(BadInput, match="has no task 'x'"):
        read_accuracies(tmp_path / name, "x", "m")
    with pytest.raises(BadInput, match="has no model 'x'"):
        read_accuracies(tmp_path / name, "t", "x")
    with pytest.raises(BadInput, match="same accuracy"):
        read_accuracies(tmp_path / name, "t", "flat")

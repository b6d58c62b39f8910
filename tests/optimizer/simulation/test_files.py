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
        ('{"P": 1}', "no key 'P' with a list of rows"),
        ('{"P": [0.5, 0.5]}', "row 1 is 0.5, not a list"),
        ('{"P": [[0.5]]}', "square matrix of two arms or more"),
        ("nonsense", "not a matrix of numbers"),
        ("[" * 100_000, "nested too deeply"),
        ('{"P": [[0.5, 0.7, 0.1], [0.3, 0.5, 0.2]]}', "square matrix"),
        ('{"P": [[0.5, 1.7], [-0.7, 0.5]]}', "row 1, column 2 is 1.7, which is no probability"),
        ('{"P": [[0.5, 0.7], [null, 0.5]]}', "row 2, column 1 is null, which is no probability"),
        ('{"P": [[0.5, 0.7], [[], 0.5]]}', "row 2, column 1 is a list of 0, which"),
        ('{"P": [[0.5, 0.7], [{}, 0.5]]}', "row 2, column 1 is an object, which"),
        ('{"P": [[0.5, 1%s], [0, 0.5]]}' % ("0" * 400), r"row 1, column 2 is 10+\.\.\., which is no prob"),
        (
            '{"P": [[0.5, 0.7], [0.6, 0.5]]}',
            "row 1, column 2 is 0.7 and row 2, column 1 is 0.6, but the two must add up to 1",
        ),
    ],
)
def test_a_wrong_matrix_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_matrix(tmp_path / "m.json")


@pytest.mark.parametrize("name", ["a.csv", "A.CSV"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_csv_may_be_named_in_capitals_and_start_with_a_mark(tmp_path: Path, name: str, mark: bytes) -> None:
    (tmp_path / name).write_bytes(mark + b"0.5,0.7\r\n0.3,0.5\r\n")
    assert read_matrix(tmp_path / name) == pytest.approx(np.array([[0.5, 0.7], [0.3, 0.5]]))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"0.5,0.7\n0.3,0.5,0.1\n", "row 2 has 3 columns, but there are 2 rows"),
        (b"0.5,0.7\n0.3\n", "row 2 has 1 column, but there are 2 rows"),
        (b"a,b\n0.5,0.7\n", 'row 1, column 1 is "a", which is no probability'),
        (b"0.5,0.7\n0.3,0.\xe4\n", "not a matrix of numbers"),
        (b"", "two arms or more"),
    ],
)
def test_a_wrong_csv_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "m.csv").write_bytes(data)
    with pytest.raises(BadInput, match=said):
        read_matrix(tmp_path / "m.csv")


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.json cannot be read"):
        read_matrix(tmp_path / "none.json")
    for name in ("folder.json", "folder.csv", "folder.json.gz"):
        (tmp_path / name).mkdir()
        with pytest.raises(BadInput, match=f"{name} is a folder"):
            read_accuracies(tmp_path / name, "t", "m")
        with pytest.raises(BadInput, match=f"{name} is a folder"):
            read_matrix(tmp_path / name)


TABLE = [{"task": "t", "models": ["m", "flat"], "prompts": ["a", "b"], "accuracy": [[0.2, 0.5], [0.9, 0.5]]}]


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "A.JSON.GZ"])
def test_accuracies_of_a_task_and_model(tmp_path: Path, name: str) -> None:
    raw = json.dumps(TABLE).encode()
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.lower().endswith("gz") else raw)
    assert read_accuracies(tmp_path / name, "t", "m").tolist() == [0.2, 0.9]
    assert list_accuracies(tmp_path / name) == [("t", "m")]
    with pytest.raises(BadInput, match="has no task 'x'"):
        read_accuracies(tmp_path / name, "x", "m")
    with pytest.raises(BadInput, match="has no model 'x'"):
        read_accuracies(tmp_path / name, "t", "x")
    with pytest.raises(BadInput, match="same accuracy"):
        read_accuracies(tmp_path / name, "t", "flat")


def accuracies_in(folder: Path, accuracy: object) -> Path:
    """A file of one task 't' under the models 'm' and 'n'."""
    path = folder / "a.json"
    path.write_text(json.dumps([{"task": "t", "models": ["m", "n"], "prompts": [], "accuracy": accuracy}]))
    return path


@pytest.mark.parametrize("wrong", [None, float("nan"), float("inf"), -0.1, 1.5, 50, "x", [], 10**400])
def test_an_accuracy_is_a_share(tmp_path: Path, wrong: object) -> None:
    path = accuracies_in(tmp_path, [[0.2, 0.5], [wrong, 0.6], [0.3, 0.4]])
    said = r"a\.json: row 2 of 't' with 'm' is .{1,43}, but accuracies are shares from 0 to 1"
    with pytest.raises(BadInput, match=said):
        read_accuracies(path, "t", "m")
    assert list_accuracies(path) == [("t", "n")]
    assert read_accuracies(path, "t", "n").tolist() == [0.5, 0.6, 0.4]


def test_accuracies_that_differ_by_rounding_alone_are_the_same(tmp_path: Path) -> None:
    # The standard deviation of three times 0.1 is not 0 either.
    path = accuracies_in(tmp_path, [[0.1, 0.3], [0.1, 0.3], [0.1, 0.1 + 0.2]])
    assert list_accuracies(path) == []
    for model in ("m", "n"):
        with pytest.raises(BadInput, match=f"all prompts of 't' with '{model}' have the same accuracy"):
            read_accuracies(path, "t", model)


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [
        ([0.2, 0.9], "row 1 of the accuracy of 't' must be a list of 2, .* but is 0.2"),
        ([[0.2, 0.9], [0.2]], "row 2 of the accuracy of 't' must be a list of 2, .* but is a list of 1"),
        ([[0.2, 0.9], [0.2, 0.3, 0.4]], "row 2 .* but is a list of 3"),
        ([], "have the same accuracy"),
        ([[0.2, 0.9]], "have the same accuracy"),
    ],
)
def test_accuracies_are_a_row_to_a_prompt_and_a_column_to_a_model(
    tmp_path: Path, accuracy: object, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        read_accuracies(accuracies_in(tmp_path, accuracy), "t", "n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "has no tasks"),
        ('[{"task": "t", "models": [], "accuracy": []}]', "'t' has no models"),
        ("{}", "not a list of tasks"),
        ("nonsense", "not a list of tasks"),
        ("[" * 100_000, "nested too deeply"),
        ("[7]", "entry 1 needs 'task'"),
        ('[{"task": "u", "models": ["m"], "accuracy": []}, {"task": 5}]', "entry 2 needs 'task'"),
        ('[{"task": "t", "models": [3], "accuracy": []}]', "entry 1 needs 'task'"),
    ],
)
def test_a_wrong_list_of_tasks_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_accuracies(tmp_path / "a.json", "t", "m")


def test_a_gzip_file_that_is_cut_short_or_damaged_is_told(tmp_path: Path) -> None:
    plain = json.dumps(TABLE).encode()
    whole = gzip.compress(plain)
    damaged = whole[:10] + b"\xff" * 20 + whole[30:]
    for data in (whole[:-12], whole[:5], damaged, whole[:-8] + bytes(8), plain):
        (tmp_path / "a.json.gz").write_bytes(data)
        with pytest.raises(BadInput, match=r"a\.json\.gz cannot be unpacked: .*; fetch it again"):
            read_accuracies(tmp_path / "a.json.gz", "t", "m")

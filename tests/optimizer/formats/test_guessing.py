import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.errors import BadFile
from optimizer.formats import EXPORTERS, IMPORTERS
from optimizer.formats.base import Extract, Upload
from optimizer.formats.guessing import SIGNS, guess

SAMPLES = Path(__file__).parents[3] / "data" / "samples"


@pytest.mark.parametrize("name", sorted(set(IMPORTERS) & set(EXPORTERS) - {"inputs", "autoarena"}))
def test_our_own_exports_are_recognised(name: str, extract: Extract) -> None:
    pieces: Iterator[str | bytes] = iter(EXPORTERS[name].write(extract))
    data = b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)
    assert guess(Upload(f"file.{EXPORTERS[name].suffix}", data)) == name


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("log.json", '[{"tstamp": 1.0, "type": "leftvote", "models": ["a", "b"]}]', "lmsys-battles"),
        ("train.csv", "id,model_a,model_b,prompt,winner_model_a\n", "lmsys-battles"),
        ("dpo.jsonl", json.dumps({"prompt": "", "chosen": "", "rejected": ""}), "preference-pairs"),
        ("ultra.jsonl", json.dumps({"instruction": "", "generations": []}), "preference-pairs"),
        ("results.json", '{"evalId": "e", "results": {"results": []}}', "promptfoo-results"),
        ("results.json", '[{"round": 1, "answers": [], "prompt": "x"}]', "spo-results"),
        ("samples.jsonl", '{"input": [], "ideal": "4"}', "openai-evals"),
        ("tests.csv", "topic,__expected\n", "promptfoo-tests"),
        ("tests.jsonl", '{"vars": {}}', "promptfoo-tests"),
        ("model.csv", "prompt,response\n1,2\n", "autoarena"),
        ("outputs.csv", "Prompt;question;OUTPUT\n1;2;3\n", "outputs-long"),
        ("outputs.csv", "promt,question,output\n1,2,3\n", "outputs-long"),  # whose fault is then named
        ("outputs.csv", "question,A,B\n1,2,3\n", "outputs-wide"),
        ("other.json", '{"x": 1}', "study-json"),
    ],
)
def test_files_of_other_tools_are_recognised(file: str, text: str, name: str) -> None:
    assert guess(Upload(file, text.encode())) == name


def test_our_archive_is_recognised_under_any_name(extract: Extract) -> None:
    pieces = iter(EXPORTERS["archive"].write(extract))
    data = b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)
    assert guess(Upload("monday.backup", data)) == "archive"


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf \n"])
@pytest.mark.parametrize("name", ["empty.json", "empty.csv", "empty.yaml"])
def test_an_empty_file_is_said_to_be_empty(name: str, data: bytes) -> None:
    with pytest.raises(BadFile, match=f"'{name}' is empty"):
        guess(Upload(name, data))


def test_the_samples_are_study_files() -> None:
    for path in SAMPLES.glob("*.json"):
        assert guess(Upload(path.name, path.read_bytes())) == "study-json"


def test_what_is_no_table_says_so() -> None:
    with pytest.raises(BadFile):
        guess(Upload("x.csv", b""))


def test_every_sign_names_a_format_that_is_there() -> None:
    assert {name for name, _, _ in SIGNS} <= set(IMPORTERS)

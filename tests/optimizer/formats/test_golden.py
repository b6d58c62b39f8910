"""Each export against a file that was written by hand from the format's description."""

from pathlib import Path

import pytest

from optimizer.formats import EXPORTERS
from optimizer.formats.base import Extract

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("format", "file"),
    [
        ("votes-csv", "votes.csv"),
        ("votes-jsonl", "votes.jsonl"),
        ("trl-preference", "trl-preference.jsonl"),
        ("trl-unpaired", "trl-unpaired.jsonl"),
        ("lmsys-battles", "lmsys-battles.jsonl"),
        ("outputs-long", "outputs.csv"),
        ("inputs", "inputs.csv"),
        ("openai-preference", "openai-preference.jsonl"),
        ("argilla-preference", "argilla-preference.jsonl"),
        ("alpaca-eval", "alpaca-eval.json"),
        ("mt-bench", "mt-bench.jsonl"),
        ("llm-comparator", "llm-comparator.json"),
        ("label-studio", "label-studio.json"),
        ("promptfoo", "promptfoo.yaml"),
        ("promptfoo-winner", "promptfoo-winner.yaml"),
        ("spo", "spo.yaml"),
    ],
)
def test_the_export_equals_the_golden_file(format: str, file: str, extract: Extract) -> None:
    written = "".join(EXPORTERS[format].write(extract)).encode()
    assert written.decode() == (GOLDEN / file).read_bytes().decode()


def test_the_winner_is_its_text_alone(extract: Extract) -> None:
    assert "".join(EXPORTERS["winner"].write(extract)) == "Answer {{question}} in a word."

"""Each export against a file that was written by hand from the format's description."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from optimizer.domain import Study, StudyId
from optimizer.formats import EXPORTERS, IMPORTERS
from optimizer.formats.base import Choices, Contents, Extract, Upload
from tests.optimizer.reports.report_world import NOW

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


def whole(extract: Extract) -> Extract:
    """The same with the duels of its votes, as an archive wants them."""
    return replace(extract, duels=[ballot.duel for ballot in extract.ballots])


def test_an_archive_holds_the_golden_files(extract: Extract) -> None:
    with ZipFile(BytesIO(b"".join(EXPORTERS["archive"].write(whole(extract))))) as archive:
        written = {name: archive.read(name).decode() for name in archive.namelist()}
    golden = {path.name: path.read_bytes().decode() for path in (GOLDEN / "archive").iterdir()}
    assert written.keys() == golden.keys()
    for name in golden.keys() - {"studies.jsonl", "manifest.json"}:
        assert written[name] == golden[name], name
    study, known = json.loads(written["studies.jsonl"]), json.loads(golden["studies.jsonl"])
    assert study["settings"].items() >= known.pop("settings").items()  # later versions may know more of them
    assert study.items() >= known.items()
    rows = [
        [(file["name"], file["rows"]) for file in json.loads(one["manifest.json"])["files"]]
        for one in (written, golden)
    ]
    assert rows[0] == rows[1]


def test_the_golden_archive_is_read_as_what_it_was_made_of(extract: Extract) -> None:
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for path in sorted((GOLDEN / "archive").iterdir()):
            archive.writestr(path.name, path.read_bytes())
    empty = Contents(Study(StudyId("other"), "Other"))
    batch = IMPORTERS["archive"].read(Upload("a.zip", packed.getvalue()), empty, Choices(), NOW).checked()
    contents = extract.contents
    assert batch.studies == [contents.study]
    assert (tuple(batch.prompts), tuple(batch.inputs)) == (contents.prompts, contents.inputs)
    assert tuple(batch.outputs) == contents.outputs
    assert batch.votes == [ballot.vote for ballot in extract.ballots]
    assert batch.duels == [ballot.duel for ballot in extract.ballots]
    assert json.loads((GOLDEN / "archive/manifest.json").read_text())["version"] == 1

"""What every registered format promises."""

import inspect
import json
from dataclasses import replace

import pytest

from optimizer.config import ROOT
from optimizer.domain import Study, StudyId, utc_now
from optimizer.errors import BadFile, NotFound
from optimizer.formats import EXPORTERS, IMPORTERS
from optimizer.formats.base import Choices, Contents, Exporter, Extract, Importer, Upload

EMPTY = Contents(Study(StudyId("study"), "Small"))
GARBAGE = [
    b"",
    b"\xff\xfe\x00",
    b"PK\x03\x04",
    b"caf\xe9",
    b"[",
    b"{}",
    b"\0\0\0",
    b"a,a\n1,2\n",
    b'{"a":' * 5000,
]


@pytest.mark.parametrize("name", IMPORTERS)
def test_an_importer_describes_itself(name: str) -> None:
    importer = IMPORTERS[name]
    assert importer.name == name
    assert importer.about.endswith(".")
    assert importer.suffixes
    assert not any(suffix.startswith(".") for suffix in importer.suffixes)


@pytest.mark.parametrize("name", EXPORTERS)
def test_an_exporter_describes_itself_and_what_it_loses(name: str) -> None:
    exporter = EXPORTERS[name]
    assert exporter.name == name
    assert exporter.loses.endswith(".")
    assert "/" in exporter.mime
    assert not exporter.suffix.startswith(".")


@pytest.mark.parametrize("data", GARBAGE)
@pytest.mark.parametrize("name", IMPORTERS)
def test_a_file_of_another_kind_is_refused_with_a_sentence(name: str, data: bytes) -> None:
    for suffix in IMPORTERS[name].suffixes:
        upload = Upload(f"file.{suffix}", data)
        try:
            faults = IMPORTERS[name].read(upload, EMPTY, Choices(), utc_now()).faults
        except BadFile as error:
            faults = error.faults
        assert faults
        assert all(fault.endswith(".") for fault in faults)


@pytest.mark.parametrize("name", EXPORTERS)
def test_an_export_is_in_its_format_even_of_an_empty_study(name: str, extract: Extract) -> None:
    for source in (extract, Extract(EMPTY)):
        try:
            pieces = list(EXPORTERS[name].write(source))
        except NotFound:
            assert source.winner is None
            assert name in ("winner", "promptfoo-winner", "llm-comparator")
            continue
        data = b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)
        if EXPORTERS[name].suffix == "jsonl":
            assert all(isinstance(json.loads(line), dict) for line in data.splitlines())


@pytest.mark.parametrize("name", EXPORTERS)
def test_an_export_of_many_votes_comes_in_pieces(name: str, extract: Extract) -> None:
    many = replace(extract, ballots=list(extract.ballots) * 100)
    pieces = EXPORTERS[name].write(many)
    assert iter(pieces) is pieces
    if name in ("votes-csv", "votes-jsonl", "trl-preference", "trl-unpaired", "lmsys-battles"):
        assert len(list(pieces)) > 1


@pytest.mark.parametrize("format", [*IMPORTERS.values(), *EXPORTERS.values()], ids=lambda format: format.name)
def test_formats_keep_nothing_between_files(format: Importer | Exporter) -> None:
    assert vars(format) == {}
    assert not inspect.isabstract(type(format))


def test_every_format_is_described_for_users() -> None:
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    for name in (*IMPORTERS, *EXPORTERS):
        assert f"`{name}`" in text

"""Files in and out. A new format is one file and one line here."""

from optimizer.formats.archive import Archive
from optimizer.formats.base import Choices, Contents, Exporter, Extract, Importer, Preview, Upload
from optimizer.formats.inputs import InputsTable
from optimizer.formats.lmsys import LmsysBattles
from optimizer.formats.outputs_long import OutputsLong
from optimizer.formats.outputs_wide import OutputsWide
from optimizer.formats.study_json import StudyJson
from optimizer.formats.trl import TrlPreference, TrlUnpaired
from optimizer.formats.votes import VotesCsv, VotesJsonl
from optimizer.formats.winner import WinnerText

__all__ = ["EXPORTERS", "IMPORTERS", "Choices", "Contents", "Extract", "Preview", "Upload"]

IMPORTERS: dict[str, Importer] = {
    "study-json": StudyJson(),
    "archive": Archive(),
    "lmsys-battles": LmsysBattles(),
    "inputs": InputsTable(),
    "outputs-long": OutputsLong(),
    "outputs-wide": OutputsWide(),
}

EXPORTERS: dict[str, Exporter] = {
    "votes-csv": VotesCsv(),
    "votes-jsonl": VotesJsonl(),
    "winner": WinnerText(),
    "trl-preference": TrlPreference(),
    "trl-unpaired": TrlUnpaired(),
    "lmsys-battles": LmsysBattles(),
    "archive": Archive(),
    "study-json": StudyJson(),
    "inputs": InputsTable(),
    "outputs-long": OutputsLong(),
}

"""Files in and out. A new format is one file and one line here."""

from optimizer.formats.alpaca_eval import AlpacaEval
from optimizer.formats.archive import Archive
from optimizer.formats.autoarena import AutoArena
from optimizer.formats.base import Choices, Contents, Exporter, Extract, Importer, Preview, Upload
from optimizer.formats.cases import OpenAiEvals, PromptfooTests
from optimizer.formats.inputs import InputsTable
from optimizer.formats.label_studio import LabelStudio
from optimizer.formats.llm_comparator import LlmComparator
from optimizer.formats.lmsys import LmsysBattles
from optimizer.formats.mt_bench import MtBench
from optimizer.formats.outputs_long import OutputsLong
from optimizer.formats.outputs_wide import OutputsWide
from optimizer.formats.preference import ArgillaPreference, OpenAiPreference, PreferencePairs
from optimizer.formats.promptfoo import Promptfoo
from optimizer.formats.promptfoo_results import PromptfooResults
from optimizer.formats.regression import WinnerTest
from optimizer.formats.spo import SpoResults, SpoTemplate
from optimizer.formats.study_json import StudyJson
from optimizer.formats.trl import TrlPreference, TrlUnpaired
from optimizer.formats.votes import VotesCsv, VotesJsonl
from optimizer.formats.winner import WinnerText

__all__ = ["EXPORTERS", "IMPORTERS", "Choices", "Contents", "Extract", "Preview", "Upload"]

# In the order in which a screen offers them.
IMPORTERS: dict[str, Importer] = {
    importer.name: importer
    for importer in (
        StudyJson(),
        Archive(),
        InputsTable(),
        OutputsLong(),
        OutputsWide(),
        LmsysBattles(),
        PreferencePairs(),
        AlpacaEval(),
        MtBench(),
        LabelStudio(),
        Promptfoo(),
        PromptfooResults(),
        PromptfooTests(),
        OpenAiEvals(),
        AutoArena(),
        SpoTemplate(),
        SpoResults(),
    )
}

EXPORTERS: dict[str, Exporter] = {
    exporter.name: exporter
    for exporter in (
        VotesCsv(),
        VotesJsonl(),
        WinnerText(),
        WinnerTest(),
        TrlPreference(),
        TrlUnpaired(),
        OpenAiPreference(),
        ArgillaPreference(),
        LmsysBattles(),
        AlpacaEval(),
        MtBench(),
        LlmComparator(),
        LabelStudio(),
        Archive(),
        StudyJson(),
        InputsTable(),
        OutputsLong(),
        Promptfoo(),
        SpoTemplate(),
        AutoArena(),
    )
}

"""The export screen."""

import pytest

from optimizer.domain import Outcome
from optimizer.formats import EXPORTERS
from tests.pages.visitor import Visitor

SCREEN = "host/export.py"


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_format_has_its_sentence_a_preview_and_a_download(visitor: Visitor, name: str) -> None:
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.voted(study, [Outcome.FIRST] * 3)
    at = visitor.go(SCREEN, study)
    at.radio(key="format").set_value(name)
    visitor.run()
    (button,) = at.download_button
    assert EXPORTERS[name].suffix == button.label.rsplit(".", 1)[-1]
    assert at.dataframe or at.code or "no preview" in visitor.shown()


def test_without_votes_the_files_of_votes_say_so(visitor: Visitor) -> None:
    at = visitor.go(SCREEN, visitor.study(["Terse", "Warm"], ["one"], outputs=True))
    assert "No row passes the filter." in visitor.shown()
    at.radio(key="format").set_value("trl-preference")
    visitor.run()
    assert "No vote passes the filter." in visitor.shown()
    at.radio(key="format").set_value("winner")
    visitor.run()
    assert "No prompt leads yet" in visitor.shown()
    assert not at.download_button


def test_the_preview_holds_the_rows_that_pass_the_filter(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.voted(study, [Outcome.FIRST] * 3)
    visitor.voted(study, [Outcome.SECOND] * 2, "Anna")
    at = visitor.go(SCREEN, study)
    assert list(at.dataframe[0].value["winner"]) == ["Terse"] * 3 + ["Warm"] * 2
    at.multiselect(key="raters").set_value([f"Anna ({visitor.rater(study, 'Anna').id[:4]})"])
    visitor.run()
    assert list(at.dataframe[0].value["rater"]) == ["Anna", "Anna"]


def test_the_winner_is_the_text_of_the_leading_prompt(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.voted(study, [Outcome.SECOND] * 3)
    at = visitor.go(SCREEN, study)
    at.radio(key="format").set_value("winner")
    visitor.run()
    assert [code.value for code in at.code] == ["Warm: {{text}}"]


def test_a_link_opens_its_format(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    at = visitor.link(SCREEN, study, format=EXPORTERS["winner"].label)
    assert at.radio(key="format").value == "winner"

"""What stands around every screen: links to studies that are gone, errors that no screen caught."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from optimizer.assemble import forget_services
from tests.pages.conftest import MENU
from tests.pages.visitor import Visitor


def test_a_link_to_an_archived_study_says_that_another_one_is_shown(visitor: Visitor) -> None:
    archived = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.services.studies.archive(archived.id)
    at = visitor.link("rater/duel.py", archived)
    assert ["archived" in warning.value for warning in at.warning] == [True]
    assert at.selectbox(key="study").value != archived.id
    assert not visitor.run().warning


def test_a_study_archived_meanwhile_is_not_swapped_in_silence(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.go("rater/duel.py", study)
    visitor.services.studies.archive(study.id)
    at = visitor.run()
    assert ["archived" in warning.value for warning in at.warning] == [True]


def test_a_database_that_cannot_be_used_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "prompt-duel.db"
    file.write_bytes(b"not a database" * 100)
    monkeypatch.setenv("PROMPT_DUEL_DATABASE_URL", f"sqlite:///{file}")
    forget_services()
    at = AppTest.from_file(MENU, default_timeout=30).run()
    assert not at.exception
    assert ["is damaged or no database" in error.value for error in at.error] == [True]

"""The studies screen."""

import json
from dataclasses import replace

from optimizer.domain import Outcome, Settings
from tests.pages.visitor import Visitor

SCREEN = "host/studies.py"


def named(visitor, name):
    return next(study for study in visitor.services.store.studies() if study.name == name)


def test_the_samples_are_listed_with_what_they_hold(visitor: Visitor) -> None:
    visitor.go(SCREEN)
    for study in visitor.services.store.studies():
        assert study.name in visitor.shown()
        grid = visitor.services.studies.grid(study.id)
        held = f"{len(grid.prompts)} prompts · {len(grid.inputs)} inputs · {grid.cells} outputs · 0 votes"
        assert held in visitor.shown()


def test_a_study_is_made_and_chosen(visitor: Visitor) -> None:
    visitor.go(SCREEN)
    visitor.click("new")
    visitor.fill(new_name="Slogans", new_task="Write a slogan.", new_criteria="Short\nTrue")
    at = visitor.click("create_study")
    study = named(visitor, "Slogans")
    assert (study.task, study.criteria) == ("Write a slogan.", "Short\nTrue")
    assert at.session_state["study"] == study.id
    assert "Slogans" in visitor.shown()
    assert "create_study" not in [button.key for button in at.button]


def test_a_taken_or_missing_name_is_refused_and_what_was_typed_stays(visitor: Visitor) -> None:
    visitor.go(SCREEN)
    before = len(visitor.services.store.studies())
    visitor.click("new")
    visitor.fill(new_task="A task without a name.")
    visitor.click("create_study")
    assert "A study needs a name." in visitor.shown()
    visitor.fill(new_name=visitor.services.store.studies()[0].name.upper())
    at = visitor.click("create_study")
    assert "already" in visitor.shown()
    assert at.text_input(key="new_task").value == "A task without a name."
    assert len(visitor.services.store.studies()) == before


def test_settings_are_kept(visitor: Visitor) -> None:
    study = visitor.study()
    at = visitor.go(SCREEN)
    visitor.click(f"settings_{study.id}")
    prefix = f"edit_{study.id}"
    visitor.fill(**{f"{prefix}_name": "Renamed"})
    at.number_input(key=f"{prefix}_confidence").set_value(90.0)
    at.number_input(key=f"{prefix}_margin").set_value(8.0)
    at.number_input(key=f"{prefix}_audit").set_value(20.0)
    at.number_input(key=f"{prefix}_replay").set_value(0.0)
    at.number_input(key=f"{prefix}_budget").set_value(120)
    at.selectbox(key=f"{prefix}_selector").set_value("eubo")
    at.toggle(key=f"{prefix}_graded").set_value(False)
    at.toggle(key=f"{prefix}_reveal").set_value(False)
    at.toggle(key=f"{prefix}_critic_first").set_value(True)
    at.selectbox(key=f"{prefix}_judge_votes").set_value("discounted")
    at.number_input(key=f"{prefix}_judge_bar").set_value(70.0)
    at.toggle(key=f"{prefix}_weigh_raters").set_value(True)
    at = visitor.click(f"{prefix}_save")
    changed = visitor.services.store.study(study.id)
    settings = changed.settings
    assert changed.name == "Renamed"
    assert changed.task == study.task
    assert (settings.confidence, settings.margin) == (0.9, 0.08)
    assert (settings.audit_share, settings.replay_share, settings.budget) == (0.2, 0.0, 120)
    assert (settings.selector, settings.graded, settings.reveal) == ("eubo", False, False)
    assert settings.critic_first
    assert (settings.judge_votes, settings.judge_bar, settings.weigh_raters) == ("discounted", 0.7, True)
    assert f"{prefix}_save" not in [button.key for button in at.button]


def test_opening_the_settings_and_saving_changes_nothing(visitor: Visitor) -> None:
    study = visitor.study()
    kept = Settings(
        judge_votes="full", judge_bar=0.7, weigh_raters=True, lease_minutes=60.0, output_calls=9, graded=False
    )
    study = visitor.services.studies.edit(study.id, settings=kept)
    visitor.go(SCREEN)
    visitor.click(f"settings_{study.id}")
    visitor.click(f"edit_{study.id}_save")
    assert visitor.services.store.study(study.id) == study


def test_the_settings_say_what_makes_outputs_and_lead_there(visitor: Visitor) -> None:
    study = visitor.study()
    visitor.go(SCREEN)
    visitor.click(f"settings_{study.id}")
    assert "Outputs are not generated while people vote." in visitor.shown()
    settings = replace(study.settings, connection="Mine", output_calls=200, output_money=2.5)
    visitor.services.studies.edit(study.id, settings=settings)
    visitor.run()
    assert "by 'Mine' while people vote, at most 200 calls, $2.50." in visitor.shown()


def test_settings_that_make_no_sense_are_refused_whole(visitor: Visitor) -> None:
    study = visitor.study()
    at = visitor.go(SCREEN)
    visitor.click(f"settings_{study.id}")
    at.number_input(key=f"edit_{study.id}_audit").set_value(80.0)
    at.number_input(key=f"edit_{study.id}_replay").set_value(40.0)
    visitor.click(f"edit_{study.id}_save")
    assert "audits and replays together is 1.2" in visitor.shown()
    assert visitor.services.store.study(study.id) == study


def test_a_rule_that_needs_planned_votes_is_offered_only_with_them(visitor: Visitor) -> None:
    study = visitor.study()
    at = visitor.go(SCREEN)
    visitor.click(f"settings_{study.id}")
    menu = at.selectbox(key=f"edit_{study.id}_selector")
    assert not any("Known budget" in option for option in menu.options)
    at.number_input(key=f"edit_{study.id}_budget").set_value(50)
    visitor.run()
    menu = at.selectbox(key=f"edit_{study.id}_selector")
    assert any("Known budget" in option for option in menu.options)


def test_the_default_comes_first_and_other_published_rules_wait_behind_more(visitor: Visitor) -> None:
    study = visitor.study()
    at = visitor.go(SCREEN)
    visitor.click(f"settings_{study.id}")
    prefix = f"edit_{study.id}"
    menu = at.selectbox(key=f"{prefix}_selector")
    assert menu.options[0].startswith("Automatic")
    assert menu.options[-1].startswith("More")
    assert len(menu.options) <= 8
    assert "Known budget: half go home each round. Needs a number of votes set in advance" in menu.help
    assert f"{prefix}_other_selector" not in [box.key for box in at.selectbox]
    menu.set_value("more")
    visitor.run()
    at.selectbox(key=f"{prefix}_other_selector").set_value("round_robin")
    visitor.click(f"{prefix}_save")
    assert visitor.services.store.study(study.id).settings.selector == "round_robin"
    visitor.click(f"settings_{study.id}")
    assert at.selectbox(key=f"{prefix}_selector").value == "more"
    assert at.selectbox(key=f"{prefix}_other_selector").value == "round_robin"
    visitor.click(f"{prefix}_save")
    assert visitor.services.store.study(study.id).settings.selector == "round_robin"


def test_a_save_before_the_second_list_is_drawn_leaves_the_rule_as_it_was(visitor: Visitor) -> None:
    study = visitor.study()
    at = visitor.go(SCREEN)
    visitor.click(f"settings_{study.id}")
    at.selectbox(key=f"edit_{study.id}_selector").set_value("more")
    visitor.click(f"edit_{study.id}_save")
    assert visitor.services.store.study(study.id) == study


def test_an_archived_study_leaves_the_list_and_comes_back(visitor: Visitor) -> None:
    study = visitor.study()
    visitor.go(SCREEN)
    at = visitor.click(f"archive_{study.id}")
    assert f"open_{study.id}" not in [button.key for button in at.button]
    assert "Archived (1)" in [expander.label for expander in at.expander]
    at = visitor.click(f"unarchive_{study.id}")
    assert f"open_{study.id}" in [button.key for button in at.button]


def test_without_studies_there_is_a_sentence_and_the_samples_come_back(visitor: Visitor) -> None:
    visitor.go(SCREEN)
    for study in visitor.services.store.studies():
        visitor.services.studies.archive(study.id)
    visitor.run()
    assert "There is no study yet" in visitor.shown()
    at = visitor.click("restore_samples")
    assert len([button for button in at.button if str(button.key).startswith("open_")]) == 2


def test_a_copy_holds_everything_but_votes(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one", "two"], outputs=True)
    visitor.voted(study, [Outcome.FIRST, Outcome.SECOND])
    visitor.go(SCREEN)
    visitor.click(f"duplicate_{study.id}")
    assert "2 prompts · 2 inputs · 4 outputs · 2 votes" in visitor.shown()
    assert "2 prompts · 2 inputs · 4 outputs · 0 votes" in visitor.shown()


def test_opening_a_study_leads_to_its_duel(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.go(SCREEN)
    at = visitor.click(f"open_{study.id}")
    assert at.session_state["study"] == study.id
    assert "vote_A" in [button.key for button in at.button]


def test_a_study_file_is_looked_at_and_then_imported(visitor: Visitor) -> None:
    first = visitor.services.store.studies()[0].id
    sample = visitor.services.exchange.export(first, "study-json").whole()
    at = visitor.go(SCREEN)
    visitor.click("import")
    at.file_uploader(key="study_file_0").upload("mine.json", sample, "application/json")
    visitor.run()
    assert "There is a study" in visitor.shown()
    before = len(visitor.services.store.studies())
    at = visitor.click("study_import")
    studies = visitor.services.store.studies()
    assert len(studies) == before + 1
    assert at.session_state["study"] == studies[-1].id
    assert len(visitor.services.store.prompts(studies[-1].id)) == len(visitor.services.store.prompts(first))


def test_an_archive_brings_its_votes(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.voted(study, [Outcome.FIRST, Outcome.SECOND])
    packed = visitor.services.exchange.export(study.id, "archive").whole()
    at = visitor.go(SCREEN)
    visitor.click("import")
    at.file_uploader(key="study_file_0").upload("mine.zip", packed, "application/zip")
    visitor.run()
    visitor.click("study_import")
    brought = visitor.services.store.studies()[-1]
    assert brought.id != study.id
    assert len(visitor.services.store.ballots(brought.id)) == 2


def test_a_faulty_study_file_imports_nothing(visitor: Visitor) -> None:
    wrong = {
        "format": "prompt-duel-study",
        "version": 1,
        "study": {"name": "Wrong"},
        "prompts": [{"key": "p", "name": "P", "text": "{{text}}"}],
        "inputs": [{"key": "i", "variables": {"text": "x"}}],
        "outputs": [{"prompt": "p", "input": "nowhere", "text": "t"}],
    }
    at = visitor.go(SCREEN)
    before = len(visitor.services.store.studies())
    visitor.click("import")
    at.file_uploader(key="study_file_0").upload("wrong.json", json.dumps(wrong).encode(), "application/json")
    visitor.run()
    assert "nowhere" in visitor.shown()
    assert at.button(key="study_import").disabled
    assert len(visitor.services.store.studies()) == before


def test_many_studies_are_paged_and_searched(visitor: Visitor) -> None:
    for number in range(11):
        visitor.services.studies.create(f"Number {number:02}")
    at = visitor.go(SCREEN)
    opened = [button for button in at.button if str(button.key).startswith("open_")]
    assert len(opened) == 10
    at.text_input(key="search").set_value("number 07")
    visitor.run()
    opened = [str(button.key) for button in at.button if str(button.key).startswith("open_")]
    assert opened == [f"open_{named(visitor, 'Number 07').id}"]

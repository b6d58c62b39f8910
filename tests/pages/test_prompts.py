"""The prompts screen."""

from optimizer.domain import Origin
from tests.pages.visitor import Visitor

SCREEN = "host/prompts.py"


def prompts(visitor, study):
    return {prompt.name: prompt for prompt in visitor.services.store.prompts(study.id)}


def test_an_empty_study_asks_for_its_first_prompt(visitor: Visitor) -> None:
    study = visitor.study()
    at = visitor.go(SCREEN, study)
    assert "no prompts yet" in visitor.shown()
    visitor.click("write")
    visitor.fill(**{f"draft_{study.id}_name": "Terse", f"draft_{study.id}_text": "Say {{what}} briefly."})
    visitor.run()
    assert "`{{what}}`" in visitor.shown()  # the column that inputs will need
    at = visitor.click(f"draft_{study.id}_save")
    assert prompts(visitor, study)["Terse"].text == "Say {{what}} briefly."
    assert at.selectbox(key="prompt").value == prompts(visitor, study)["Terse"].id


def test_the_preview_follows_the_text_and_the_chosen_input(visitor: Visitor) -> None:
    study = visitor.study(["Old"], ["a cat", "a dog"])
    at = visitor.go(SCREEN, study)
    visitor.click("write")
    visitor.fill(**{f"draft_{study.id}_text": "Draw {{text}}!"})
    visitor.run()
    assert "Draw a cat!" in visitor.shown()
    dog = visitor.services.store.inputs(study.id)[1]
    at.selectbox(key=f"draft_{study.id}_input").set_value(dog.id)
    visitor.run()
    assert "Draw a dog!" in visitor.shown()


def test_an_unknown_variable_is_named_with_the_known_ones_and_nothing_is_saved(visitor: Visitor) -> None:
    study = visitor.study(["Old"], ["a cat"])
    visitor.go(SCREEN, study)
    visitor.click("write")
    visitor.fill(**{f"draft_{study.id}_name": "New", f"draft_{study.id}_text": "Draw {{txt}}!"})
    visitor.run()
    assert "{{txt}}, which is not a variable here. Did you mean {{text}}?" in visitor.shown()
    visitor.click(f"draft_{study.id}_save")
    assert list(prompts(visitor, study)) == ["Old"]
    assert "Known are {{text}}" in visitor.shown()


def test_cancel_saves_nothing(visitor: Visitor) -> None:
    study = visitor.study(["Old"])
    visitor.go(SCREEN, study)
    visitor.click("write")
    visitor.fill(**{f"draft_{study.id}_name": "New", f"draft_{study.id}_text": "Text"})
    visitor.click(f"draft_{study.id}_cancel")
    assert list(prompts(visitor, study)) == ["Old"]


def test_a_fork_keeps_its_parent_and_shows_what_changed(visitor: Visitor) -> None:
    study = visitor.study(["Terse"], ["a cat"])
    parent = prompts(visitor, study)["Terse"]
    at = visitor.go(SCREEN, study)
    visitor.click(f"fork_{parent.id}")
    prefix = f"fork_{parent.id}"
    assert at.text_area(key=f"{prefix}_text").value == parent.text
    visitor.fill(**{f"{prefix}_name": "Terser", f"{prefix}_text": "Terse: {{text}} In one word."})
    at.checkbox(key=f"{prefix}_retire").check()
    visitor.run()
    assert "In one word" in visitor.shown()
    visitor.click(f"{prefix}_save")
    child = prompts(visitor, study)["Terser"]
    assert (child.parent, child.origin) == (parent.id, Origin.FORKED)
    assert prompts(visitor, study)["Terse"].retired_at is not None
    assert "Lineage: Terse (retired) → Terser" in visitor.shown()


def test_a_fork_without_a_change_is_refused(visitor: Visitor) -> None:
    study = visitor.study(["Terse"])
    parent = prompts(visitor, study)["Terse"]
    visitor.go(SCREEN, study)
    visitor.click(f"fork_{parent.id}")
    visitor.click(f"fork_{parent.id}_save")
    assert "Change it first" in visitor.shown()
    assert list(prompts(visitor, study)) == ["Terse"]


def test_rename_retire_and_restore(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"])
    terse = prompts(visitor, study)["Terse"]
    at = visitor.go(SCREEN, study)
    visitor.fill(**{f"name_{terse.id}": "Warm"})
    visitor.click(f"rename_{terse.id}")
    assert "There is a prompt named 'Warm' already" in visitor.shown()
    visitor.fill(**{f"name_{terse.id}": "Curt"})
    visitor.click(f"rename_{terse.id}")
    assert set(prompts(visitor, study)) == {"Curt", "Warm"}
    visitor.click(f"retire_{terse.id}")
    assert prompts(visitor, study)["Curt"].retired_at is not None
    assert list(at.dataframe[0].value["State"]) == ["Retired", "In use"]
    visitor.click(f"restore_{terse.id}")
    assert prompts(visitor, study)["Curt"].retired_at is None


def test_a_link_opens_its_prompt(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["x"])
    warm = prompts(visitor, study)["Warm"]
    visitor.link(SCREEN, study, prompt=warm.name)
    assert "Warm: x" in visitor.shown()


def test_the_table_says_how_far_the_outputs_are(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one", "two"], outputs=True)
    row = visitor.services.store.inputs(study.id)[0]
    visitor.services.inputs.add(study.id, [])
    visitor.services.prompts.write(study.id, "New", "{{text}}")
    at = visitor.go(SCREEN, study)
    assert list(at.dataframe[0].value["Inputs with outputs"]) == ["2 of 2", "2 of 2", "0 of 2"]
    visitor.services.inputs.retire(study.id, row.id)
    visitor.run()
    assert list(at.dataframe[0].value["Inputs with outputs"]) == ["1 of 1", "1 of 1", "0 of 1"]


def test_text_of_people_is_shown_as_written(visitor: Visitor) -> None:
    study = visitor.study(["![x](http://evil.example/a.png) <b>"])
    at = visitor.go(SCREEN, study)
    assert any(r"!\[x\](http\://evil" in heading.value for heading in at.subheader)

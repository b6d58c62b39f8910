"""The Report, Present and Lab screens."""

from collections.abc import Callable
from dataclasses import replace
from threading import Event

import pytest

from optimizer.domain import Outcome, Study
from optimizer.lab import Lab, State
from optimizer.lab.aside import here
from optimizer.lab.situation import Situation
from optimizer.simulate import Result
from tests.pages.visitor import Visitor


@pytest.fixture
def study(visitor: Visitor) -> Study:
    """A study of two prompts, voted on."""
    made = visitor.study(["Terse", "**Warm** $x$"], ["one", "two"], outputs=True)
    visitor.voted(made, [Outcome.FIRST] * 5 + [Outcome.SECOND])
    return made


def test_the_report_tells_what_its_files_tell(visitor: Visitor, study: Study) -> None:
    app = visitor.go("host/report.py", study)
    assert [header.value for header in app.header][:4] == ["Report", "The question", "The winner", "Cautions"]
    assert any("Terse is the best prompt" in lead.value for lead in app.subheader)
    assert any(r"Few votes\: 6 on 2 prompts" in caution.value for caution in app.warning)
    assert r"\*\*Warm\*\* \$x\$" in "\n".join(part.value for part in app.markdown)


def test_a_report_without_votes_says_so(visitor: Visitor) -> None:
    app = visitor.go("host/report.py", visitor.study(["Terse", "Warm"], ["one"], outputs=True))
    assert any("Nobody has voted yet" in caution.value for caution in app.warning)


def test_the_slides_turn_and_the_audience_votes(visitor: Visitor, study: Study) -> None:
    app = visitor.go("host/present.py", study)
    assert "Which prompt is best" in visitor.shown()
    visitor.click("slide_next")
    before = visitor.services.store.counters(study.id).votes
    key = next(button.key for button in app.button if (button.key or "").startswith("audience_A_"))
    visitor.click(key)
    assert visitor.services.store.counters(study.id).votes == before + 1
    assert "Votes so far: 1" in visitor.shown()
    visitor.click("slide_next")
    assert "Terse" not in visitor.shown()  # the race has numbers for names until the reveal
    visitor.click("slide_next")
    assert "What you voted on" in visitor.shown()
    assert "A is better" in visitor.shown()
    visitor.click("slide_next")
    assert "# Terse" in visitor.shown()
    assert "Few votes" in visitor.shown()
    assert app.button(key="slide_next").disabled


def test_the_lab_simulates_and_says_that_it_does(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(situation: Situation, tick: Callable[[int], None], given_up: Event) -> list[Result]:
        return here(replace(situation, votes=12, runs=2, selectors=("random",)), tick, given_up)

    monkeypatch.setattr(visitor.services.lab, "_simulator", small)
    app = visitor.go("host/lab.py", study)
    assert "Everything on this screen is simulated" in visitor.shown()
    app.number_input(key="lab_votes").set_value(40)
    visitor.click("lab_start")
    (experiment,) = visitor.services.lab.experiments(study.id)
    assert experiment.ended.wait(60)
    assert experiment.state is State.DONE
    assert (experiment.situation.arms, experiment.situation.votes) == (2, 40)
    visitor.run()
    assert "How many votes will I need?" in [header.value for header in app.subheader]
    assert "Simulated: 2 prompts" in visitor.shown()


def test_a_simulation_can_be_cancelled(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(situation: Situation, tick: Callable[[int], None], given_up: Event) -> list[Result]:
        assert given_up.wait(60)
        return here(situation, tick, given_up)

    lab: Lab = visitor.services.lab
    monkeypatch.setattr(lab, "_simulator", endless)
    app = visitor.go("host/lab.py", study)
    visitor.click("lab_start")
    assert app.button(key="lab_start").disabled
    with monkeypatch.context() as elsewhere:  # they logged out in another tab
        elsewhere.setattr("pages.parts.access.is_as_drawn", lambda: False)
        visitor.click("lab_cancel")
        assert "Nothing was done" in visitor.shown()
    visitor.click("lab_cancel")
    (experiment,) = lab.experiments(study.id)
    assert experiment.ended.wait(60)
    visitor.run()
    assert "**Cancelled**" in visitor.shown()

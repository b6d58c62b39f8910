"""The pair that comes next lies in the page beside the one that is voted on."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from optimizer.assemble import Services
from optimizer.domain import Batch, Outcome, Settings
from pages.parts.announced import KEPT
from pages.parts.output_text import LONGEST_MARKDOWN
from tests.pages.visitor import Visitor, output


def announced_after(app: AppTest) -> list[str]:
    """The duels that have one in the page that comes after them."""
    marks = [html.value for html in app.get("html")]
    return [mark.split('"')[1] for mark in marks if mark.startswith("<i data-after=")]


def test_every_vote_is_followed_by_the_pair_that_lay_ready(app: AppTest, running: Services) -> None:
    visitor = Visitor(app, running)
    for key in ("vote_A", "vote_B", "vote_5", "vote_T", "vote_S"):
        now = visitor.pair()
        assert announced_after(app) == [now]
        following = app.session_state[KEPT][1]
        drawn = [markdown.value for markdown in app.markdown]
        app.button(key=key).click().run()
        assert visitor.pair() == following.duel.id
        stored = running.store.duel(following.duel.id)
        assert (stored.first, stored.second) == (following.first.id, following.second.id)
        for text in (following.first.text, following.second.text):
            assert any(text.splitlines()[0][:20] in one for one in drawn)
    study = running.store.studies()[0].id
    assert running.store.counters(study).duels == 6  # what lies ready is not asked yet


def test_an_undo_is_not_overtaken(app: AppTest, running: Services) -> None:
    visitor = Visitor(app, running)
    first = visitor.pair()
    visitor.click("vote_A")
    second = visitor.pair()
    visitor.click("undo")
    assert (visitor.pair(), announced_after(app)) == (first, [])
    visitor.click("vote_B")
    assert (visitor.pair(), announced_after(app)) == (second, [second])


@pytest.mark.parametrize("tool", ["tool_P", "tool_D", "tool_E", "tool_Y"])
def test_nothing_lies_ready_where_the_next_pair_does_not_come_at_once(visitor: Visitor, tool: str) -> None:
    """The pause comes first; or what stands above the pair is about that pair."""
    visitor.click(tool)
    assert announced_after(visitor.at) == []
    visitor.click(tool)
    assert announced_after(visitor.at) == [visitor.pair()]


def test_nor_where_a_critic_may_speak_first_nor_a_text_that_takes_long_to_lay_out(visitor: Visitor) -> None:
    study = visitor.study(("P", "Q"), ("one", "two"), outputs=True)
    visitor.go("rater/duel.py", study)
    assert announced_after(visitor.at) == [visitor.pair()]
    visitor.services.store.replace(replace(study, settings=Settings(critic_first=True)))
    visitor.run()
    assert announced_after(visitor.at) == []
    study = visitor.study(("P", "Q"), ("one", "two"))
    prompts, rows = visitor.services.store.prompts(study.id), visitor.services.store.inputs(study.id)
    long = [output(prompt, row, "long " * LONGEST_MARKDOWN) for prompt in prompts for row in rows]
    visitor.services.store.add(Batch(outputs=long))
    visitor.go("rater/duel.py", study)
    assert visitor.pair()
    assert announced_after(visitor.at) == []


def test_a_server_that_is_busy_leaves_it_out(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        late = SimpleNamespace(monotonic=lambda: time.monotonic() + visitor.services.config.ahead_ms / 1000)
        patch.setattr("pages.parts.announced.time", late)
        visitor.click("vote_A")
        assert announced_after(visitor.at) == []
    visitor.click("vote_A")
    assert announced_after(visitor.at) == [visitor.pair()]


def test_a_pair_that_was_retired_meanwhile_is_not_asked(visitor: Visitor) -> None:
    study = visitor.study(("P", "Q", "R"), ("one", "two"), outputs=True)
    visitor.go("rater/duel.py", study)
    following = visitor.at.session_state[KEPT][1].duel
    visitor.services.store.replace(
        next(
            replace(prompt, retired_at=prompt.created_at)
            for prompt in visitor.services.store.prompts(study.id)
            if prompt.id == following.second_prompt
        )
    )
    visitor.click("vote_A")
    now = visitor.services.store.duel(visitor.pair() or following.id)
    assert following.second_prompt not in (now.first_prompt, now.second_prompt)
    (ballot,) = visitor.services.store.ballots(study.id)
    assert ballot.vote.outcome is Outcome.FIRST

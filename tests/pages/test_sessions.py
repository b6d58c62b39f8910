"""Sessions on the screens: opened by the host, joined by people, looked at live."""

from datetime import timedelta
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from optimizer.assemble import Services
from optimizer.domain import Outcome, Rater, RaterId, Study, utc_now
from optimizer.results import Results
from optimizer.sessions import Goal, Reveal, Session
from optimizer.sessions.nouns import SessionId
from pages.parts import access, seat
from tests.pages.visitor import Visitor

PAGES = Path(__file__).resolve().parents[2] / "pages"


@pytest.fixture
def study(running: Services) -> Study:
    return running.store.studies()[0]


def open_session(running: Services, study: Study, **terms: object) -> Session:
    return running.sessions.open(Session(SessionId(""), study.id, "Monday", **terms))  # type: ignore[arg-type]


def be(monkeypatch: pytest.MonkeyPatch, person: str) -> None:
    monkeypatch.setattr("pages.parts.access.person", lambda: person)


def test_the_host_opens_closes_and_reopens(visitor: Visitor, study: Study) -> None:
    app = visitor.go("host/sessions.py")
    assert "No session on this study yet" in visitor.shown()
    visitor.click("new_session")
    app.selectbox(key="session_goal").set_value("votes")
    visitor.run()
    visitor.fill(session_name="Monday", session_groups="Sales, Support")
    app.number_input(key="session_votes").set_value(40)
    app.number_input(key="session_share").set_value(30)
    app.selectbox(key="session_reveal").set_value("at_end")
    visitor.click("open_session")
    (session,) = visitor.services.sessions.all(study.id)
    assert (session.goal, session.goal_votes, session.overlap, session.overlap_share) == (
        Goal.VOTES,
        40,
        2,
        0.3,
    )
    assert session.reveal is Reveal.AT_END
    assert session.groups == ("Sales", "Support")
    assert f"/join?code={session.id}" in visitor.shown()
    visitor.click(f"close_{session.id}")
    assert visitor.services.sessions.session(session.id).closed_at is not None
    visitor.click(f"reopen_{session.id}")
    visitor.click(f"archive_{session.id}")
    assert visitor.services.sessions.session(session.id).archived_at is not None


def test_a_bad_term_is_told_and_nothing_is_opened(visitor: Visitor, study: Study) -> None:
    visitor.go("host/sessions.py")
    visitor.click("new_session")
    visitor.click("open_session")
    assert "needs a name" in visitor.shown()
    assert not visitor.services.sessions.all(study.id)


def test_a_person_joins_practises_votes_and_sees_only_that(visitor: Visitor, study: Study) -> None:
    session = open_session(
        visitor.services, study, instructions="Read **both**.", groups=("Sales", "Support")
    )
    visitor.at = AppTest.from_file(PAGES / "menu.py", default_timeout=30)
    visitor.at.query_params["code"] = session.id
    visitor.at.switch_page("rater/join.py")
    visitor.run()
    assert visitor.at.text_input(key="join_code").value == session.id
    visitor.fill(join_name="Ann")
    visitor.click("join")
    assert "Choose the group" in visitor.shown()
    visitor.at.pills(key="join_group").set_value("Sales")
    visitor.click("join")
    assert "Read **both**." in visitor.shown()
    visitor.click("practice_B")
    visitor.click("begin")
    duel = visitor.pair()  # the duel is there at once
    assert duel is not None
    visitor.go("rater/duel.py")  # (the harness would go back to the screen that it opened)
    assert visitor.pair() == duel
    visitor.click("vote_A")
    assert visitor.pair() != duel
    seat = visitor.services.sessions.seat("ann")
    assert seat is not None
    assert (seat.name, seat.group) == ("Ann", "Sales")
    (ballot,) = visitor.services.store.ballots(study.id)
    assert ballot.vote.rater == seat.rater
    assert "the prompts stay unnamed" in visitor.shown()
    assert "leads" not in visitor.shown()
    store = visitor.services.store
    duel = store.duel(visitor.pair())
    outputs = store.output(duel.first).text + store.output(duel.second).text  # one may well say "Warm"
    names = [prompt.name for prompt in store.prompts(study.id)]
    assert not any(name in visitor.shown() for name in names if name not in outputs)


def test_a_wrong_link_is_told_and_counted_as_one_guess_however_often_the_page_runs(
    visitor: Visitor, study: Study
) -> None:
    visitor.at = AppTest.from_file(PAGES / "menu.py", default_timeout=30)
    visitor.at.query_params["code"] = "NOWAY1"
    visitor.at.switch_page("rater/join.py")
    visitor.run()
    visitor.fill(join_name="Ann")
    visitor.run()
    (of_one, of_all) = visitor.services.store.documents.all("code_tries")
    assert len(of_one.body["at"]) == len(of_all.body["at"]) == 1
    visitor.click("join")
    assert "No session has the code 'NOWAY1'" in visitor.shown()


def seated(visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch, **terms: object) -> Session:
    """The visitor in a session, at the duel."""
    session = open_session(visitor.services, study, **terms)
    visitor.services.sessions.practised(visitor.services.sessions.join(session.id, "ann", "Ann"))
    visitor.at = AppTest.from_file(PAGES / "menu.py", default_timeout=30)
    visitor.run()
    return session


def test_who_comes_after_the_end_is_told_before_giving_a_name(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_session(visitor.services, study)
    be(monkeypatch, "late")
    at = visitor.link("rater/join.py", study, code=session.id)
    assert [header.value for header in at.header] == ["Join 'Monday'"]
    visitor.services.sessions.close(session.id)
    at = visitor.link("rater/join.py", study, code=session.id)
    assert [warning.value for warning in at.warning] == ["The session 'Monday' is over."]


def test_after_closing_a_press_is_refused_and_the_page_says_so(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = seated(visitor, study, monkeypatch, reveal=Reveal.AT_END)
    visitor.click("vote_A")
    visitor.services.sessions.close(session.id)
    visitor.click("vote_A")
    assert "The session is over" in visitor.shown()
    assert visitor.services.store.counters(study.id).votes == 1
    app = visitor.go("rater/history.py")
    assert {"A", "B"} <= set(app.dataframe[0].value.columns)  # the names, now that it is over
    visitor.services.sessions.reopen(session.id)
    assert not {"A", "B"} & set(visitor.run().dataframe[0].value.columns)


def test_a_vote_on_a_pair_that_went_back_is_said_not_to_count(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    seated(visitor, study, monkeypatch)
    duel = visitor.pair()
    store = visitor.services.store
    monkeypatch.setattr(visitor.services.workshop, "_clock", lambda: utc_now() + timedelta(hours=1))
    visitor.click("vote_A")
    assert "does not count: the pair waited for too long" in visitor.shown()
    assert store.counters(study.id).votes == 0
    assert visitor.pair() not in (None, duel)


def test_the_time_that_is_left_moves_and_the_end_comes_without_a_press(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = seated(visitor, study, monkeypatch)
    drawn: list[object] = []
    fragment = st.fragment
    monkeypatch.setattr(
        "streamlit.fragment", lambda *of, **how: drawn.append(how.get("run_every")) or fragment(*of, **how)
    )
    visitor.run()
    assert not any(drawn)  # without a limit nothing is looked at
    visitor.services.sessions.reopen(session.id, 20)
    visitor.run()
    assert "20 min left" in visitor.shown()
    assert seat.LOOK_S in drawn
    monkeypatch.setattr("pages.parts.seat.utc_now", lambda: utc_now() + timedelta(minutes=19, seconds=30))
    visitor.run()
    assert " s left" in visitor.shown()
    assert seat.LOOK_SOON_S in drawn


def test_the_history_of_a_rater_holds_their_own_votes_and_no_duel_of_another(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = seated(visitor, study, monkeypatch)
    visitor.click("vote_A")
    other = visitor.services.sessions.join(session.id, "bob", "Bob").rater
    theirs = visitor.services.workshop.next_duel(study.id, other).duel
    visitor.services.workshop.record_vote(theirs.id, other, Outcome.SECOND)
    app = visitor.link("rater/history.py", study, whose="everyone", duel=theirs.id)
    assert len(app.dataframe[0].value) == 1
    assert not app.selectbox
    assert "asked of another rater" in visitor.shown()


def test_without_reasons_and_reveal_nothing_is_asked_after_a_vote(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    seated(visitor, study, monkeypatch, reasons=False)
    visitor.click("vote_A")
    assert "tool_L" not in [button.key for button in visitor.at.button]
    seated(visitor, study, monkeypatch, reasons=True)
    visitor.click("tool_L")
    assert "No vote since" in visitor.shown()
    visitor.click("vote_A")
    assert "Your last vote: A was better" in visitor.shown()


def test_the_board_hides_the_names_until_they_are_shown(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_session(visitor.services, study)
    seat = visitor.services.sessions.join(session.id, "bob", "Bob")
    for _ in range(8):
        duel = visitor.services.workshop.next_duel(study.id, seat.rater).duel
        visitor.services.workshop.record_vote(duel.id, seat.rater, Outcome.FIRST)
    monkeypatch.setattr(Results, "latest", Results.standings)  # now, not when it is calm
    names = [prompt.name for prompt in visitor.services.store.prompts(study.id)]
    app = visitor.go("host/board.py")
    shown = visitor.shown()
    assert "“Prompt " in shown
    assert not any(name in shown for name in names)
    assert app.metric[0].value == "8"
    assert app.dataframe[0].value["Rater"].tolist() == ["Bob"]
    visitor.click("show_names")
    assert any(name in visitor.shown() for name in names)


def test_a_room_votes_together(visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_session(visitor.services, study, room=True)
    host = AppTest.from_file(PAGES / "menu.py", default_timeout=30)
    for name in ("bob", "cid"):
        visitor.services.sessions.practised(visitor.services.sessions.join(session.id, name, name.title()))
    host.switch_page("host/board.py").run()
    host.button(key="room_next").click().run()
    assert not host.exception
    be(monkeypatch, "bob")
    bob = AppTest.from_file(PAGES / "menu.py", default_timeout=30).run()
    key = next(button.key for button in bob.button if button.key and button.key.startswith("room_B_"))
    bob.button(key=key).click().run()
    assert not bob.exception
    assert any("Your vote is in" in note.value for note in bob.success)
    be(monkeypatch, "ann")
    host.button(key="room_reveal").click().run()
    assert not host.exception
    assert "1 vote" in "\n".join(caption.value for caption in host.caption)
    be(monkeypatch, "bob")
    bob.run()
    assert [header.value for header in bob.subheader] == ["How the room voted"]
    be(monkeypatch, "ann")
    host.button(key="room_again").click().run()
    be(monkeypatch, "bob")
    bob.run()
    assert any("Vote again" in info.value for info in bob.info)


def test_in_a_room_without_votes_every_screen_of_a_rater_can_be_drawn(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    seated(visitor, study, monkeypatch, room=True)
    assert "The first pair comes when the host shows it." in visitor.shown()
    visitor.go("rater/history.py")
    assert "No votes yet" in visitor.shown()
    visitor.go("rater/join.py")
    visitor.click("leave")
    assert visitor.services.sessions.seat("ann") is None


def test_a_careless_rater_is_shown_and_set_aside(visitor: Visitor, study: Study) -> None:
    session = open_session(visitor.services, study)
    for name in ("Bob", "Cid"):
        seat = visitor.services.sessions.join(session.id, name, name)
        for turn in range(20):
            duel = visitor.services.workshop.next_duel(study.id, seat.rater).duel
            outcome = Outcome.FIRST if name == "Bob" or turn % 2 else Outcome.SECOND
            visitor.services.workshop.record_vote(duel.id, seat.rater, outcome, view_ms=5000)
    app = visitor.go("host/raters.py")
    # What is to be done stands where a narrow screen does not cut it off; without groups there is no column.
    assert list(app.dataframe[0].value.columns)[:3] == ["Rater", "State", "Votes"]
    table = app.dataframe[0].value.set_index("Rater")
    assert table.loc["Bob", "State"] == "Look at this one"
    assert table.loc["Cid", "State"] == ""
    assert "Chose A in 100%" in "\n".join(warning.value for warning in app.warning)
    bob = next(rater for rater in visitor.services.store.raters(study.id) if rater.name == "Bob")
    visitor.click(f"aside_{bob.id}")
    assert visitor.services.results.standings(study).votes <= 20
    visitor.click(f"back_{bob.id}")
    assert visitor.services.store.rater(bob.id).set_aside_at is None
    app.toggle(key="weigh_raters").set_value(True)
    visitor.run()
    assert visitor.services.store.study(study.id).settings.weigh_raters


def test_groups_say_when_there_is_too_little_to_tell(visitor: Visitor, study: Study) -> None:
    visitor.go("host/groups.py")
    assert "Nobody has said to which group" in visitor.shown()
    session = open_session(visitor.services, study, groups=("Sales", "Support"))
    for name, group in (("Bob", "Sales"), ("Cid", "Support")):
        seat = visitor.services.sessions.join(session.id, name, name, group)
        for _ in range(6):
            duel = visitor.services.workshop.next_duel(study.id, seat.rater).duel
            visitor.services.workshop.record_vote(duel.id, seat.rater, Outcome.FIRST)
    visitor.go("host/groups.py")
    assert "Too little to tell" in visitor.shown()
    visitor.at.segmented_control(key="compare").set_value("Single raters")
    visitor.run()
    assert "from 20 votes on" in visitor.shown()


def test_single_raters_without_a_name_are_told_apart(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one"], outputs=True)
    visitor.voted(study, [Outcome.FIRST] * 20)
    stranger = Rater(RaterId("stranger"), study.id, access.NAMELESS)
    visitor.services.workshop.join(study.id, stranger)
    visitor.voted(study, [Outcome.SECOND] * 21, "Bob")
    for _ in range(22):
        duel = visitor.services.workshop.next_duel(study.id, stranger.id).duel
        visitor.services.workshop.record_vote(duel.id, stranger.id, Outcome.FIRST)
    visitor.go("host/groups.py", study)
    visitor.at.segmented_control(key="compare").set_value("Single raters")
    (table,) = visitor.run().dataframe
    assert sorted(table.value["Rater"]) == ["Bob", "Rater 1", "Rater 2"]


def test_a_reached_goal_is_said_and_can_be_lifted(visitor: Visitor, study: Study) -> None:
    session = open_session(visitor.services, study, goal=Goal.VOTES, goal_votes=1)
    (rater, late) = (visitor.services.sessions.join(session.id, name, name).rater for name in ("Bob", "Cid"))
    workshop = visitor.services.workshop
    in_hand = workshop.next_duel(study.id, late).duel
    workshop.record_vote(workshop.next_duel(study.id, rater).duel.id, rater, Outcome.FIRST)
    visitor.go("host/sessions.py")
    assert "Goal reached" in visitor.shown()
    visitor.click(f"go_on_{session.id}")
    assert "Goal reached" not in visitor.shown()
    workshop.record_vote(in_hand.id, late, Outcome.FIRST)
    assert workshop.next_duel(study.id, late).duel.rater == late


def test_the_vote_that_reached_the_goal_can_be_undone(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    be(monkeypatch, "ann")
    seated(visitor, study, monkeypatch, goal=Goal.VOTES, goal_votes=1)
    duel = visitor.pair()
    visitor.click("vote_A")
    assert "The goal of this session is reached" in visitor.shown()
    assert visitor.services.store.counters(study.id).votes == 1
    visitor.click("undo_end")
    assert visitor.pair() == duel
    assert visitor.services.store.counters(study.id).votes == 0


def test_in_a_room_nothing_is_asked_about_single_duels(visitor: Visitor, study: Study) -> None:
    app = visitor.go("host/sessions.py")
    visitor.click("new_session")
    single = {"session_goal", "session_overlap", "session_share", "session_reasons", "session_lease"}

    def fields() -> set[str | None]:
        return {field.key for field in (*app.selectbox, *app.number_input, *app.toggle)}

    assert single <= fields()
    app.segmented_control(key="session_pace").set_value("All together, in one room")
    visitor.run()
    assert not single & fields()
    visitor.fill(session_name="Monday")
    visitor.click("open_session")
    (session,) = visitor.services.sessions.all(study.id)
    assert (session.room, session.goal, session.overlap_share) == (True, Goal.NONE, 0.0)

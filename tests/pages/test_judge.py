"""The judge screen, with a server whose opinion is known: it prefers what the prompt "Warm" wrote."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from optimizer.domain import (
    Batch,
    Connection,
    DuelId,
    Outcome,
    RaterKind,
    Study,
    Vote,
    VoteId,
    new_id,
    utc_now,
)
from optimizer.judges.scripted import answer_by, perfect
from optimizer.judging.latest import keep
from optimizer.judging.progress import State
from optimizer.llm.base import Message, Request, Role
from tests.fakes.openai_server import FakeServer
from tests.pages.visitor import Visitor

SCREEN = "host/judge.py"
INPUTS = ["one", "two", "three"]
RULE = perfect(lambda text: float("Warm" in text))


def reply(body: dict) -> str:
    """What a judge, a critic or a drafter of criteria would answer."""
    rules, content = body["messages"][0]["content"], body["messages"][-1]["content"]
    fence = content.split("\n")[0]
    if "You list the faults" in rules:
        return f'{{"id": "{fence}", "first": ["Says *nothing*."], "second": []}}'
    if "You help people" in rules:
        return f'{{"id": "{fence}", "criteria": ["Warm in tone", "Short"]}}'
    return answer_by(RULE, Request((Message(Role.USER, content),)))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(reply=reply) as running:
        yield running


@pytest.fixture
def study(visitor: Visitor, server: FakeServer) -> Study:
    """Two prompts with outputs on three inputs, and a connection with prices."""
    visitor.services.connections.put(
        Connection("Fake", server.url, "fake-model", input_price=1.0, output_price=2.0)
    )
    return visitor.study(["Terse", "Warm"], INPUTS, outputs=True)


def planned(visitor: Visitor, study: Study, duels: int) -> None:
    """The form filled in."""
    at = visitor.go(SCREEN, study)
    at.multiselect(key="judge_panel").set_value(["Fake"])
    at.number_input(key="judge_duels").set_value(duels)
    at.toggle(key="judge_advised").set_value(False)
    visitor.run()


def judged(visitor: Visitor, study: Study, duels: int) -> None:
    """A run to its end, begun on the screen."""
    planned(visitor, study, duels)
    visitor.click("judge_start")
    assert visitor.services.judging.runs(study.id)[0].wait(20.0)
    visitor.run()


def warnings(visitor: Visitor) -> str:
    return "\n".join(str(warning.value) for warning in visitor.at.warning)


def opened(visitor: Visitor, tab: str) -> None:
    visitor.at.session_state["judge_tab"] = tab
    visitor.run()


def test_without_connections_it_says_what_comes_first(visitor: Visitor) -> None:
    visitor.go(SCREEN, visitor.study())
    assert "connect to one first" in visitor.shown()


def test_the_cost_is_told_before_anything_is_spent(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    planned(visitor, study, 8)
    label = visitor.at.button(key="judge_start").label.replace("\\", "")
    assert re.match(r"Judge: 8 votes, at most 16 calls, about [\d,]+ tokens, about \$0\.", label)
    visitor.at.selectbox(key="judge_mode").set_value("one_order")
    visitor.run()
    assert "at most 8 calls" in visitor.at.button(key="judge_start").label
    assert server.calls == 0


def test_a_run_is_watched_to_its_end_and_goes_on_later(visitor: Visitor, study: Study) -> None:
    judged(visitor, study, 8)
    run = visitor.services.judging.runs(study.id)[0]
    assert run.progress().state is State.DONE
    assert "Done: 8 of 8 votes" in visitor.shown().replace("**", "")
    assert "fake-model (both orders): 8 votes" in visitor.shown()
    assert "By the votes of judges alone" in visitor.shown()
    rows = visitor.services.results.standings(study).rows
    assert rows[0].prompt.name == "Warm"
    assert "as many votes already" in visitor.shown()
    visitor.at.number_input(key="judge_duels").set_value(10)
    visitor.run()
    assert "2 votes, at most 4 calls" in visitor.at.button(key="judge_start").label


def test_a_limit_typed_just_before_the_press_holds(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    planned(visitor, study, 8)
    visitor.at.number_input(key="judge_calls").set_value(
        4
    )  # comes with the press, after the button was drawn
    visitor.click("judge_start")
    run = visitor.services.judging.runs(study.id)[0]
    assert run.wait(20.0)
    assert run.progress().state is State.SPENT
    assert server.calls <= 4


def test_a_run_is_stopped_and_resumed(visitor: Visitor, study: Study, server: FakeServer) -> None:
    server.latency_s = 0.05
    planned(visitor, study, 300)
    visitor.click("judge_start")
    run = visitor.services.judging.runs(study.id)[0]
    assert "Judging: " in visitor.shown().replace("**", "")
    visitor.click(f"stop_{run.id}")
    assert run.wait(20.0)
    visitor.run()
    assert run.progress().state is State.CANCELLED
    assert "Stopped by you" in visitor.shown()
    visitor.click(f"resume_{run.id}")
    again = visitor.services.judging.runs(study.id)[0]
    assert again.id != run.id
    again.cancel()
    assert again.wait(20.0)


def test_a_run_of_a_process_that_is_gone_goes_on(
    visitor: Visitor, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(visitor, study, 6)
    assert "judge_go_on" not in [button.key for button in visitor.at.button]
    judging = visitor.services.judging
    keep(visitor.services.store, replace(judging.runs(study.id)[0].plan, duels=9))
    monkeypatch.setattr(judging, "_runs", {})  # as after a restart
    visitor.run()
    assert "was to end with 9 votes of each judge (Fake), without a limit." in visitor.shown()
    assert "3 votes, at most 6 calls" in visitor.at.button(key="judge_go_on").label
    visitor.click("judge_go_on")
    (run,) = judging.runs(study.id)
    assert run.wait(20.0)
    assert run.progress().judges[0].votes == 3


def test_a_spent_budget_can_be_raised(visitor: Visitor, study: Study) -> None:
    planned(visitor, study, 20)
    visitor.at.number_input(key="judge_calls").set_value(9)
    visitor.run()
    visitor.click("judge_start")
    run = visitor.services.judging.runs(study.id)[0]
    assert run.wait(20.0)
    visitor.run()
    assert "Stopped by the budget" in visitor.shown()
    assert "9 of 9 calls" in warnings(visitor)
    visitor.at.number_input(key=f"more_{run.id}_calls").set_value(100)
    visitor.click(f"resume_{run.id}")
    again = visitor.services.judging.runs(study.id)[0]
    assert again.wait(20.0)
    assert again.progress().state is State.DONE
    # On the same account; the duel of which the ninth call was half is asked anew.
    assert 40 <= again.progress().spent.calls <= 41


def test_trust_compares_with_people_and_sets_aside(visitor: Visitor, study: Study) -> None:
    visitor.voted(study, [Outcome.FIRST] * 3)  # people prefer "Terse"
    judged(visitor, study, 12)
    opened(visitor, "Trust")
    table = visitor.at.dataframe[0].value
    assert list(table["Judge"]) == ["fake-model (both orders)"]
    assert table["Agrees with people"][0].startswith("0% (")
    metrics = {metric.label: metric.value for metric in visitor.at.metric}
    assert metrics["Agrees with people"] == "0%"
    assert metrics["Repeats itself"] == "100%"
    checks = visitor.at.dataframe[1].value.set_index("Check")
    assert checks.loc["Verdict goes with the position", "Found (95 % interval)"].startswith("0% (")
    assert "This needs ten duels" in visitor.shown()
    judge = next(r for r in visitor.services.store.raters(study.id) if r.kind is RaterKind.JUDGE)
    visitor.click(f"aside_{judge.id}")
    assert visitor.services.store.rater(judge.id).set_aside_at is not None
    assert "Set aside" in visitor.at.dataframe[0].value["State"][0]
    visitor.click(f"let_{judge.id}")
    assert visitor.services.store.rater(judge.id).set_aside_at is None


def test_win_rates_by_people_stand_beside_those_with_the_judge(visitor: Visitor, study: Study) -> None:
    wide = visitor.study(["Terse", "Warm"], [f"input {n}" for n in range(14)], outputs=True)
    store = visitor.services.store
    terse, warm = store.prompts(wide.id)
    (asked,) = visitor.voted(wide, [Outcome.SECOND])
    for row in store.inputs(wide.id)[1:12]:
        first, second = (store.outputs(wide.id, prompt.id, row.id)[0].id for prompt in (terse, warm))
        duel = replace(asked, id=DuelId(new_id()), input=row.id, first=first, second=second)
        vote = Vote(VoteId(new_id()), wide.id, duel.id, duel.rater, Outcome.SECOND, utc_now())
        store.add(Batch(duels=[duel], votes=[vote]))
    judged(visitor, wide, 20)
    opened(visitor, "Trust")
    assert "Prediction-powered" in visitor.shown()
    metrics = {metric.label: metric.value for metric in visitor.at.metric}
    assert metrics["Agrees with people"] == "100%"
    visitor.at.toggle(key="powered_audit").set_value(True)  # people's were drawn by a selector
    visitor.run()
    assert "This needs ten duels" in visitor.shown()


@pytest.mark.parametrize(
    ("count", "kind", "held"),
    [
        ("beside", "Everyone", "hold 3 votes by people. Skips"),
        ("beside", "Judges", "hold 8 votes by judges."),
        ("full", "Everyone", "hold 3 votes by people and 8 votes by judges."),
        ("full", "People", "hold 3 votes by people."),
    ],
)
def test_standings_say_whose_votes_they_hold(
    visitor: Visitor, study: Study, count: str, kind: str, held: str
) -> None:
    visitor.services.studies.edit(study.id, settings=replace(study.settings, judge_votes=count))
    visitor.voted(study, [Outcome.FIRST] * 3)
    judged(visitor, study, 8)
    visitor.link("host/standings.py", study, kind=kind)
    assert held in visitor.shown()
    assert ("stand beside these" in visitor.shown()) is (count == "beside" and kind == "Everyone")


def test_the_rubric_has_versions_and_can_be_drafted(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    visitor.go(SCREEN, study)
    opened(visitor, "Rubric")
    field = f"rubric_{study.id}"
    rubrics = visitor.services.judging.rubrics
    assert rubrics.versions(study.id) == []
    visitor.fill(**{field: "- True\n- Kind"})
    visitor.click("save_rubric")
    assert rubrics.current(study.id).text == "- True\n- Kind"
    assert server.calls == 0
    visitor.click("draft")
    assert server.calls == 1
    assert visitor.at.text_area(key=field).value == "- Warm in tone\n- Short"
    assert rubrics.current(study.id).text == "- True\n- Kind"  # a person saves it, or not
    visitor.click("save_rubric")
    assert [rubric.text for rubric in rubrics.versions(study.id)][-1] == "- Warm in tone\n- Short"
    visitor.fill(**{field: " "})
    visitor.click("save_rubric")
    assert "at least one criterion" in visitor.shown()


def test_the_review_hides_the_verdict_and_opens_the_duel(visitor: Visitor, study: Study) -> None:
    judged(visitor, study, 8)
    opened(visitor, "Review")
    queue = visitor.services.judging.review.queue(visitor.services.store.study(study.id), 10)
    assert f"Matters {queue[0].stake:.0%}" in visitor.shown()
    assert "Warm" not in visitor.shown()
    visitor.click(f"review_button_{queue[0].ballot.duel.id}")
    me = visitor.rater(study).id
    asked = visitor.services.store.last_duels(study.id, me)[0]
    assert (asked.repeats, asked.selector) == (queue[0].ballot.duel.id, "review")
    assert visitor.pair() == asked.id
    assert "review_next" not in [button.key for button in visitor.at.button]
    visitor.go("rater/duel.py")  # the harness itself stays on the screen that it was led from
    assert visitor.pair() == asked.id
    visitor.click("vote_A")
    visitor.click("review_next")
    following = visitor.services.store.last_duels(study.id, me)[0]
    assert following.selector == "review"
    left = [item.ballot.duel for item in queue[1:]]  # in which order the vote has decided
    assert {following.first, following.second} in [{duel.first, duel.second} for duel in left]
    for _ in queue[1:]:
        asked = visitor.services.store.last_duels(study.id, me)[0]
        assert visitor.pair() == asked.id
        visitor.click("vote_A")
        visitor.click("review_next")
    assert "Nothing waits for a review any more" in visitor.shown()
    assert "review_next" not in [button.key for button in visitor.at.button]


def test_a_judges_vote_says_how_it_came_about(visitor: Visitor, study: Study) -> None:
    visitor.services.judging.rubrics.edit(study.id, "Warm in *tone*\nShort")
    judged(visitor, study, 2)
    (ballot, _) = visitor.services.store.ballots(study.id)
    visitor.link("rater/history.py", study, duel=ballot.duel.id, whose="Everyone")
    said = "A better" if ballot.vote.outcome is Outcome.FIRST else "B better"
    assert f"- Warm in *tone*: **{said}**\n- Short: **{said}**" in visitor.shown()
    assert "fake-model-2026 by 'Fake' · both orders · rubric version 2 · certainty 100%" in visitor.shown()
    assert "By the script." in visitor.shown()  # its reason


def test_a_challenger_that_wins_clearly_is_accepted(visitor: Visitor, study: Study) -> None:
    visitor.go(SCREEN, study)
    opened(visitor, "Challenge")
    prompts = {prompt.name: prompt.id for prompt in visitor.services.store.prompts(study.id)}
    visitor.at.selectbox(key="contest_Champion").set_value(prompts["Terse"])
    visitor.run()
    assert visitor.at.button(key="contest_start").label == "Judge 3 duels: 6 calls"
    visitor.click("contest_start")
    assert visitor.services.judging.runs(study.id)[0].wait(20.0)
    visitor.run()
    assert "Accepted." in visitor.shown()
    assert "3 wins, 0 lost, 0 tied" in visitor.shown()
    assert not warnings(visitor)  # that nothing is left to ask is what was wanted
    visitor.at.selectbox(key="contest_Champion").set_value(prompts["Warm"])
    visitor.run()
    assert "Not accepted." in warnings(visitor)


def test_a_critic_speaks_only_when_asked_after_the_vote(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    at = visitor.go("rater/duel.py", study)
    duel = visitor.pair()
    assert not any(str(button.key).startswith("critic_ask") for button in at.button)
    visitor.click("vote_A")
    visitor.click("tool_L")
    at.session_state[f"critic_{duel}"] = True
    visitor.run()
    assert server.calls == 0
    visitor.click(f"critic_ask_{duel}")
    assert server.calls == 1
    assert "Says *nothing*." in visitor.shown()
    assert "1 fault found" in visitor.shown()
    assert "0 faults found" in visitor.shown()


def test_a_critic_may_speak_before_the_vote_where_the_host_says_so(
    visitor: Visitor, study: Study, server: FakeServer
) -> None:
    visitor.services.studies.edit(study.id, settings=replace(study.settings, critic_first=True))
    at = visitor.go("rater/duel.py", study)
    duel = visitor.pair()
    at.session_state[f"critic_{duel}"] = True
    visitor.run()
    visitor.click(f"critic_ask_{duel}")
    assert server.calls == 1
    assert "1 fault found" in visitor.shown()
    visitor.click("vote_A")
    assert "1 fault found" not in visitor.shown()

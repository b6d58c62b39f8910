"""What every registered way of judging promises, checked with judges whose opinion is known."""

import json
from collections.abc import Callable

import pytest

from optimizer.domain import Outcome
from optimizer.errors import BadInput, NoVerdict
from optimizer.judges import JUDGES, JudgeSettings, open_judge
from optimizer.judges.base import Judge, Mark, Opinion, Question, Verdict
from optimizer.judges.combining import majority, of_both_orders
from optimizer.judges.criteria import VoteExample, criteria_of, draft_criteria
from optimizer.judges.critic import criticise
from optimizer.judges.scripted import Rule, agreeing, always, answer_by, at_random, judging_model, perfect
from optimizer.llm.base import Request
from optimizer.llm.errors import ServerBusy
from optimizer.llm.scripted import Scripted

GOOD, BAD = "a good answer", "poor"
QUESTION = Question("Write.", ("Long enough",), {"topic": "cats"}, GOOD, BAD)
BY_LENGTH = perfect(len)


def judge_by(rule: Rule, mode: str) -> Judge:
    return open_judge(judging_model(rule, "test"), JudgeSettings(mode, repeats=3))


@pytest.fixture(params=sorted(JUDGES))
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize(
    ("question", "outcome"),
    [
        (QUESTION, Outcome.FIRST),
        (QUESTION.swapped, Outcome.SECOND),
        (Question("", (), {}, GOOD, GOOD), Outcome.BOTH_GOOD),
    ],
)
def test_the_better_output_wins_wherever_it_stands(mode: str, question: Question, outcome: Outcome) -> None:
    verdict = judge_by(BY_LENGTH, mode).judge(question)
    assert (verdict.outcome, verdict.mark, verdict.margin) == (outcome, None, 1.0)
    assert verdict.by_criterion == (outcome,) * len(question.criteria)


def test_it_asks_as_often_as_it_says(mode: str) -> None:
    verdict = judge_by(BY_LENGTH, mode).judge(QUESTION)
    assert verdict.calls == len(verdict.said) == JUDGES[mode].answers(3)


@pytest.mark.parametrize("side", [Outcome.FIRST, Outcome.SECOND])
def test_a_favourite_position_is_a_marked_tie_where_both_orders_are_asked(mode: str, side: Outcome) -> None:
    verdict = judge_by(always(side), mode).judge(QUESTION)
    if JUDGES[mode].both_orders:
        assert (verdict.outcome, verdict.mark) == (Outcome.BOTH_GOOD, Mark.POSITION_DEPENDENT)
        assert verdict.certainty == 0.0
        assert verdict.by_criterion == (Outcome.BOTH_GOOD,)
    else:
        assert verdict.outcome is side
    assert set(verdict.said) == {side}


@pytest.mark.parametrize("said", [Outcome.BOTH_GOOD, Outcome.BOTH_BAD, Outcome.SKIP])
def test_ties_and_skips_stay_what_they_are(mode: str, said: Outcome) -> None:
    verdict = judge_by(always(said), mode).judge(QUESTION)
    assert (verdict.outcome, verdict.mark) == (said, None)


def test_no_answer_is_no_verdict(mode: str) -> None:
    judge = open_judge(Scripted(lambda _: "Hm."), JudgeSettings(mode, repeats=3))
    with pytest.raises(NoVerdict) as caught:
        judge.judge(QUESTION)
    assert caught.value.calls >= 2


def test_faults_of_the_server_pass_through(mode: str) -> None:
    def fail(request: Request) -> str:
        raise ServerBusy("Busy.")

    with pytest.raises(ServerBusy):
        open_judge(Scripted(fail), JudgeSettings(mode, repeats=3)).judge(QUESTION)


def test_nothing_but_the_duel_is_sent(mode: str) -> None:
    seen: list[Request] = []

    def reply(request: Request) -> str:
        seen.append(request)
        return answer_by(BY_LENGTH, request)

    open_judge(Scripted(reply), JudgeSettings(mode, repeats=2, temperature=0.5, logprobs=True)).judge(
        QUESTION
    )
    for request in seen:
        material = json.loads(request.messages[-1].content.split("\n")[1])
        assert set(material) == {"task", "criteria", "input", "first", "second"}
        assert (request.temperature, request.top_logprobs) == (0.5, 5)
    shown = [json.loads(r.messages[-1].content.split("\n")[1])["first"] for r in seen]
    assert (BAD in shown) == JUDGES[mode].both_orders


def test_unknown_modes_and_odd_repeats_are_refused() -> None:
    with pytest.raises(BadInput, match="both_orders"):
        open_judge(judging_model(BY_LENGTH, "x"), JudgeSettings("dice"))
    with pytest.raises(BadInput, match="1 to 25"):
        open_judge(judging_model(BY_LENGTH, "x"), JudgeSettings("majority", repeats=0))


F, S, G, B, SKIP = Outcome.FIRST, Outcome.SECOND, Outcome.BOTH_GOOD, Outcome.BOTH_BAD, Outcome.SKIP


@pytest.mark.parametrize(
    ("one", "other", "outcome", "marked"),  # both of the same first and second
    [
        (F, F, F, False), (S, S, S, False), (G, G, G, False), (B, B, B, False), (SKIP, SKIP, SKIP, False),
        (F, S, G, True), (S, F, G, True), (F, G, G, True), (G, S, G, True), (F, B, B, True), (B, S, B, True),
        (G, B, G, False), (B, G, G, False), (F, SKIP, SKIP, False), (SKIP, B, SKIP, False),
    ],
)  # fmt: skip
def test_two_orders_become_one_verdict(one: Outcome, other: Outcome, outcome: Outcome, marked: bool) -> None:
    verdict = of_both_orders(Opinion(one, "a", p_first=0.9), Opinion(other, "b", p_first=0.7))
    assert (verdict.outcome, verdict.mark is Mark.POSITION_DEPENDENT) == (outcome, marked)
    assert verdict.said == (one, other.swapped)
    assert verdict.p_first == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("said", "outcome", "margin", "mark"),
    [
        ([F, F, S], F, 1 / 3, None),
        ([S, S, S, F], S, 1 / 2, None),
        ([F, S], G, 0.0, Mark.UNDECIDED),
        ([F, S, G], G, 0.0, Mark.UNDECIDED),
        ([F, B], B, 0.0, Mark.UNDECIDED),
        ([G, B], G, 0.0, None),
        ([F, SKIP], SKIP, 0.0, None),
        ([B, B, F], B, 1 / 3, None),
    ],
)
def test_the_majority_of_repeats(said: list[Outcome], outcome: Outcome, margin: float, mark: Mark) -> None:
    verdict = majority([Verdict(outcome, outcome.value) for outcome in said])
    assert (verdict.outcome, verdict.mark) == (outcome, mark)
    assert verdict.margin == pytest.approx(margin)


def test_certainty_is_none_for_marked_ties_and_follows_the_models_own_probability() -> None:
    assert Verdict(G, "", mark=Mark.UNDECIDED).certainty == 0.0
    assert Verdict(F, "", margin=0.5).certainty == 0.5
    assert Verdict(F, "", margin=1.0, p_first=0.6).certainty == pytest.approx(0.2)
    assert Verdict(S, "", margin=1.0, p_first=0.1).certainty == pytest.approx(0.8)


def test_a_judge_that_agrees_at_a_rate_does_so_in_either_order() -> None:
    rule = agreeing(BY_LENGTH, 0.8)
    texts = [(f"{n}" * 9, f"{n}") for n in range(400)]
    right = [rule(long, short, 0) is F for long, short in texts]
    assert 0.74 < sum(right) / len(right) < 0.86
    assert [rule(short, long, 0) is S for long, short in texts] == right


def test_a_random_judge_favours_nothing() -> None:
    said = [at_random()(f"a{n}", f"b{n}", 0) for n in range(400)]
    assert 160 < said.count(F) < 240
    assert said == [at_random()(f"a{n}", f"b{n}", 0) for n in range(400)]


def test_a_rubric_has_a_criterion_to_a_line() -> None:
    assert criteria_of("- Right\n\n 2. Short \n* 3D printable\n") == ("Right", "Short", "3D printable")
    many = criteria_of("\n".join(f"c{n}" for n in range(20)))
    assert len(many) == 12
    assert many[-1].split() == [f"c{n}" for n in range(11, 20)]


def json_reply(**fields: object) -> Callable[[Request], str]:
    return lambda request: json.dumps({"id": request.messages[-1].content[:12]} | fields)


def test_criteria_are_drafted_from_votes() -> None:
    seen: list[str] = []

    def reply(request: Request) -> str:
        seen.append(request.messages[-1].content)
        return json_reply(criteria=[" Names a  source. ", "Is short."])(request)

    votes = [VoteExample({"q": "x"}, "p" * 9000, "other", "preferred: clear")]
    found = draft_criteria(Scripted(reply), "Answer.", ("Old",), votes)
    assert found == ("Names a source.", "Is short.")
    material = json.loads(seen[0].split("\n")[1])
    assert material["votes"][0]["why"] == "preferred: clear"
    assert len(material["votes"][0]["preferred"]) == 2000


@pytest.mark.parametrize("fields", [{"criteria": []}, {"criteria": [1]}, {"criteria": "a"}, {}])
def test_a_draft_that_is_none_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(NoVerdict):
        draft_criteria(Scripted(json_reply(**fields)), "Answer.", (), ())


def test_a_critic_lists_faults_of_each_side() -> None:
    critique = criticise(Scripted(json_reply(first=[], second=["Too short."])), QUESTION)
    assert (critique.first, critique.second) == ((), ("Too short.",))

"""Judges beside people: reports, the bar, how votes count, the review queue, rubrics, critics, contests."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from optimizer.domain import Batch, InputId, JudgeVotes, Outcome, PromptId, RaterId, RaterKind, Settings
from optimizer.errors import BadInput, Conflict, NotAllowed, NotFitted
from optimizer.judges.base import Mark
from optimizer.judges.scripted import agreeing, always, at_random, perfect
from optimizer.judging.comparing import compared, once, powered
from optimizer.judging.plan import Match
from optimizer.judging.progress import State
from optimizer.judging.rulings import ruling_of
from optimizer.judging.spo import Contest, challenge, outcome_of, sampled_inputs
from optimizer.llm.base import Request
from optimizer.llm.scripted import Scripted
from optimizer.results import VoteFilter
from tests.optimizer.judging_world import ANN, STUDY, World, make_world, quality

BEST = perfect(quality)
WORST = perfect(lambda text: -quality(text))


@pytest.fixture
def world() -> World:
    return make_world(inputs=12)


def people_vote(world: World, times: int = 40) -> None:
    """Ann prefers the better prompt, on either side of the screen."""
    for n in range(times):
        i, j = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)][n % 6]
        first, second = (i, j) if n % 4 < 2 else (j, i)
        outcome = Outcome.FIRST if first > second else Outcome.SECOND
        world.vote(f"p{first}", f"p{second}", f"x{n // 6 % 12}", outcome)


def order(world: World, chosen: VoteFilter | None = None) -> list[str]:
    return [row.prompt.id for row in world.results.standings(world.study, chosen).rows]


def report_of(world: World):
    return world.judging.bar.reports(STUDY)[0]


def test_a_perfect_judge_is_reported_as_one(world: World) -> None:
    people_vote(world)
    world.run(world.plan(world.connect("j", BEST), duels=40, calibrate=40))
    report = report_of(world)
    assert (report.agreement.value, report.votes) == (1.0, 40)
    assert report.kappa.value == pytest.approx(1.0)
    assert report.agreement.n == 40
    assert report.position is not None
    assert report.position.dependent.value == 0.0
    assert report.confusion.sum() == np.trace(report.confusion) == 40
    assert (report.note, report.uninformative, report.position_biased, report.warnings) == (
        "",
        False,
        False,
        (),
    )


@pytest.mark.parametrize("counting", JudgeVotes)
def test_always_first_changes_no_ranking_and_is_found_within_thirty_duels(
    world: World, counting: JudgeVotes
) -> None:
    people_vote(world)
    world.set(judge_votes=counting.value)
    before = order(world)
    progress = world.run(world.plan(world.connect("j", always(Outcome.FIRST)), duels=30))
    assert progress.votes == 30
    assert order(world) == before == ["p3", "p2", "p1", "p0"]
    report = report_of(world)
    assert report.position_biased
    assert report.position is not None
    assert (report.position.favours_first.value, report.position.dependent.n) == (1.0, 30)
    assert any("shown first" in warning for warning in report.warnings)
    assert "go with the position" in report.note
    assert report.rater.set_aside_at is not None


def test_a_judge_that_was_set_aside_votes_again_only_when_told(world: World) -> None:
    name = world.connect("j", always(Outcome.SECOND))
    first = world.run(world.plan(name, duels=60))
    assert first.state is State.DONE
    assert 30 <= first.votes < 60
    assert "set aside" in first.last_error
    with pytest.raises(Conflict, match="set aside"):
        world.judging.start(world.plan(name, duels=60))
    rater = report_of(world).rater
    world.judging.bar.let_vote(rater.id)
    assert world.run(world.plan(name, duels=60)).votes == 60 - first.votes
    assert report_of(world).rater.set_aside_at is None
    world.judging.bar.set_aside(rater.id)
    assert world.store.pair_counts(STUDY) == []


def test_a_random_judge_is_uninformative_and_counts_about_nothing(world: World) -> None:
    people_vote(world, 48)
    world.set(judge_votes="discounted", judge_bar=0.0)
    alone = world.results.standings(world.study, VoteFilter(kind=RaterKind.HUMAN))
    world.run(world.plan(world.connect("j", at_random(7)), mode="one_order", duels=150, calibrate=48))
    both = world.results.standings(world.study)
    assert (both.human_votes, both.judge_votes) == (48, 150)
    for with_judge, without in zip(both.rows, alone.rows, strict=True):
        assert with_judge.prompt == without.prompt
        assert with_judge.strength == pytest.approx(without.strength, abs=0.15)
        assert with_judge.high - with_judge.low == pytest.approx(without.high - without.low, rel=0.06)
    report = report_of(world)
    assert report.uninformative
    assert any("coin" in warning for warning in report.warnings)


def test_a_judge_below_the_bar_is_set_aside(world: World) -> None:
    people_vote(world)
    world.run(world.plan(world.connect("j", WORST), duels=40, calibrate=40))
    report = report_of(world)
    assert "below the bar of 60%" in report.note
    assert report.rater.set_aside_at is not None
    assert order(world, VoteFilter(judges=JudgeVotes.FULL)) == ["p3", "p2", "p1", "p0"]


def test_a_good_judge_narrows_the_standings(world: World) -> None:
    people_vote(world, 30)
    world.set(judge_votes="discounted")
    alone = world.results.standings(world.study)
    world.run(world.plan(world.connect("j", agreeing(BEST, 0.8)), duels=200))
    both = world.results.standings(world.study)
    assert order(world) == ["p3", "p2", "p1", "p0"]
    widths = [(w.high - w.low) / (a.high - a.low) for w, a in zip(both.rows, alone.rows, strict=True)]
    assert np.mean(widths) < 0.9


def test_the_setting_says_how_judges_count(world: World) -> None:
    people_vote(world, 12)
    world.run(world.plan(world.connect("j", WORST), duels=9))  # too few to be set aside

    def counted(**kept: object) -> tuple[int, int]:
        standings = world.results.standings(world.study, VoteFilter(**kept))  # type: ignore[arg-type]
        return standings.human_votes, standings.judge_votes

    assert counted() == (12, 0)
    assert counted(judges=JudgeVotes.FULL) == (12, 9)
    assert counted(kind=RaterKind.JUDGE) == (0, 9)
    world.set(judge_votes="full")
    assert counted() == (12, 9)
    assert counted(judges=JudgeVotes.BESIDE) == (12, 0)
    world.set(judge_votes="discounted")
    assert counted() == (12, 9)
    assert counted(kind=RaterKind.HUMAN) == (12, 0)


def test_judges_alone_are_shown_while_nobody_else_has_voted(world: World) -> None:
    world.run(world.plan(world.connect("j", BEST), duels=20))
    standings = world.results.standings(world.study)
    assert (standings.human_votes, standings.judge_votes) == (0, 20)
    world.set(judge_votes="discounted")
    assert (
        max(abs(row.strength) for row in world.results.standings(world.study).rows) < 1e-9
    )  # nothing earned


def test_the_race_ends_at_the_standings(world: World) -> None:
    people_vote(world, 20)
    world.set(judge_votes="discounted")
    world.run(world.plan(world.connect("j", agreeing(BEST, 0.9)), duels=30))
    race = world.results.race(world.study)
    last = dict(zip(race.names, race.chance[-1], strict=True))
    for row in world.results.standings(world.study).rows:
        assert last[row.prompt.name] == pytest.approx(row.chance, abs=0.02)


@pytest.mark.parametrize("wrong", [{"judge_votes": "maybe"}, {"judge_bar": 1.5}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    from optimizer.studies import check_settings

    with pytest.raises(BadInput):
        check_settings(replace(Settings(), **wrong))  # type: ignore[arg-type]


def test_people_and_judge_make_a_sharper_win_rate(world: World) -> None:
    people_vote(world, 48)
    world.run(world.plan(world.connect("j", agreeing(BEST, 0.9)), duels=140, calibrate=48))
    duels = compared(world.store.answered(STUDY), report_of(world).rater.id)
    found = powered(duels, PromptId("p1"))
    assert (found.people, found.people + found.judged) == (
        sum("p1" in (d.duel.first, d.duel.second) and d.people is not None for d in once(duels)),
        sum("p1" in (d.duel.first, d.duel.second) for d in once(duels)),
    )
    assert found.low < 1 / 3 < found.high  # p1 beats one of its three opponents
    assert found.high - found.low < found.people_high - found.people_low
    with pytest.raises(NotFitted):
        powered(duels, PromptId("nobody"))


def test_scores_are_turned_to_the_judges_frame(world: World) -> None:
    world.vote("p0", "p3", "x0", Outcome.FIRST)  # Ann likes the worse one
    world.run(world.plan(world.connect("j", BEST), duels=1, calibrate=1))
    duel = compared(world.store.answered(STUDY), report_of(world).rater.id)[0]
    assert duel.of(PromptId("p3")) == (1.0, 0.0)
    assert duel.of(PromptId("p0")) == (0.0, 1.0)
    assert report_of(world).agreement.hits == 0


def test_the_review_queue_begins_with_what_matters_and_is_doubtful(world: World) -> None:
    def unsure(first: str, second: str, sample: int) -> Outcome:
        close = abs(quality(first) - quality(second)) == 1 and "x3" in first
        return Outcome.FIRST if close else BEST(first, second, sample)

    world.run(world.plan(world.connect("j", unsure), duels=120))
    review = world.judging.review
    queue = review.queue(world.study, 200)
    assert [item.priority for item in queue] == sorted((item.priority for item in queue), reverse=True)
    marked = [ruling_of(item.ballot.vote).mark for item in queue]  # type: ignore[union-attr]
    assert marked[0] is Mark.POSITION_DEPENDENT
    top = queue[0].ballot.duel
    assert PromptId("p3") in (top.first_prompt, top.second_prompt)
    before = review.ask(world.study, ANN, queue[1].ballot.duel)
    asked = review.ask(world.study, ANN, top)  # takes the place of the open pair
    assert world.store.duel(before.id).closed_at is not None
    assert (asked.rater, asked.repeats, asked.replay) == (ANN, top.id, False)
    assert review.ask(world.study, ANN, top) == asked
    assert world.store.open_duel(STUDY, ANN, asked.asked_at) == asked
    world.store.release_expired(asked.expires_at)
    world.vote(top.first_prompt, top.second_prompt, top.input, Outcome.FIRST)
    again = [item.ballot.duel.id for item in review.queue(world.study, 200)]
    assert top.id not in again
    assert len(again) == len(queue) - 1


def test_rubrics_are_versions(world: World) -> None:
    rubrics = world.judging.rubrics
    first = rubrics.current(STUDY)
    assert (first.version, first.text) == (1, "- Good\n- Short")
    assert rubrics.edit(STUDY, " - Good\n- Short ") == first
    second = rubrics.edit(STUDY, "Only truth")
    assert (second.version, rubrics.current(STUDY)) == (2, second)
    assert rubrics.versions(STUDY) == [first, second]
    with pytest.raises(BadInput, match="at least one"):
        rubrics.edit(STUDY, " \n ")


def test_criteria_are_drafted_from_people_votes(world: World) -> None:
    people_vote(world, 3)
    duel = world.vote("p0", "p3", "x5", Outcome.SECOND)
    vote = world.store.ballots(STUDY, duel=duel.id)[0].vote
    world.store.note_vote(vote.id, ("superficial",), ("complete",), "Much better.", vote.at)
    seen: list[dict] = []

    def reply(request: Request) -> str:
        fence, payload, _ = request.messages[-1].content.split("\n")
        seen.append(json.loads(payload))
        return json.dumps({"id": fence, "criteria": ["Complete."]})

    assert world.judging.rubrics.draft(STUDY, Scripted(reply)) == ("Complete.",)
    assert len(seen[0]["votes"]) == 4
    top = seen[0]["votes"][0]
    assert (top["preferred"], top["other"]) == ("quality 3 on x5", "quality 0 on x5")
    assert top["why"] == "preferred: complete. other: superficial. Much better."
    assert "Secret" not in json.dumps(seen)


def test_a_critic_speaks_after_the_vote(world: World) -> None:
    def reply(request: Request) -> str:
        return json.dumps({"id": request.messages[-1].content[:12], "first": ["Dull."], "second": []})

    done = world.vote("p0", "p3", "x0", Outcome.SECOND)
    open_one = replace(done, id="open", closed_at=None)  # type: ignore[arg-type]
    world.store.add(Batch(duels=[open_one]))
    critic, model = world.judging.critic, Scripted(reply)
    assert critic.of(done.id, model).first == ("Dull.",)
    with pytest.raises(NotAllowed, match="after the vote"):
        critic.of(open_one.id, model)
    world.set(critic_first=True)  # the host's choice
    assert critic.of(open_one.id, model).second == ()


@pytest.mark.parametrize(
    ("champion", "challenger", "rule", "accepted"),
    [
        ("p1", "p2", BEST, True), ("p2", "p1", BEST, False),
        ("p2", "p1", WORST, True), ("p1", "p2", WORST, False),
        ("p1", "p2", always(Outcome.FIRST), False), ("p2", "p1", always(Outcome.SECOND), False),
    ],
)  # fmt: skip
def test_only_a_challenger_that_wins_clearly_is_accepted(
    world: World, champion, challenger, rule, accepted
) -> None:
    one, other = PromptId(champion), PromptId(challenger)
    inputs = sampled_inputs(world.store, world.study)
    assert len(inputs) == 3
    assert inputs == sampled_inputs(world.store, world.study)
    assert not outcome_of(world.store, world.study, one, other, inputs).complete
    world.run(challenge(world.study, world.connect("j", rule), one, other, inputs))
    contest = outcome_of(world.store, world.study, one, other, inputs)
    assert contest.complete
    assert contest.accepted is accepted
    assert len(world.store.ballots(STUDY)) == 3


@pytest.mark.parametrize(
    ("contest", "accepted"),
    [((2, 0, 1), True), ((3, 0, 0), True), ((2, 1, 0), False), ((1, 0, 2), False), ((2, 0, 0), False)],
)
def test_a_close_or_unfinished_contest_changes_nothing(contest: tuple[int, int, int], accepted: bool) -> None:
    assert Contest(*contest, 3).accepted is accepted


def test_coins_are_accepted_as_rarely_as_is_said() -> None:
    """Worked by hand over all 27 outcomes of three inputs: a coin in each order wins 1/4, loses 1/4."""
    chance = {1: 0.25, -1: 0.25, 0: 0.5}
    found = sum(
        chance[a] * chance[b] * chance[c]
        for a in chance for b in chance for c in chance
        if Contest((a, b, c).count(1), (a, b, c).count(-1), (a, b, c).count(0), 3).accepted
    )  # fmt: skip
    assert found == pytest.approx(7 / 64)


def test_votes_of_judges_are_exported_with_their_version(world: World) -> None:
    from optimizer.exchange import Exchange

    people_vote(world, 1)
    world.run(world.plan(world.connect("j", BEST), duels=1))
    exchange = Exchange(world.store, world.results, 1_000_000)
    lines = b"".join(exchange.export(STUDY, "votes-jsonl", VoteFilter()).pieces).decode().splitlines()
    by_kind = {record["rater"]["kind"]: record for record in map(json.loads, lines)}
    verdict = by_kind["judge"]["verdict"]
    assert (verdict["rubric"], verdict["model"], verdict["mode"]) == (1, "scripted (j)", "both_orders")
    assert not by_kind["human"].get("verdict")
    table = b"".join(exchange.export(STUDY, "votes-csv", VoteFilter()).pieces).decode("utf-8-sig")
    rows = {row["rater_kind"]: row for row in csv.DictReader(table.splitlines())}
    carried = ("judge_rubric", "judge_model", "judge_mode", "judge_repeats", "judge_certainty")
    assert [rows["judge"][name] for name in carried] == ["1", "scripted (j)", "both_orders", "1", "1.0"]
    assert {rows["human"][name] for name in carried} == {""}


def test_people_and_judges_have_a_coefficient_together(world: World) -> None:
    for n in range(6):  # ann and bob agree on every pair
        for rater in (ANN, RaterId("bob")):
            world.vote("p0", "p3", f"x{n}", Outcome.SECOND if n % 2 else Outcome.FIRST, rater=rater)
    bar = world.judging.bar
    assert bar.alpha(STUDY).value == pytest.approx(1.0)
    world.run(world.plan(world.connect("j", BEST), duels=6, calibrate=6))
    judge = report_of(world).rater.id
    assert bar.alpha(STUDY).value == pytest.approx(1.0)
    # By hand, of 18 scores: in 3 duels the judge is apart from both people, 4 of 6 ordered pairs each.
    observed = 3 * 4 / (6 * 6)
    wins = 6 + 6  # of p3: the people's 6 and the judge's 6
    expected = 2 * wins * (18 - wins) / (18 * 17)
    assert bar.alpha(STUDY, judge).value == pytest.approx(1 - observed / expected)


def test_an_estimate_has_tokens_and_money_where_prices_are_known(world: World) -> None:
    plan = world.plan(world.connect("j", BEST, input_price=1.0, output_price=2.0), duels=10)
    found = world.judging.estimate(plan)
    assert (found.votes, found.calls) == (10, 20)
    assert found.money is not None
    assert found.tokens / 1e6 < found.money < 2 * found.tokens / 1e6
    world.connect("free", BEST)
    assert world.judging.estimate(world.plan("j", "free", duels=10)).money is None
    took = world.run(plan).spent.tokens
    assert took / 3 < found.tokens < 3 * took
    assert not world.store.rubrics(STUDY) or world.judging.estimate(plan).calls == 0


def test_what_people_said_counts_once_however_often_a_judge_is_asked(world: World) -> None:
    for n in range(12):
        world.vote("p0", "p3", f"x{n}", Outcome.SECOND if n < 9 else Outcome.FIRST)
    matches = tuple(Match(PromptId("p0"), PromptId("p3"), InputId(f"x{n}")) for n in range(12))
    name = world.connect("j", BEST)
    for _ in range(3):  # the same twelve pairs of outputs
        world.run(world.plan(name, duels=100, matches=matches, follow=False))
    report = report_of(world)
    assert (report.votes, report.agreement.n, report.agreement.hits) == (36, 12, 9)
    assert report.kappa.n == 12
    assert world.judging.bar.powered(STUDY, report.rater.id)[PromptId("p3")].people == 12

"""The report's facts: what is in it, and that it says what the votes said."""

import pytest

from optimizer.domain import Grade, JudgeVotes, RaterKind, Settings
from optimizer.reports import sections
from optimizer.reports.facts import Report
from optimizer.reports.language import UNKNOWN, language_of
from optimizer.reports.markdown import to_markdown
from optimizer.reports.segments import FEWEST
from optimizer.results import VoteFilter
from tests.optimizer.reports.report_world import FIRST, GOOD, SECOND, World

TITLES = [
    "The question",
    "The winner",
    "Cautions",
    "Standings",
    "How sure, and why",
    "What voters said",
    "Telling duels",
    "Winners by segment",
    "Quality, cost and latency",
    "At equal length",
    "The winning prompt",
    "How to reproduce it",
]


@pytest.fixture(scope="module")
def report() -> Report:
    world = World(prompts=("Best", "Middle", "Worst", "Odd")).usual()
    world.vote("Odd", "Best", FIRST, 2, rater="Bob", x=4)
    world.vote("Worst", "Odd", FIRST, 12, rater="Bob")
    world.vote(
        "Best", "Worst", FIRST, 2, comment="So clear!", for_first=("clear",), against_second=("incorrect",)
    )
    world.vote(
        "Worst", "Best", FIRST, 1, rater="Bob", x=3, comment="This one is shorter.", for_first=("useful",)
    )
    world.vote(
        "Worst", "Best", FIRST, 1, rater="Cleo", x=3, against_second=("too long",), grade=Grade.CLEARLY
    )
    return world.report()


def test_every_section_is_there(report: Report) -> None:
    assert [section.title for section in sections(report)] == TITLES


def test_the_winner_is_that_of_the_standings(report: Report) -> None:
    assert report.winner is report.standings.rows[0]
    text = to_markdown(report)
    assert report.standings.cyclic  # Odd beat Best, and lost to Worst
    assert "**Best beats every other prompt with a probability of " in text
    assert report.winner.p_best > 0.95
    assert report.standings.advice is not None
    assert f"probability of {100 * report.standings.advice.p_best:.0f} %" in text
    assert "Best: {{q}}" in text


def test_votes_raters_and_agreement_are_counted(report: Report) -> None:
    evidence = report.evidence
    assert (evidence.people, evidence.judges, evidence.inputs) == (3, 0, 6)
    assert report.standings.votes == 117
    assert evidence.people_agree.n > 50
    assert evidence.people_agree.value > 0.8
    assert evidence.alpha.value > 0.3
    assert evidence.steady.n == 0


def test_the_share_of_judges_is_told() -> None:
    world = World(settings=Settings(judge_votes=JudgeVotes.FULL.value)).usual()
    world.vote("Best", "Worst", FIRST, 33, rater="GPT", kind=RaterKind.JUDGE)
    report = world.report()
    assert (report.evidence.judges, report.standings.judge_votes) == (1, 33)
    assert "| Share of votes by judges | 25" in to_markdown(report)


def test_what_was_ticked_and_written(report: Report) -> None:
    voices = report.voices
    assert voices is not None
    assert voices.for_winner == {"clear": 2}
    assert voices.against_winner == {"too long": 1}
    assert voices.for_others == {"useful": 1}
    assert voices.against_others == {"incorrect": 2}
    assert (voices.praise, voices.blame) == (("So clear!",), ("This one is shorter.",))


def test_the_telling_duels(report: Report) -> None:
    duels = {duel.kind: duel for duel in report.duels}
    assert list(duels) == ["win", "split", "loss"]
    assert duels["win"].lost == 0
    assert duels["win"].won >= 2
    assert min(duels["split"].won, duels["split"].lost) > 0
    assert duels["loss"].lost > duels["loss"].won
    for duel in report.duels:
        assert duel.winner.prompt == "Best"
        assert duel.winner.input == duel.other.input == duel.row.id


def test_a_loss_that_nobody_contradicts_is_told_with_its_comment() -> None:
    world = World(prompts=("Best", "Middle", "Worst", "Odd")).usual()
    world.vote("Worst", "Odd", FIRST, 12)
    world.vote("Odd", "Best", FIRST, 1, x=3, comment="Really.", grade=Grade.CLEARLY)
    (lost,) = [duel for duel in world.report().duels if duel.kind == "loss"]
    assert (lost.other_prompt.name, lost.won, lost.lost, lost.comments) == ("Odd", 0, 1, ("Really.",))


def test_segments_have_a_winner_only_with_enough_votes() -> None:
    world = World(inputs=8).usual()
    report = world.report(VoteFilter())
    by_name = {(one.slice, one.name): one for one in report.segments}
    assert by_name["tag", "even"].leader is not None
    assert by_name["tag", "even"].leader.name == "Best"
    assert by_name["tag", "even"].votes + by_name["tag", "odd"].votes == report.standings.votes
    few = World()
    few.vote("Best", "Middle", FIRST, FEWEST // 2, x=0)
    assert all(one.leader is None for one in few.report().segments)
    assert "Too few votes to name a winner" in to_markdown(few.report())


def test_the_cheapest_that_may_be_the_best_is_marked() -> None:
    world = World(prompts=("Dear", "Cheap", "Worst"))
    for first, second in (("Dear", "Worst"), ("Cheap", "Worst")):
        world.vote(first, second, FIRST, 20)
    world.vote("Dear", "Cheap", FIRST, 6)
    world.vote("Dear", "Cheap", SECOND, 6)
    report = world.report()
    assert report.measure == "money"
    assert report.cheapest is not None
    assert report.cheapest.prompt.name == "Dear"  # its outputs cost least: prices grow with the prompt
    assert [one.prompt.name for one in report.prices if one.plausible] == ["Dear", "Cheap"] or [
        one.prompt.name for one in report.prices if one.plausible
    ] == ["Cheap", "Dear"]
    assert report.cheapest.money == pytest.approx(0.001)
    assert (report.cheapest.tokens, report.cheapest.latency_ms) == (10, 100)


def test_strengths_at_equal_length_stand_beside_the_raw_ones(report: Report) -> None:
    assert report.fair is not None
    assert report.fair.strengths.keys() == report.fair.p_best.keys() == {"Best", "Middle", "Worst", "Odd"}
    assert report.fair.leader.name == "Best"
    assert abs(report.fair.pull) < 3 * report.fair.pull_sd  # all outputs are about as long


def test_how_to_reproduce_it(report: Report) -> None:
    text = to_markdown(report)
    for told in (
        "| Seed | 5 |",
        "| Selector | auto |",
        "numpy",
        "python -m optimizer report s -o report.html",
    ):
        assert told in text


def test_a_filter_narrows_everything(report: Report) -> None:
    world = World().usual()
    narrow = world.report(VoteFilter(raters=frozenset({world.store.raters(world.study.id)[0].id})))
    assert narrow.standings.votes == 33
    assert narrow.evidence.people == 1
    assert narrow.race.votes[-1] == 33


def test_ties_and_skips_lose_nobody() -> None:
    world = World()
    world.vote("Best", "Middle", GOOD, 4)
    report = world.report()
    assert report.winner is not None
    assert [duel.kind for duel in report.duels] == ["split"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my parcel, please? I have been waiting for it since Monday.", "English"),
        ("Wo ist mein Paket? Ich warte seit Montag und es ist nicht da.", "German"),
        ("Où est mon colis ? Je n'ai pas reçu la commande et vous ne répondez pas.", "French"),
        ("¿Dónde está el paquete que pedí? No me llegó y es para el lunes.", "Spanish"),
        ("我的包裹在哪里?", "Chinese"),
        ("荷物はどこですか。", "Japanese"),
        ("Где моя посылка?", "Russian or another in Cyrillic"),
        ("x = y + 1", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_languages_are_told_or_left_open(text: str, language: str) -> None:
    assert language_of(text) == language

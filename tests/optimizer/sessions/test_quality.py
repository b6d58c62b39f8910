"""Careless raters are found, careful ones are left alone, and nobody's votes are lost."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from optimizer.domain import Batch, Duel, DuelId, Outcome, Rater, RaterId, Vote, VoteId
from optimizer.sessions.board import Board
from optimizer.sessions.groups import Groups, shuffle_test
from optimizer.sessions.quality import Quality, RaterReport
from optimizer.stats.agreement import first_rate
from optimizer.stats.judge_bias import rate
from tests.optimizer.session_world import STUDY, World

A, GOOD, B = Outcome.FIRST, Outcome.BOTH_GOOD, Outcome.SECOND
STRENGTH = np.array([0.0, 0.6, 1.2, 1.8])


class Floor(World):
    """Raters of known habits, whose duels are drawn at random."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.rng = np.random.default_rng(seed)
        self.numbers = 0

    def rater(self, name: str) -> RaterId:
        self.store.add(Batch(raters=[Rater(RaterId(name), STUDY, name)]))
        return RaterId(name)

    def asked(
        self, rater: RaterId, repeats: Duel | None = None, replay: bool = False, swap: bool = False
    ) -> Duel:
        """A duel of a random pair, or of the same one again."""
        self.numbers += 1
        i, j = (int(arm) for arm in self.rng.permutation(4)[:2])
        x = int(self.rng.integers(6))
        now = self.clock()
        duel = Duel(
            DuelId(f"d{self.numbers}"), STUDY, f"x{x}", f"o{i}-{x}", f"o{j}-{x}", f"p{i}", f"p{j}", rater,
            "random", "drawn", False, now, now + timedelta(minutes=5),
        )  # fmt: skip
        if repeats is None:
            return duel
        again = replace(repeats, id=duel.id, rater=rater, repeats=repeats.id, replay=replay, closed_at=None)
        if not swap:
            return again
        return replace(
            again,
            first=again.second,
            second=again.first,
            first_prompt=again.second_prompt,
            second_prompt=again.first_prompt,
        )

    def honest(self, duel: Duel, sharp: float = 1.0, strength: np.ndarray = STRENGTH) -> Outcome:
        """By strength, with noise; sides do not matter."""
        i, j = int(duel.first_prompt[1]), int(duel.second_prompt[1])
        return A if self.rng.random() < 1 / (1 + np.exp(-sharp * (strength[i] - strength[j]))) else B

    def votes(self, duels: list[Duel], outcomes: list[Outcome], ms: int | None = 5000) -> None:
        said = [
            Vote(VoteId(f"v{duel.id}"), STUDY, duel.id, duel.rater, outcome, self.clock(), view_ms=ms)
            for duel, outcome in zip(duels, outcomes, strict=True)
        ]
        self.store.add(Batch(duels=duels, votes=said))

    def report(self, rater: RaterId, reliability: bool = False) -> RaterReport:
        reports = Quality(self.store, self.clock).reports(STUDY, reliability=reliability)
        return next(report for report in reports if report.rater.id == rater)


@pytest.mark.parametrize("side", [A, B])
def test_a_rater_who_always_presses_one_side_is_found_within_thirty_votes(side: Outcome) -> None:
    """After every vote the host may look; each of these raters is found at the latest at the thirtieth."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        said: list[Outcome] = []
        for _ in range(30):
            said.append(side if rng.random() < 0.95 else GOOD)  # a tie now and then
            report = bare_report(said)
            if report.notes:
                break
        assert report.notes, f"seed {seed} was not found"
        assert ("Chose A" if side is A else "Chose B") in report.notes[0]


def test_of_careful_raters_hardly_one_is_accused_within_two_hundred_votes() -> None:
    accused = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        first = np.cumsum(rng.random(200) < 0.5)
        votes = np.arange(1, 201)
        looks = [n for n in (15, 20, 30, 50, 80, 120, 200) if n <= 200]
        accused += any(
            first_rate(int(first[n - 1]), int(votes[n - 1] - first[n - 1])).p_value < 0.001 for n in looks
        )
    assert accused <= 4  # 2 %


def bare_report(said: list[Outcome]) -> RaterReport:
    nothing = rate(0, 0)
    return RaterReport(
        Rater(RaterId("r"), STUDY, "R"), len(said), nothing, nothing,
        first_rate(said.count(A), said.count(B)), None, nothing, None,
    )  # fmt: skip


def test_the_store_tells_the_same_of_a_rater_who_always_presses_a() -> None:
    floor = Floor()
    lazy, keen = floor.rater("lazy"), floor.rater("keen")
    for rater in (lazy, keen):
        duels = [floor.asked(rater) for _ in range(30)]
        floor.votes(duels, [A if rater == lazy else floor.honest(duel) for duel in duels])
    assert floor.report(lazy).first.value == 1.0
    assert len(floor.report(lazy).notes) == 1
    assert floor.report(keen).notes == ()


def test_agreement_is_by_output_whatever_the_side() -> None:
    floor = Floor()
    ann, bob = floor.rater("ann"), floor.rater("bob")
    duels = [floor.asked(ann) for _ in range(12)]
    floor.votes(duels, [A] * 12)
    same = [floor.asked(bob, duel, swap=n % 2 == 0) for n, duel in enumerate(duels)]
    floor.votes(same, [B if n % 2 == 0 else A for n in range(9)] + [GOOD] * 3)
    report = floor.report(bob)
    assert (report.others.hits, report.others.n) == (9, 12)
    assert Quality(floor.store).alpha(STUDY).n == 12
    assert floor.report(ann).others.value == report.others.value


def test_self_agreement_counts_swapped_replays_only() -> None:
    floor = Floor()
    ann = floor.rater("ann")
    duels = [floor.asked(ann) for _ in range(8)]
    floor.votes(duels, [A] * 8)
    swapped = [floor.asked(ann, duel, replay=True, swap=True) for duel in duels]
    floor.votes(swapped, [B] * 6 + [A] * 2)
    in_room = [floor.asked(ann, duel, replay=True) for duel in duels]  # the same way round: a second vote
    floor.votes(in_room, [B] * 8)
    assert (floor.report(ann).itself.hits, floor.report(ann).itself.n) == (6, 8)


def test_votes_too_quick_to_have_read_are_told() -> None:
    floor = Floor()
    quick, slow = floor.rater("quick"), floor.rater("slow")
    for rater, ms in ((quick, 900), (slow, 9000)):
        duels = [floor.asked(rater) for _ in range(12)]
        floor.votes(duels, [floor.honest(duel) for duel in duels], ms)
    assert floor.report(quick).median_ms == 900
    assert any("could be read" in note for note in floor.report(quick).notes)
    assert not floor.report(slow).notes


def test_a_careless_rater_is_less_reliable_and_counts_less() -> None:
    floor = Floor(3)
    raters = [floor.rater(name) for name in ("ann", "bob", "cid", "coin")]
    for rater in raters:
        duels = [floor.asked(rater) for _ in range(80)]
        floor.votes(duels, [floor.honest(duel, 0.0 if rater == "coin" else 2.0) for duel in duels])
    reports = {rater: floor.report(rater, reliability=True).reliability for rater in raters}
    coin = reports[RaterId("coin")]
    assert coin is not None
    for rater in raters[:3]:
        other = reports[rater]
        assert other is not None
        assert coin.high < other.low
    study = floor.store.study(STUDY)
    floor.store.replace(replace(study, settings=replace(study.settings, weigh_raters=True)))
    weighed = floor.results.standings(floor.store.study(STUDY))
    plain = floor.results.standings(study)
    assert (
        weighed.rows[0].strength - weighed.rows[-1].strength
        > plain.rows[0].strength - plain.rows[-1].strength
    )


def test_setting_aside_is_reversible() -> None:
    floor = Floor()
    ann = floor.rater("ann")
    duels = [floor.asked(ann) for _ in range(5)]
    floor.votes(duels, [A] * 5)
    quality, study = Quality(floor.store, floor.clock), floor.store.study(STUDY)
    quality.set_aside(ann)
    assert floor.results.standings(study).votes == 0
    quality.bring_back(ann)
    assert floor.results.standings(study).votes == 5


def grouped(seed: int, opposed: bool, raters: int = 4, votes: int = 25) -> tuple[Floor, dict[RaterId, str]]:
    floor, group_of = Floor(seed), {}
    for group, strength in (("Sales", STRENGTH), ("Support", STRENGTH[::-1] if opposed else STRENGTH)):
        for n in range(raters):
            rater = floor.rater(f"{group}{n}")
            group_of[rater] = group
            duels = [floor.asked(rater) for _ in range(votes)]
            floor.votes(duels, [floor.honest(duel, strength=strength) for duel in duels])
    return floor, group_of


def test_who_is_set_aside_is_no_measure_for_others() -> None:
    floor = Floor()
    ann, bob, cid = (floor.rater(name) for name in ("ann", "bob", "cid"))
    for _ in range(10):
        first = floor.asked(ann)
        floor.votes([first], [A])
        floor.votes([floor.asked(bob, first), floor.asked(cid, first)], [A, B])
    quality = Quality(floor.store, floor.clock)

    def agreed() -> list[tuple[int, int]]:
        found = quality.reports(STUDY, reliability=False)
        return [(report.others.hits, report.others.n) for report in found]

    assert agreed() == [(10, 20), (10, 20), (0, 20)]
    quality.set_aside(cid)
    assert agreed() == [(10, 10), (10, 10), (0, 20)]


def test_groups_that_prefer_the_opposite_are_found() -> None:
    floor, group_of = grouped(1, opposed=True)
    found = Groups(floor.store, floor.results).compare(floor.store.study(STUDY), group_of)
    assert found.sure
    assert {view.leader.id for view in found.groups} == {"p3", "p0"}
    assert all(view.enough for view in found.groups)


def test_too_few_raters_or_votes_say_nothing() -> None:
    for raters, votes in ((2, 60), (3, 5)):
        floor, group_of = grouped(1, opposed=True, raters=raters, votes=votes)
        found = Groups(floor.store, floor.results).compare(floor.store.study(STUDY), group_of)
        assert not found.known
        assert not found.sure
        assert not any(view.enough for view in found.groups)


def test_groups_alike_are_told_apart_as_rarely_as_promised() -> None:
    """The p-value is uniform when raters differ from each other but not by group."""
    rng = np.random.default_rng(0)
    low = 0
    for _ in range(40):
        rows = []
        for rater in range(8):
            taste = STRENGTH + rng.normal(0, 0.7, 4)  # of their own
            for _ in range(20):
                i, j = rng.permutation(4)[:2]
                rows.append((rater, i, j, float(rng.random() < 1 / (1 + np.exp(taste[j] - taste[i])))))
        low += shuffle_test(np.array(rows), np.array([0, 1] * 4), 4, rng) < 0.1
    assert low <= 10  # 4 expected


def test_who_is_set_aside_is_no_part_of_what_the_board_says_of_agreement() -> None:
    world = World()
    session = world.open(overlap=3, overlap_share=1.0)
    ann, bob, cid = world.join(session, "Ann", "Bob", "Cid")
    for _ in range(12):
        for rater in (ann, bob, cid):
            shown = world.workshop.next_duel(STUDY, rater)
            prefers_first = shown.first.prompt < shown.second.prompt
            world.workshop.record_vote(shown.duel.id, rater, A if prefers_first is (rater != cid) else B)
    board, seats = Board(world.store, world.clock), world.sessions.seats(STUDY)
    assert board.figures(session, seats).agreed.value == pytest.approx(1 / 3)
    Quality(world.store, world.clock).set_aside(cid)
    figures = board.figures(session, seats)
    assert (figures.agreed.value, figures.votes) == (1.0, 36)
    assert board.alpha(session).value == pytest.approx(1.0)

"""Proposed prompts: a prior at their parent's strength, wider, and a fair number of first duels."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from optimizer.counted import Counted
from optimizer.domain import Batch, Origin, Outcome, Output, OutputId, Prompt, PromptId, utc_now
from optimizer.newcomers import FIRST_DUELS, ancestors_in_use, introduce
from optimizer.pairing import Pairing
from optimizer.selectors.auto import prior_covariances
from optimizer.selectors.base import blank_record
from optimizer.stats.pair_effects import choose_pair_effects
from optimizer.stats.tally import Tally
from optimizer.workshop import Workshop
from tests.optimizer.judging_world import ANN, STUDY, World, make_world


def with_child(world: World, parent: str = "p3") -> Prompt:
    child = Prompt(
        PromptId("child"), STUDY, "Child", "New text {{x}}", PromptId(parent), Origin.PROPOSED, "changed"
    )
    outputs = [
        Output(OutputId(f"child-{row.id}"), STUDY, child.id, row.id, f"quality 9 on {row.id}")
        for row in world.store.inputs(STUDY)
    ]
    world.store.add(Batch(prompts=[child], outputs=outputs))
    return child


def test_a_newcomers_prior_is_its_parents_strength_with_a_wider_spread() -> None:
    wins = np.zeros((4, 4))
    wins[0, 1] = wins[0, 2] = 8.0
    wins[1, 2] = wins[2, 1] = 4.0
    first, second = np.nonzero(wins)
    rows = [np.array(column, dtype=np.int64) for column in (first, second)]
    same = np.zeros(len(first), dtype=np.int64)
    votes = Counted(
        rows[0], rows[1], same + 1, same, same, same - 1, wins[first, second],
        np.array([-1, -1, -1, 0]), False, False, 0, 1,
    )  # fmt: skip
    posterior = votes.posterior()
    strength, sd = posterior.mean, posterior.sd
    # Between the pool's middle and its parent, nearer to the parent; and in more doubt than the parent.
    assert 0.5 * strength[0] < strength[3] < strength[0]
    assert sd[3] > 1.2 * sd[0]
    orphan = replace(votes, parents=np.full(4, -1)).posterior().mean
    assert orphan[3] < 0.25 * orphan[0]


def test_the_default_selector_takes_the_parent_into_account() -> None:
    counts = np.zeros((4, 4, 8))
    counts[0, 1, 1] = counts[0, 2, 1] = 20.0
    record = blank_record(4, tally=Tally(counts), parents=np.array([-1, -1, -1, 0]))
    offered = prior_covariances(record)
    assert offered is not None
    believed = choose_pair_effects(record.tally, offered[1:])
    assert believed.strengths.mean[3] > 0.5 * believed.strengths.mean[0] > 0.0


def test_what_pairing_hands_to_selectors() -> None:
    world = make_world()
    with_child(world, "p1")
    content = Pairing(world.store).content(STUDY)
    assert content.parents.tolist() == [-1, -1, -1, -1, 1]
    assert content.proposed.tolist() == [False] * 4 + [True]


@pytest.mark.parametrize(("retired", "expected"), [([], [-1, 0, 1]), (["b"], [-1, 0]), (["a", "b"], [-1])])
def test_a_retired_parents_place_is_taken_by_the_nearest_ancestor(
    retired: list[str], expected: list[int]
) -> None:
    line = [Prompt(PromptId("a"), STUDY, "a", "a")]
    line += [Prompt(PromptId(n), STUDY, n, n, PromptId(p)) for n, p in (("b", "a"), ("c", "b"))]
    arm = {p.id: i for i, p in enumerate(p for p in line if p.id not in retired)}
    assert ancestors_in_use(line, arm).tolist() == expected


def test_a_newcomer_gets_its_first_duels_and_no_more() -> None:
    world = make_world(prompts=4, inputs=6)
    child = with_child(world)
    now = utc_now()
    workshop = Workshop(world.store, Pairing(world.store), lambda: now + timedelta(minutes=1))
    chosen = []
    for _ in range(30):
        shown = workshop.next_duel(STUDY, ANN)
        chosen.append(shown.duel)
        child_first = shown.duel.first_prompt == child.id
        workshop.record_vote(shown.duel.id, ANN, Outcome.SECOND if child_first else Outcome.FIRST)
    first = [duel for duel in chosen if duel.selector == "newcomer"]
    assert 1 <= len(first) <= FIRST_DUELS
    assert all(child.id in (duel.first_prompt, duel.second_prompt) for duel in first)
    met = sum(child.id in (duel.first_prompt, duel.second_prompt) for duel in chosen)
    assert met >= FIRST_DUELS


def test_whoever_is_no_newcomer_is_not_introduced() -> None:
    rng = np.random.default_rng(0)
    record = blank_record(3, proposed=np.zeros(3, dtype=bool))
    assert all(introduce(record, rng) is None for _ in range(20))
    record = replace(record, proposed=np.array([False, False, True]), parents=np.array([-1, -1, 1]))
    pairs = [introduce(record, rng) for _ in range(60)]
    asked = [pair for pair in pairs if pair is not None]
    assert 15 <= len(asked) <= 45
    assert {pair.first for pair in asked} == {2}
    assert {"parent", "leader"} == {pair.reason.split()[-1] for pair in asked}
    full = Tally(np.zeros((3, 3, 8)))
    full.counts[2, 0, 1] = FIRST_DUELS
    assert all(introduce(replace(record, tally=full), rng) is None for _ in range(20))

"""Who leaves the pool, when a round has said enough, and the tree that neither moves."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.domain import Batch, Origin, Outcome, Prompt, PromptId
from optimizer.evolution.deciding import Look, look_at, rounds_without_new_leader, why_over
from optimizer.evolution.figures import family_tree
from optimizer.evolution.lineage import UNNAMED, change_of, tree, winning_line
from optimizer.evolution.pool import leaving
from optimizer.llm.hashed import HashedEmbedder
from optimizer.newcomers import FIRST_DUELS
from optimizer.standings import Row
from tests.optimizer.evolution_world import Evolved, make_evolved
from tests.optimizer.judging_world import STUDY


def row(name: str, p_best: float, duels: int = 20, strength: float = 0.0) -> Row:
    prompt = Prompt(PromptId(name), STUDY, name, name)
    return Row(prompt, strength, -1, 1, p_best, 1, 9, 0.5, 0.4, 0.6, duels, 0, 0, 0)


POOL = (row("lead", 0.7), row("good", 0.25), row("fair", 0.04), row("poor", 0.008), row("lost", 0.0))


def names(*rows: Row, most: int = 12, **known: object) -> list[str]:
    return [str(one.prompt) for one in leaving(rows, 100, most, **known)]  # type: ignore[arg-type]


def test_who_is_almost_surely_not_best_leaves() -> None:
    assert names(*POOL) == ["lost", "poor"]
    assert names(*POOL, spared={PromptId("lost")}) == ["poor"]


def test_a_full_pool_makes_room_and_never_empties() -> None:
    assert names(*POOL, most=4, incoming=1) == ["lost", "poor"]
    assert names(row("a", 0.5), row("b", 0.3), row("c", 0.15), row("d", 0.05), most=3) == ["d"]
    assert names(row("a", 0.5), row("b", 0.3), row("c", 0.15), row("d", 0.05), most=3, incoming=5) == ["d"]
    assert names(row("a", 0.99), row("b", 0.0), row("c", 0.0)) == []


def test_newcomers_and_the_leader_stay() -> None:
    fresh = row("fresh", 0.0, FIRST_DUELS - 1)
    assert names(*POOL[:4], fresh) == ["poor"]
    assert names(row("lead", 0.0), *POOL[1:4]) == ["poor"]


def test_the_note_says_why() -> None:
    (lost, _) = leaving(POOL, 120, 12)
    assert lost.reason == (
        "Retired by the evolution: after 120 votes its chance to be the best was under 1 %."
    )


LOOK = Look(40, 0, PromptId("p"), False, True)


@pytest.mark.parametrize(
    ("look", "told"),
    [
        (LOOK, None),
        (replace(LOOK, votes=50), "50 votes|votes of the round"),
        (replace(LOOK, clear=True), "The leader is clear after 30"),
        (replace(LOOK, clear=True, introduced=False), None),  # not before every newcomer had its duels
        (replace(LOOK, clear=True, votes=10), None),  # nothing was voted in this round yet
        (replace(LOOK, both_bad=17), "The pool is weak: 15 of 30"),
        (replace(LOOK, both_bad=16), None),
        (replace(LOOK, votes=14, both_bad=6), None),  # too few votes to say so
    ],
)
def test_when_a_round_is_over(look: Look, told: str | None) -> None:
    found = why_over(look, 10, 2, 40, 0.5)
    assert (found is None) is (told is None)
    if told and found:
        assert any(part in found for part in told.split("|"))


def test_both_bad_votes_are_counted_once() -> None:
    found = make_evolved()
    found.world.vote("p0", "p1", "x0", Outcome.BOTH_BAD)
    found.world.vote("p1", "p2", "x0", Outcome.BOTH_BAD)
    found.world.vote("p1", "p2", "x1", Outcome.FIRST)
    look = look_at(found.world.results.standings(found.study))
    assert (look.votes, look.both_bad, look.introduced) == (3, 2, False)


@pytest.mark.parametrize(
    ("leaders", "quiet"), [("", 0), ("a", 0), ("ab", 0), ("abb", 1), ("abbb", 2), ("abba", 0), ("aab", 0)]
)
def test_rounds_that_brought_no_new_leader(leaders: str, quiet: int) -> None:
    assert rounds_without_new_leader([PromptId(one) for one in leaders]) == quiet


def family(found: Evolved) -> list[Prompt]:
    """p2 -> a -> b, and c of p2 and p1."""
    line = [
        Prompt(PromptId(name), STUDY, name, f"{text} {{{{x}}}}", PromptId(parent), Origin.PROPOSED, note)
        for name, parent, text, note in (
            ("a", "p2", "Hidden text 2 with steps", "Asks for steps."),
            ("b", "a", "Quite another way of asking", "Starts afresh.\nRetired by the evolution: old."),
            ("c", "p2", "Hidden text 2 and more", ""),
        )
    ]
    found.store.add(Batch(prompts=line))
    return line


def test_every_prompt_stands_once_in_the_tree_parents_before_children() -> None:
    found = make_evolved()
    family(found)
    nodes = found.evolution.tree(found.study)
    assert [node.prompt.id for node in nodes] == ["p0", "p1", "p2", "a", "b", "c"]
    depth = {node.prompt.id: node.depth for node in nodes}
    assert depth == {"p0": 0, "p1": 0, "p2": 0, "a": 1, "b": 2, "c": 1}
    place = {node.prompt.id: node.place for node in nodes}
    assert len({(depth[key], place[key]) for key in depth}) == 6  # no two on one spot
    assert place["p2"] == (place["a"] + place["c"]) / 2
    assert [node.change for node in nodes][3:] == ["Asks for steps.", "Starts afresh.", UNNAMED]
    drift = {node.prompt.id: node.drift for node in nodes}
    assert drift["p2"] == pytest.approx(0.0, abs=1e-9)
    assert 0 < drift["a"] < drift["b"] <= 2


def test_the_tree_stands_still_under_votes_undo_and_retirement() -> None:
    found = make_evolved()
    line = family(found)

    def shape() -> list[tuple[str, int, float, str]]:
        nodes = found.evolution.tree(found.study)
        return [(node.prompt.id, node.depth, node.place, node.change) for node in nodes]

    before = shape()
    duel = found.world.vote("p2", "p1", "x0", Outcome.FIRST)
    assert found.evolution.tree(found.study)[2].strength is not None
    (ballot,) = found.store.ballots(STUDY, duel=duel.id)
    found.store.withdraw_vote(ballot.vote.id, ballot.vote.at)
    assert {node.strength for node in found.evolution.tree(found.study)} == {None}
    assert shape() == before
    for prompt in [*line, *found.store.prompts(STUDY)[:3]]:
        found.store.replace(replace(prompt, retired_at=ballot.vote.at))
    assert shape() == before


def test_a_crossover_has_two_parents_in_the_tree() -> None:
    found = make_evolved()
    found.world.vote("p2", "p1", "x0", Outcome.FIRST)
    found.world.vote("p1", "p2", "x1", Outcome.FIRST)
    found.drafted(found.order("crossover", count=1))
    (offer,) = found.evolution.offers.all(STUDY)
    child = found.evolution.offers.accept(offer.id)
    node = next(one for one in found.evolution.tree(found.study) if one.prompt.id == child.id)
    assert {node.prompt.parent, *node.others} == {"p1", "p2"}
    figure = family_tree(found.evolution.tree(found.study))
    assert sum(trace.line.dash == "dot" for trace in figure.data if trace.mode == "lines") == 1


def test_names_and_changes_are_drawn_as_they_are_written() -> None:
    prompt = Prompt(PromptId("h"), STUDY, "<b>bold</b>", "text {{x}}", note="<script>")
    child = replace(prompt, id=PromptId("i"), parent=PromptId("h"))
    drawn = family_tree(tree([prompt, child], (), {}, HashedEmbedder())).to_json()
    assert "<script>" not in drawn
    assert "<b>bold" not in drawn
    assert "&lt;b&gt;bold" in drawn


def test_a_parent_that_is_gone_makes_a_root_and_a_circle_makes_no_endless_walk() -> None:
    lone = Prompt(PromptId("lone"), STUDY, "lone", "text", PromptId("gone"))
    one = Prompt(PromptId("one"), STUDY, "one", "text", PromptId("two"))
    two = Prompt(PromptId("two"), STUDY, "two", "text", PromptId("one"))
    nodes = tree([lone, one, two], (), {}, HashedEmbedder())
    assert [node.prompt.id for node in nodes] == ["lone"]
    assert len(winning_line(PromptId("one"), [lone, one, two], ())) <= 4
    assert tree([], (), {}, HashedEmbedder()) == ()


def test_the_winning_line_tells_each_change_and_what_it_brought() -> None:
    found = make_evolved()
    line = family(found)
    outputs = {f"{p.id}-{x}": p.id for p in line for x in range(3)}
    from optimizer.domain import InputId, Output, OutputId

    found.store.add(
        Batch(
            outputs=[
                Output(OutputId(f"{name}-x{key[-1]}"), STUDY, name, InputId(f"x{key[-1]}"), "text")
                for key, name in outputs.items()
            ]
        )
    )
    for x in range(3):
        found.world.vote("b", "a", f"x{x}", Outcome.FIRST)
        found.world.vote("a", "p2", f"x{x}", Outcome.FIRST)
    steps = found.evolution.winning_line(found.study)
    assert [(step.parent.id, step.child.id, step.change) for step in steps] == [
        ("p2", "a", "Asks for steps."),
        ("a", "b", "Starts afresh."),
    ]
    assert all(step.gain is not None and step.gain > 0 for step in steps)
    assert change_of(line[2]) == UNNAMED


def test_retiring_by_hand_keeps_the_note_and_is_reversible() -> None:
    found = make_evolved(prompts=5)
    rng = np.random.default_rng(3)
    for _ in range(60):
        one, other = sorted(rng.choice(5, 2, replace=False))
        found.world.vote(f"p{other}", f"p{one}", f"x{rng.integers(6)}", Outcome.FIRST)
    gone = found.evolution.leaving(found.study, 12)
    assert gone
    retired = found.evolution.retire(STUDY, gone[0])
    assert retired.retired_at is not None
    assert retired.note.endswith(gone[0].reason)
    assert gone[0].prompt not in {one.prompt for one in found.evolution.leaving(found.study, 12)}

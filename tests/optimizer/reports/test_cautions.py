"""Each caution is provoked by a study that deserves it, and the usual study deserves none of them."""

from collections.abc import Callable

import pytest

from optimizer.domain import Batch, Prompt, RaterKind, Settings
from optimizer.reports import Report
from optimizer.reports.cautions import CHECKS
from optimizer.results import VoteFilter
from tests.optimizer.reports.report_world import BAD, FIRST, GOOD, NOW, SECOND, World


def few_votes() -> Report:
    world = World()
    world.vote("Best", "Middle", FIRST, 5)
    return world.report()


def undecided() -> Report:
    world = World()
    world.vote("Best", "Middle", FIRST, 8, rater="Ann")
    world.vote("Best", "Middle", SECOND, 7, rater="Bob")
    world.vote("Middle", "Worst", FIRST, 10, rater="Bob")
    return world.report()


def practically_equal() -> Report:
    world = World(settings=Settings(margin=0.1))
    for rater in ("Ann", "Bob"):
        for first, second in (("Best", "Middle"), ("Middle", "Best")):
            world.vote(first, second, FIRST, 150, rater=rater)
            world.vote(first, second, SECOND, 150, rater=rater)
        world.vote("Best", "Worst", FIRST, 60, rater=rater)
        world.vote("Middle", "Worst", FIRST, 60, rater=rater)
    return world.report()


def circle() -> Report:
    world = World()
    for first, second in (("Best", "Middle"), ("Middle", "Worst"), ("Worst", "Best")):
        world.vote(first, second, FIRST, 30)
        world.vote(second, first, SECOND, 30)
    return world.report()


def length(longer: bool) -> Report:
    """Almost always the longer, or the shorter, of two outputs wins."""
    long, short = ("Best", "Worst") if longer else ("Worst", "Best")
    world = World(texts={long: "word " * 400, "Middle": "word " * 100, short: "word " * 20})
    for first, second in (("Best", "Middle"), ("Middle", "Worst"), ("Best", "Worst")):
        world.vote(first, second, FIRST, 20)
        world.vote(second, first, SECOND, 20)
        world.vote(first, second, SECOND, 6)
    return world.report()


def disagreement() -> Report:
    world = World()
    for x in range(6):
        for pair in (("Best", "Middle"), ("Best", "Worst")):
            world.vote(*pair, FIRST, 1, rater="Ann", x=x)
            world.vote(*pair, FIRST if x == 0 else SECOND, 1, rater="Bob", x=x)
            world.vote(*pair, FIRST, 1, rater="Cleo", x=x)
            world.vote(*pair, SECOND, 1, rater="Dan", x=x)
    return world.report()


def segment() -> Report:
    world = World(inputs=8)
    for x in range(8):
        better, worse = ("Best", "Middle") if x % 2 == 0 else ("Middle", "Best")
        world.vote(better, worse, FIRST, 9 if x % 2 == 0 else 6, x=x)
        world.vote(better, "Worst", FIRST, 6, x=x)
    return world.report()


def one_rater() -> Report:
    world = World()
    world.vote("Best", "Middle", FIRST, 40)
    return world.report()


def judges(settings: Settings | None = None) -> Report:
    world = World(settings=settings)
    world.vote("Best", "Middle", FIRST, 40, rater="GPT", kind=RaterKind.JUDGE)
    if settings is not None:
        world.vote("Best", "Middle", FIRST, 5)
    return world.report()


def unsteady() -> Report:
    world = World().usual()
    for n in range(12):
        before = world.vote("Best", "Middle", FIRST, 1, x=n % 6)
        world.vote("Middle", "Best", SECOND if n < 5 else FIRST, 1, x=n % 6, repeats=before)
    return world.report()


def one_sided() -> Report:
    world = World()
    world.vote("Best", "Middle", FIRST, 40)
    world.vote("Middle", "Best", FIRST, 30)
    world.vote("Middle", "Worst", FIRST, 30, rater="Bob")
    return world.report()


def weak_pool() -> Report:
    world = World().usual()
    world.vote("Best", "Middle", BAD, 50)
    return world.report()


def few_inputs() -> Report:
    world = World(inputs=2)
    world.vote("Best", "Middle", FIRST, 40)
    return world.report()


def imported() -> Report:
    world = World()
    world.vote("Best", "Middle", FIRST, 40, selector="imported")
    return world.report()


def filtered() -> Report:
    return World().usual().report(VoteFilter(tags=frozenset({"even"})))


def no_text() -> Report:
    world = World(prompts=("Best", "Middle"))
    named = Prompt(world.prompts["Best"].id, world.study.id, "Best", "", created_at=NOW)
    other = World(prompts=())
    outputs = world.store.outputs(world.study.id)
    other.store.add(Batch(prompts=[named, world.prompts["Middle"]], outputs=outputs))
    other.vote("Best", "Middle", FIRST, 40)
    return other.report()


PROVOKED: dict[str, Callable[[], Report]] = {
    "few_votes": few_votes,
    "undecided": undecided,
    "practically_equal": practically_equal,
    "circle": circle,
    "length": lambda: length(longer=True),
    "disagreement": disagreement,
    "segment": segment,
    "one_rater": one_rater,
    "judges": judges,
    "weighed_judges": lambda: judges(Settings(judge_votes="full")),
    "unsteady": unsteady,
    "one_sided": one_sided,
    "weak_pool": weak_pool,
    "few_inputs": few_inputs,
    "imported": imported,
    "filtered": filtered,
    "no_text": no_text,
}


def test_every_check_is_provoked_here() -> None:
    assert PROVOKED.keys() == CHECKS.keys()


@pytest.mark.parametrize("kind", PROVOKED)
def test_a_study_that_deserves_it_is_cautioned(kind: str) -> None:
    told = {caution.kind: caution.told for caution in PROVOKED[kind]().cautions}
    assert kind in told
    assert told[kind].endswith(".")


def test_the_usual_study_deserves_no_caution() -> None:
    assert World().usual().report().cautions == ()


def test_without_votes_there_is_one_caution() -> None:
    report = World().report()
    assert [caution.kind for caution in report.cautions] == ["no_votes"]
    assert report.winner is None


def test_a_winner_that_is_merely_shorter() -> None:
    report = length(longer=False)
    told = next(caution.told for caution in report.cautions if caution.kind == "length")
    assert "shorter" in told


def test_a_long_winner_that_does_not_win_by_its_length_is_not_cautioned() -> None:
    texts = {"Best": "word " * 300, "Middle": "word " * 20, "Worst": "word " * 290}
    world = World(texts=texts).usual()
    world.vote("Middle", "Worst", FIRST, 40, rater="Ann")
    assert "length" not in {caution.kind for caution in world.report().cautions}


def test_ties_do_not_count_as_disagreement() -> None:
    world = World()
    for x in range(6):
        world.vote("Best", "Middle", FIRST, 3, rater="Ann", x=x)
        world.vote("Best", "Middle", GOOD, 3, rater="Bob", x=x)
    assert "disagreement" not in {caution.kind for caution in world.report().cautions}

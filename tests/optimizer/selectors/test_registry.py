"""The registry and the menu agree, and a study is told in one sentence what it lacks."""

from pathlib import Path

import numpy as np

from optimizer.selectors import MENU, SELECTORS, Group, known_needs, offered
from optimizer.selectors.base import Need, blank_record


def test_every_selector_is_registered_under_its_own_name_and_stands_once_in_the_menu() -> None:
    assert all(selector.name == name for name, selector in SELECTORS.items())
    assert sorted(name for name, _, _ in MENU) == sorted(SELECTORS)


def test_the_menu_begins_with_the_default_then_goes_group_by_group() -> None:
    groups = [group for _, group, _ in MENU]
    assert MENU[0][0] == "auto"
    assert groups == sorted(groups, key=list(Group).index)
    assert groups.count(Group.DEFAULT) == 1


def test_a_bare_study_is_told_what_is_missing_and_offered_the_rest() -> None:
    missing = {offer.name: offer.missing for offer in offered(())}
    assert missing["auto"] is None
    assert missing["gaussian_process"] == "Needs embeddings of its prompts, which this study lacks."
    assert missing["sequential_halving"] == "Needs a number of votes set in advance, which this study lacks."
    assert missing["instinct"] == (
        "Needs embeddings of its prompts and numeric scores of its outputs, which this study lacks."
    )
    assert {name for name, sentence in missing.items() if sentence} == {
        name for name, selector in SELECTORS.items() if selector.needs
    }


def test_a_study_that_has_everything_is_offered_everything() -> None:
    assert all(offer.missing is None for offer in offered(frozenset(Need)))


def test_needs_are_read_off_a_record() -> None:
    bare = blank_record(3)
    assert known_needs(bare) == frozenset()
    rich = blank_record(
        3, features=np.eye(3), budget=10, scores=np.array([[0.0, 0.5]]), history=np.zeros((0, 3))
    )
    assert known_needs(rich) == frozenset(Need)
    assert Need.SCORES not in known_needs(blank_record(3, scores=np.zeros((0, 2))))


def test_every_selector_has_a_paragraph_for_users_and_a_row_in_the_taxonomy() -> None:
    text = (Path(__file__).parents[3] / "docs" / "algorithms.md").read_text()
    for name in SELECTORS:
        assert f"**`{name}`**" in text or f"## The default: `{name}`" in text, name
        assert any(f"`{name}`" in line for line in text.split("## Which winner")[1].splitlines()), name

"""Dials and controllers: what is measured, how it converges, and when it stops."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.domain import PromptId
from optimizer.errors import BadInput, NothingToPropose
from optimizer.proposers import PROPOSERS
from optimizer.proposers.base import Brief, Contender, Proposal
from optimizer.proposers.controller import Reading, estimated_gain, next_setting
from optimizer.proposers.dials import DIALS, Dial, measured, setting_in, with_setting


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("words", "One two, three-four isn't.", 4),
        ("words", "", 0),
        ("bullets", "- one\n* two\n1. three\nno - bullet\n\n•four\n• five", 4),
        ("warmth", "The valve closes at noon.", 0),
    ],
)
def test_what_a_dial_measures(kind: str, text: str, value: float) -> None:
    assert DIALS[kind].measure(text) == value


def test_harder_text_has_a_higher_level_and_warm_text_more_warmth() -> None:
    level, warm = DIALS["reading_level"].measure, DIALS["warmth"].measure
    easy = "The cat sat. The dog ran. We all had fun."
    hard = (
        "Notwithstanding considerable institutional opposition, the administration promulgated regulations."
    )
    assert level(easy) < 3 < 12 < level(hard)
    assert 0 < warm("We hope you enjoy it, dear friend! Thank you!") <= 10
    assert level("") == warm("") == 0


@pytest.mark.parametrize("kind", DIALS)
def test_a_setting_is_put_in_once_and_found_again(kind: str) -> None:
    dial = DIALS[kind]
    once = with_setting("Tell of {{topic}}.", dial, dial.usual)
    assert setting_in(once, dial) == dial.usual
    again = with_setting(once, dial, dial.high)
    assert setting_in(again, dial) == dial.high
    assert again.count("\n\n") == 1
    assert "{{topic}}" in again
    assert setting_in("Tell of 7 things.", dial) is None


@pytest.mark.parametrize("kind", ["P", "PI", "PID"])
@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (0.6, 20.0), (1.5, -15.0)])
def test_a_controller_brings_a_linear_response_into_the_band(kind: str, gain: float, offset: float) -> None:
    rng = np.random.default_rng(7)
    readings = [Reading(100.0, gain * 100 + offset)]
    for _ in range(12):
        if abs(readings[-1].value - 100) <= 5:
            break
        setting = next_setting(readings, 100, 5, 5000, kind).setting
        readings.append(Reading(setting, gain * setting + offset + float(rng.normal(0, 1))))
    assert abs(readings[-1].value - 100) <= 5, readings


def test_the_sum_does_not_wind_up_at_the_stop() -> None:
    stuck = [Reading(10.0, 4.0)] * 20  # the dial is at its stop, and more is wanted
    assert next_setting(stuck, 8.0, 0.0, 10.0).saturated
    back = [*stuck, Reading(10.0, 12.0)]  # now too much came: it must come down at once
    assert next_setting(back, 8.0, 0.0, 10.0).setting < 10.0


def test_gain_is_estimated_within_bounds_and_unknown_controllers_are_refused() -> None:
    assert estimated_gain([Reading(1, 5)]) == 1.0
    assert estimated_gain([Reading(1, 5), Reading(2, 7)]) == pytest.approx(2.0)
    assert estimated_gain([Reading(1, 5), Reading(2, 4)]) == pytest.approx(0.2)
    with pytest.raises(BadInput, match="PID"):
        next_setting([Reading(1, 5)], 3, 0, 9, "LQR")


def brief(*line: tuple[str, list[int]], target: float = 50) -> Brief:
    """A line of prompts, each with outputs of so many words."""
    pool = [
        Contender(PromptId(f"p{n}"), f"P{n}", text, -float(n), parent=PromptId(f"p{n - 1}") if n else None)
        for n, (text, _) in enumerate(line)
    ]
    outputs = {pool[n].id: tuple("word " * count for count in counts) for n, (_, counts) in enumerate(line)}
    return Brief("", (), tuple(pool), dial=Dial("words", target, 5), outputs=outputs)


def step(found: Brief) -> Proposal:
    (proposal,) = PROPOSERS["control"].plan(found)
    assert isinstance(proposal, Proposal)
    return proposal


def test_the_first_step_puts_the_dial_in_and_the_next_ones_turn_it() -> None:
    first = step(brief(("Tell of {{x}}.", [90, 95, 99])))
    assert first.text == "Tell of {{x}}.\n\nWrite about 50 words."
    second = step(brief(("Tell of {{x}}.", [90, 95, 99]), (first.text, [80, 81, 82, 79])))
    assert second.parents == (PromptId("p1"),)
    turned = setting_in(second.text, DIALS["words"])
    assert turned is not None
    assert turned < 50  # outputs were too long, so it asks for less
    assert "from 50" in second.change
    short = step(brief(("Write about 50 words.", [20, 21, 22])))
    assert (setting_in(short.text, DIALS["words"]) or 0) > 50


def test_it_stops_in_the_band_and_does_not_steer_by_noise() -> None:
    text = "Write about 50 words."
    for counts, told in (
        ([48, 52, 51], "within the band"),
        ([10, 150, 20], "differ too much"),
        ([70, 71], "needs 3 outputs"),
    ):
        with pytest.raises(NothingToPropose, match=told):
            step(brief((text, counts)))
    with pytest.raises(BadInput, match="set point"):
        PROPOSERS["control"].plan(replace(brief((text, [90])), dial=None))
    with pytest.raises(BadInput, match="reading_level"):
        PROPOSERS["control"].plan(replace(brief((text, [90])), dial=Dial("charm", 1, 1)))


def test_a_single_output_has_no_standard_error() -> None:
    assert measured(["a b"], DIALS["words"]) == (2.0, float("inf"))

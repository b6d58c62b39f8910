"""The model's own probability, from the tokens of its verdict."""

import json
import math

import pytest

from optimizer.judges.soft import soft_preference
from optimizer.llm.base import TokenLogprob

TEXT = json.dumps({"id": "f", "reason": 'not "verdict": "first"', "criteria": [], "verdict": "second"})
SPAN = (0, len(TEXT))
VALUE = TEXT.rindex("second")


def tokens(pieces: list[str], at: int, alternatives: dict[str, float]) -> list[TokenLogprob]:
    found = []
    for place, piece in enumerate(pieces):
        chances = {t: math.log(p) for t, p in alternatives.items()} if place == at else {}
        found.append(TokenLogprob(piece, chances.get(piece, -0.1), chances))
    return found


@pytest.mark.parametrize(
    ("pieces", "at", "alternatives", "expected"),
    [
        ([TEXT[:VALUE], "second", '"}'], 1, {"second": 0.7, "first": 0.2, "both": 0.1}, 0.25),
        ([TEXT[:VALUE], "sec", 'ond"}'], 1, {"sec": 0.6, "fir": 0.4}, 0.4),
        ([TEXT[: VALUE - 1], '"second', '"}'], 1, {'"second': 0.5, '"first': 0.25, "'first": 0.25}, 1 / 3),
        ([TEXT[:VALUE], 'second"}'], 1, {'second"}': 0.5, 'first"': 0.5}, 0.5),
        # one letter that two verdicts share tells nothing, so too little is known
        ([TEXT[:VALUE], "s", 'econd"}'], 1, {"s": 0.6, "f": 0.4}, None),
        ([TEXT[:VALUE], "second", '"}'], 1, {"second": 0.2, "Paris": 0.8}, None),
        (["other", "tokens"], 1, {"tokens": 1.0}, None),
    ],
)
def test_the_alternatives_of_the_deciding_token_count(pieces, at, alternatives, expected) -> None:
    found = soft_preference(TEXT, SPAN, tokens(pieces, at, alternatives))
    assert found == (None if expected is None else pytest.approx(expected))


def test_no_tokens_no_preference() -> None:
    assert soft_preference(TEXT, SPAN, ()) is None

"""Prompts under names that tell nothing, for a board that raters see."""

import hashlib
from dataclasses import replace

from optimizer.domain import Prompt
from optimizer.sessions import Session
from optimizer.standings import Race, Standings


def hidden(standings: Standings, race: Race, session: Session) -> tuple[Standings, Race]:
    """The same under names such as "Prompt C", in an order that says nothing and does not change."""
    letters = _letters([prompt.id for prompt in standings.arms], session)

    def masked(prompt: Prompt) -> Prompt:
        return replace(prompt, name=letters[prompt.id])

    masked_standings = replace(
        standings,
        rows=tuple(replace(row, prompt=masked(row.prompt)) for row in standings.rows),
        arms=tuple(masked(prompt) for prompt in standings.arms),
        circle=tuple(letters[_named(standings, name)] for name in standings.circle),
    )
    return masked_standings, replace(race, names=tuple(letters[prompt.id] for prompt in standings.arms))


def _letters(ids: list[str], session: Session) -> dict[str, str]:
    order = sorted(ids, key=lambda id: hashlib.sha256(f"{session.id}/{id}".encode()).hexdigest())
    return {id: f"Prompt {_letter(place)}" for place, id in enumerate(order)}


def _letter(place: int) -> str:
    """A to Z, then AA and so on."""
    before, here = divmod(place, 26)
    return (_letter(before - 1) if before else "") + chr(ord("A") + here)


def _named(standings: Standings, name: str) -> str:
    return next(prompt.id for prompt in standings.arms if prompt.name == name)

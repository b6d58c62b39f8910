"""A dial turned until a measured property of the outputs meets its set point; no model is asked.

The line from the root to the leader tells which settings were tried and what came of each, so the
controller needs no memory of its own. Each step is a child. It stops within the band, and refuses to step
on a measurement that is mostly noise. That outputs meet a set point does not make them better: that is for
the votes to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from optimizer.errors import BadInput, NothingToPropose
from optimizer.proposers.base import Ask, Brief, Contender, Proposal
from optimizer.proposers.controller import Reading, next_setting
from optimizer.proposers.dials import DialKind, measured, setting_in, with_setting

FEWEST_OUTPUTS = 3
NOISY = 2.0  # standard errors: a smaller gap is not told from none


@dataclass(frozen=True, slots=True)
class Control:
    """One step of the controller."""

    label: ClassVar[str] = "Control"
    about: ClassVar[str] = "Turns a number in the prompt until a measured property meets its set point."
    needs_model: ClassVar[bool] = False

    def plan(self, brief: Brief) -> Sequence[Ask | Proposal]:
        if brief.dial is None:
            raise BadInput("Say what to control and its set point.")
        if not brief.pool:
            raise NothingToPropose("There is no prompt to control yet. Write one.")
        dial, kind = brief.dial, brief.dial.about
        newest, told = readings_of(brief)
        has_dial = setting_in(newest.text, kind) is not None
        if has_dial and len(brief.outputs.get(newest.id, ())) < FEWEST_OUTPUTS:
            raise NothingToPropose(
                f"'{newest.name}' needs {FEWEST_OUTPUTS} outputs before the next step can be told. Generate "
                "them."
            )
        if not told or not has_dial:
            return [_child(newest, kind, dial.target, "The prompt had no such dial yet.")]
        now = told[-1]
        if abs(dial.target - now.value) <= dial.band:
            raise NothingToPropose(
                f"'{newest.name}' is within the band: {now.value:.1f} {kind.unit} measured, {dial.target:g} "
                f"± {dial.band:g} wanted."
            )
        if abs(dial.target - now.value) < NOISY * now.error:
            raise NothingToPropose(
                f"The outputs of '{newest.name}' differ too much among themselves to steer by: "
                f"{now.value:.1f} ± {now.error:.1f} {kind.unit}. Generate more of them."
            )
        move = next_setting(told, dial.target, kind.low, kind.high, dial.controller)
        setting = min(kind.high, max(kind.low, round(move.setting / kind.step) * kind.step))
        if setting == setting_in(newest.text, kind):
            stop = "at its stop" if move.saturated else "moved less than its smallest step"
            raise NothingToPropose(f"The dial of '{newest.name}' is {stop}: {setting:g}.")
        why = f"{now.value:.1f} {kind.unit} measured, {dial.target:g} wanted ({dial.controller} step)."
        return [_child(newest, kind, setting, why)]


def readings_of(brief: Brief) -> tuple[Contender, tuple[Reading, ...]]:
    """The newest prompt of the leader's controlled line, and its settings with what was measured.

    Only prompts that have the dial and ``FEWEST_OUTPUTS`` outputs count.
    """
    assert brief.dial is not None
    kind = brief.dial.about
    everyone = {one.id: one for one in (*brief.line, *brief.pool)}
    newest = _newest(brief, kind)
    line, here = [newest], newest
    while here.parent in everyone and len(line) <= len(everyone):
        here = everyone[here.parent]
        line.append(here)
    told = []
    for one in reversed(line):
        setting, outputs = setting_in(one.text, kind), brief.outputs.get(one.id, ())
        if setting is not None and len(outputs) >= FEWEST_OUTPUTS:
            told.append(Reading(setting, *measured(outputs, kind)))
    return newest, tuple(told)


def _newest(brief: Brief, kind: DialKind) -> Contender:
    """The end of the leader's line of children that have the dial, the leader itself without any."""
    here = brief.pool[0]
    children = {one.parent: one for one in brief.pool if setting_in(one.text, kind) is not None}
    seen = {here.id}
    while here.id in children and children[here.id].id not in seen:
        here = children[here.id]
        seen.add(here.id)
    return here


def _child(parent: Contender, kind: DialKind, setting: float, why: str) -> Proposal:
    before = setting_in(parent.text, kind)
    moved = "set" if before is None else f"moved from {before:g}"
    return Proposal(
        with_setting(parent.text, kind, setting), (parent.id,), f"{kind.label} {moved} to {setting:g}.", why
    )

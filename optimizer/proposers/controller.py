"""Discrete P, PI and PID steps with anti-windup, on a gain estimated from the settings tried so far.

Linear feedback control applied to prompts (Karn 2025, arXiv 2501.11979), for what it can honestly do: a
number that is measured, moved by a number in the text. With e = r - y and a gain g = dy/du,

    u' = u + Kp e                                               P, incremental: Kp = 0.8 / g
    u' = u0 + K e + Ki sum(e),      K = 0.5 / g, Ki = 0.3 / g   PI
    u' = the same - Kd (y - y_before),       Kd = 0.1 / g       PID: the derivative on the measurement

The sum grows only while the dial is not at its stop in the error's direction (conditional integration).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from optimizer.errors import BadInput

LEAST_GAIN, MOST_GAIN = 0.2, 5.0  # beyond these the estimate says more of noise than of the model


class Controller(StrEnum):
    P = "P"
    PI = "PI"
    PID = "PID"


@dataclass(frozen=True, slots=True)
class Reading:
    """A setting of the dial, what came of it, and its standard error."""

    setting: float
    value: float
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Move:
    """The next setting. ``saturated``: the dial is at its stop."""

    setting: float
    gap: float  # set point minus measurement
    gain: float
    saturated: bool


def next_setting(
    readings: Sequence[Reading], target: float, low: float, high: float, kind: str = Controller.PI
) -> Move:
    """The step after these readings, oldest first; at least one. ``BadInput`` for an unknown controller."""
    if kind not in set(Controller):
        raise BadInput(f"There is no controller '{kind}'. Known are {', '.join(Controller)}.")
    gain = estimated_gain(readings)
    now = readings[-1]
    gap = target - now.value
    if kind == Controller.P:
        wanted = now.setting + 0.8 * gap / gain
    else:
        total = 0.0
        for reading in readings:
            error = target - reading.value
            at_stop = (reading.setting >= high and error > 0) or (reading.setting <= low and error < 0)
            total += 0.0 if at_stop else error
        wanted = readings[0].setting + (0.5 * gap + 0.3 * total) / gain
        if kind == Controller.PID and len(readings) > 1:
            wanted -= 0.1 * (now.value - readings[-2].value) / gain
    setting = min(high, max(low, wanted))
    return Move(setting, gap, gain, setting != wanted)


def estimated_gain(readings: Sequence[Reading]) -> float:
    """dy/du by least squares over the settings tried, kept within bounds; 1 while only one was tried."""
    n = len(readings)
    mean_u = sum(one.setting for one in readings) / n
    mean_y = sum(one.value for one in readings) / n
    spread = sum((one.setting - mean_u) ** 2 for one in readings)
    if spread < 1e-9:
        return 1.0
    slope = sum((one.setting - mean_u) * (one.value - mean_y) for one in readings) / spread
    return min(MOST_GAIN, max(LEAST_GAIN, slope))

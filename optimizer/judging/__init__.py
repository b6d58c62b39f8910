"""Judges at work: votes from models, as far as they can be trusted.

    plan        what to run, as plain data; service: Judging, what pages and commands call
    estimate    what it will take, before anything is spent
    run         threads, cancel, wait; progress: how far it is
    docket      which duel comes next; outputs: made where it lacks them
    rubrics     what judges go by, in versions; rulings: what a judge's vote carries
    comparing   judges beside people; bar: reports, and when a judge is set aside
    review      verdicts that a person should confirm; criticism: faults, after the vote
    spo         the setting of Xiang et al. as a preset

Judges themselves are in ``optimizer/judges``.
"""

from optimizer.judging.service import Judging

__all__ = ["Judging"]

"""What a plan will take, before anything is spent: an estimate from what there is to judge."""

from dataclasses import dataclass

from optimizer.domain import Connection, Study
from optimizer.judges import JUDGES
from optimizer.judges.criteria import criteria_of
from optimizer.judges.wording import RULES
from optimizer.judging.plan import Plan, judge_rater
from optimizer.llm.base import Usage
from optimizer.llm.tokens import BYTES_PER_TOKEN, cost
from optimizer.llm.tokens import estimate as tokens_of
from optimizer.storage.base import Store

ANSWER, PER_CRITERION = 60, 15  # tokens of a verdict, and of each criterion's
USUAL_OUTPUT = 1_000  # characters, where a study has none yet


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan will take at most, before any advice to stop: votes still to cast, calls for them, and
    about how many tokens and how much money; None where a connection has no prices."""

    votes: int
    calls: int
    tokens: int
    money: float | None


def estimate(store: Store, connections: dict[str, Connection], plan: Plan, rubric: str) -> Estimate:
    """Of all judges of a plan. Calls nobody; outputs that have to be made first are not counted."""
    one = _one_call(store, store.study(plan.study), rubric)
    votes = calls = 0
    money: float | None = 0.0
    for seat in plan.panel:
        connection = connections[seat.connection]
        rater = judge_rater(plan.study, connection, seat.settings)
        ballots = store.ballots(plan.study, rater.id)
        cast = sum(ballot.vote.withdrawn_at is None and not ballot.duel.replay for ballot in ballots)
        missing = max(0, plan.duels - cast)
        mine = missing * JUDGES[seat.settings.mode].answers(seat.settings.repeats)
        votes, calls = votes + missing, calls + mine
        each = cost(connection, one)
        money = None if money is None or each is None else money + mine * each
    return Estimate(votes, calls, calls * one.tokens, money)


def _one_call(store: Store, study: Study, rubric: str) -> Usage:
    """The tokens of one answer: rules, task, rubric, an input and two outputs of mean length; the verdict."""
    lengths = [key.length for key in store.output_index(study.id) if key.usable] or [USUAL_OUTPUT]
    inputs = [sum(map(len, row.variables.values())) for row in store.inputs(study.id)] or [0]
    material = 2 * sum(lengths) / len(lengths) + sum(inputs) / len(inputs)
    asked = tokens_of(RULES) + tokens_of(study.task) + tokens_of(rubric) + round(material / BYTES_PER_TOKEN)
    return Usage(asked, ANSWER + PER_CRITERION * len(criteria_of(rubric)))

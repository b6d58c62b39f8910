"""The ways in which one model judges a duel: once, in both orders, or repeatedly with a majority."""

from dataclasses import dataclass, replace

from optimizer.errors import NoVerdict
from optimizer.judges.asking import Asking
from optimizer.judges.base import Question, Verdict
from optimizer.judges.combining import alone, majority, of_both_orders


@dataclass(frozen=True, slots=True)
class OneOrder:
    """Asks once, as the duel was drawn: half the price, and nothing against a favourite position."""

    asking: Asking

    @property
    def name(self) -> str:
        return self.asking.name

    def judge(self, question: Question, sample: int = 0) -> Verdict:
        return alone(self.asking.ask(question, sample))


@dataclass(frozen=True, slots=True)
class BothOrders:
    """Asks twice, the second time with the outputs swapped (Zheng et al. 2023, section 3.4)."""

    asking: Asking

    @property
    def name(self) -> str:
        return self.asking.name

    def judge(self, question: Question, sample: int = 0) -> Verdict:
        one = self.asking.ask(question, sample)
        try:
            other = self.asking.ask(question.swapped, sample).swapped
        except NoVerdict as error:
            raise NoVerdict(str(error), error.calls + one.calls, error.tokens + one.tokens) from error
        return of_both_orders(one, other)


@dataclass(frozen=True, slots=True)
class Majority:
    """Repeats another way of judging and counts (self-consistency, Wang et al. 2023).

    Repeats that give no verdict are left out; when none gives one, neither does the majority.
    """

    once: OneOrder | BothOrders
    repeats: int

    @property
    def name(self) -> str:
        return self.once.name

    def judge(self, question: Question) -> Verdict:
        verdicts: list[Verdict] = []
        calls = tokens = 0
        fault = ""
        for sample in range(self.repeats):
            try:
                verdicts.append(self.once.judge(question, sample))
            except NoVerdict as error:
                calls, tokens, fault = calls + error.calls, tokens + error.tokens, str(error)
        if not verdicts:
            raise NoVerdict(fault, calls, tokens)
        verdict = majority(verdicts)
        return replace(verdict, calls=verdict.calls + calls, tokens=verdict.tokens + tokens)

"""Between two rounds of duels: proposals are drafted, decided on, and get outputs; the pool stays small."""

from collections.abc import Callable
from dataclasses import replace

from optimizer.domain import Prompt, PromptId
from optimizer.errors import NothingToPropose
from optimizer.evolution.checks import spotless
from optimizer.evolution.offers import OfferState, open_ones
from optimizer.evolution.plan import Order, Plan
from optimizer.evolution.pool import leaving
from optimizer.evolution.proposing import Proposing
from optimizer.evolution.proposing import State as Drafting
from optimizer.evolution.record import Phase, Record, State
from optimizer.evolution.tools import PATIENCE_S, Tools
from optimizer.generation.cells import Order as Outputs
from optimizer.generation.job import Running
from optimizer.generation.job import State as Making
from optimizer.proposers import PROPOSERS

STAND_IN = "top_mutation"  # needs nothing but a prompt


class Renewing:
    """The phases of proposing, reviewing and generating of one run; ``begin`` starts its duels."""

    def __init__(self, tools: Tools, begin: Callable[[Record], Record]) -> None:
        self._tools = tools
        self._begin = begin
        self._drafting: Proposing | None = None
        self._making: Running | None = None

    def propose(self, record: Record) -> Record:
        """Have the round's proposals drafted; those that are there already are not asked for again."""
        plan = record.plan
        made = self._tools.offers.all(plan.study, record.id, record.round)
        if self._drafting is None and len(made) < plan.children:
            record = self._drafted(record, plan.order(record.id, record.round, plan.children - len(made)))
        if self._drafting is not None and not self._drafting.ended:
            return record
        fault = self._fault_of_drafting(record)
        if fault is not None:
            return fault
        if self._tools.cancelled.is_set():  # some may be missing: a later run asks for them
            return record
        self._drafting = None
        made = self._tools.offers.all(plan.study, record.id, record.round)
        failed = [offer for offer in made if offer.state is OfferState.FAILED]
        if made and len(failed) == len(made):
            return replace(record, state=State.STOPPED, error=failed[-1].error)
        count = len(made) - len(failed)
        record = record.told(self._tools.clock(), f"{count} of {len(made)} proposals could be read.")
        if not plan.automatic:
            return replace(record, phase=Phase.REVIEW)
        return replace(self._accept_spotless(record), phase=Phase.GENERATE)

    def _drafted(self, record: Record, order: Order) -> Record:
        """Begin to draft; where the plan's proposer has nothing to go by yet, another one stands in."""
        tools = self._tools
        try:
            self._drafting = tools.propose(order, tools.ledger, tools.cancelled)
        except NothingToPropose as error:
            if not PROPOSERS[order.proposer].needs_model or order.proposer == STAND_IN:
                raise
            self._drafting = tools.propose(replace(order, proposer=STAND_IN), tools.ledger, tools.cancelled)
            return record.told(tools.clock(), f"{error} '{PROPOSERS[STAND_IN].label}' stands in.")
        return record

    def _fault_of_drafting(self, record: Record) -> Record | None:
        if self._drafting is None:
            return None
        progress = self._drafting.progress()
        if progress.state in (Drafting.SPENT, Drafting.STOPPED):
            state = State.SPENT if progress.state is Drafting.SPENT else State.STOPPED
            return replace(record, state=state, error=progress.last_error)
        return None

    def _accept_spotless(self, record: Record) -> Record:
        """Those that pass every check enter the pool; the others wait for a person, and the run does not."""
        accepted, waiting = [], 0
        for offer in open_ones(self._tools.offers.all(record.plan.study, record.id, record.round)):
            if spotless(self._tools.offers.checks(offer)):
                accepted.append(self._tools.offers.accept(offer.id).name)
            else:
                waiting += 1
        told = f"Accepted: {', '.join(accepted) or 'none'}."
        if waiting:
            told += f" {waiting} did not pass every check and wait for you."
        return record.told(self._tools.clock(), told)

    def review(self, record: Record) -> Record:
        """Wait until a person has decided on every proposal of the round."""
        if open_ones(self._tools.offers.all(record.plan.study, record.id, record.round)):
            return record
        return replace(record, phase=Phase.GENERATE)

    # -- outputs ------------------------------------------------------------------------------
    def generate(self, record: Record) -> Record:
        """Make room in the pool, have outputs made that duels need, and begin the round's duels."""
        plan = record.plan
        if self._making is None:
            record = self._retired(record)
            if plan.outputs:
                self._making = self._tools.generation.start(
                    self._missing(plan), self._tools.typed, self._tools.ledger
                )
                return record
        elif self._making.progress().state is Making.RUNNING or not self._making.wait(0):
            return record
        elif self._making.progress().state in (Making.SPENT, Making.STOPPED):
            progress = self._making.progress()
            spent = progress.state is Making.SPENT
            return replace(record, state=State.SPENT if spent else State.STOPPED, error=progress.last_error)
        elif self._tools.cancelled.is_set():
            return record
        self._making = None
        lacking = self._without_outputs(record)
        if lacking:
            names = ", ".join(f"'{prompt.name}'" for prompt in lacking)
            if not self._tools.store.study(plan.study).settings.connection:
                told = f"New prompts have no outputs to be voted on: {names}. Generate them, then resume."
                return replace(record, state=State.STOPPED, error=told)
            record = record.told(self._tools.clock(), f"Outputs are made as people vote: {names}.")
        return self._begin(record)

    def _retired(self, record: Record) -> Record:
        """Prompts that are almost surely not the best leave the pool."""
        plan = record.plan
        if record.round == 0:
            return record
        study = self._tools.store.study(plan.study)
        standings = self._tools.results.standings(study, plan.votes.chosen)
        for one in leaving(standings.rows, standings.votes, plan.most_prompts, spared=record.retired):
            prompt = self._tools.prompts.get(plan.study, one.prompt)
            note = "\n".join((prompt.note, one.reason))
            self._tools.prompts.retire(plan.study, prompt.id, note)
            record = replace(record, retired=(*record.retired, prompt.id))
            record = record.told(self._tools.clock(), f"'{prompt.name}' left the pool. {one.reason}")
        return record

    def _missing(self, plan: Plan) -> Outputs:
        """Every prompt in use on the inputs that most of them have outputs on already."""
        prompts = self._in_use(plan)
        ids = {prompt.id for prompt in prompts}
        covered: dict[str, set[PromptId]] = {}
        for key in self._tools.store.output_index(plan.study):
            if key.usable and key.prompt in ids:
                covered.setdefault(key.input, set()).add(key.prompt)
        inputs = [row.id for row in self._tools.store.inputs(plan.study) if row.retired_at is None]
        inputs.sort(key=lambda row: -len(covered.get(row, ())))
        return Outputs(
            plan.study, plan.outputs, prompts=tuple(prompt.id for prompt in prompts),
            inputs=tuple(inputs[: plan.child_inputs]), budget=plan.budget,
        )  # fmt: skip

    def _without_outputs(self, record: Record) -> list[Prompt]:
        """New prompts of this round that no duel can show yet."""
        mine = {offer.prompt for offer in self._tools.offers.all(record.plan.study, record.id, record.round)}
        usable = {key.prompt for key in self._tools.store.output_index(record.plan.study) if key.usable}
        return [one for one in self._in_use(record.plan) if one.id in mine and one.id not in usable]

    def _in_use(self, plan: Plan) -> list[Prompt]:
        return [prompt for prompt in self._tools.store.prompts(plan.study) if prompt.retired_at is None]

    def let_go(self) -> None:
        """End what is still at work."""
        if self._drafting is not None:
            self._drafting.cancel()
            self._drafting.wait(PATIENCE_S)
        if self._making is not None:
            self._making.cancel()
            self._making.wait(PATIENCE_S)

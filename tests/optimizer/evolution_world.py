"""A study in which prompts say how good their outputs will be, and the services that evolve it.

A prompt "Hidden text 3 {{x}}" has outputs "quality 3 ..."; judges prefer the higher quality; the proposer
writes a child that is a little better than its parent. All of it goes through real requests and answers.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from optimizer.connections import Connections
from optimizer.domain import Study
from optimizer.evolution import Evolution
from optimizer.evolution.plan import Order, Plan
from optimizer.evolution.record import Phase
from optimizer.evolution.service import Seen
from optimizer.generation import Generation
from optimizer.judges import JudgeSettings
from optimizer.judges.scripted import Rule as JudgeRule
from optimizer.judges.scripted import perfect
from optimizer.judging import Judging
from optimizer.judging.plan import Seat
from optimizer.llm.base import LanguageModel, Request
from optimizer.llm.scripted import Scripted
from optimizer.pairing import Pairing
from optimizer.prompts import Prompts
from optimizer.proposers.scripted import Rule, proposing_model
from optimizer.results import Results
from optimizer.storage.base import Store
from tests.optimizer.judging_world import STUDY, World, make_world, quality


def better(material: Mapping[str, Any], sample: int) -> str:
    """A child a step better than the prompt it is made from."""
    parent = material.get("prompt") or material.get("reference") or material.get("first")
    assert parent is not None
    return f"Hidden text {level(parent['text']) + 10 + sample * sample / 1000:g} {{{{x}}}}"


def level(text: str) -> float:
    found = re.search(r"Hidden text ([\d.]+)", text)
    assert found, text
    return float(found[1])


def write(request: Request) -> str:
    return f"quality {level(request.messages[-1].content):g} in other words"


@dataclass(frozen=True)
class Evolved:
    """A judging world with evolution; connections "judge", "writer" (outputs) and "poet" (proposals)."""

    world: World
    evolution: Evolution

    @property
    def store(self) -> Store:
        return self.world.store

    @property
    def study(self) -> Study:
        return self.store.study(STUDY)

    def order(self, proposer: str = "top_mutation", **changed: object) -> Order:
        return replace(Order(STUDY, proposer, "poet", 2), **changed)  # type: ignore[arg-type]

    def plan(self, **changed: object) -> Plan:
        plan = Plan(
            STUDY, "top_mutation", "poet", (Seat("judge", JudgeSettings("one_order")),), "writer",
            rounds=2, round_votes=16, children=2, automatic=True, child_inputs=4, patience=0,
        )  # fmt: skip
        return replace(plan, **changed)  # type: ignore[arg-type]

    def run(self, plan: Plan) -> Seen:
        """The end of a run."""
        return self.ended(self.evolution.start(plan))

    def ended(self, run: str) -> Seen:
        assert self.evolution.wait(run, 30), self.evolution.run(run).record
        return self.evolution.run(run)

    def until(self, run: str, phase: Phase, round: int) -> None:
        """Wait until a run waits in this phase of this round."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            record = self.evolution.run(run).record
            if (record.phase, record.round) == (phase, round):
                return
            assert not self.evolution.wait(run, 0.01), record
        raise AssertionError(record)

    def drafted(self, order: Order) -> None:
        job = self.evolution.propose(order)
        assert job.wait(20), job.progress()


def make_evolved(
    prompts: int = 3,
    rule: Rule = better,
    judge: JudgeRule | None = None,
    store: Store | None = None,
    poet: LanguageModel | None = None,
) -> Evolved:
    """A new world, or other services on the store of an old one."""
    world = make_world(prompts, inputs=6)
    if store is not None:
        world = _on(store)
    world.connect("judge", judge or perfect(quality))
    world.connect("writer", Scripted(write, "writer"))
    world.connect("poet", poet or proposing_model(rule, "poet"), concurrency=2)
    connections = Connections(world.store, open=lambda connection, _: world.models[connection.name])
    pairing = Pairing(world.store)
    generation = Generation(world.store, connections)
    judging = Judging(world.store, pairing, world.results, connections, generation)
    evolution = Evolution(world.store, world.results, Prompts(world.store), judging, generation, connections)
    return Evolved(world, evolution)


def _on(store: Store) -> World:
    fresh = make_world(2)
    return World(store, fresh.judging, Results(store), {}, fresh.generation)

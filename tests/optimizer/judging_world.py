"""A study whose better prompt is known, and services around judges with a known opinion."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from optimizer.connections import Connections
from optimizer.domain import (
    Batch,
    Connection,
    Duel,
    DuelId,
    Input,
    InputId,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    Settings,
    Study,
    StudyId,
    Vote,
    VoteId,
    new_id,
    utc_now,
)
from optimizer.generation import Generation
from optimizer.judges import JudgeSettings
from optimizer.judges.scripted import Rule, judging_model
from optimizer.judging import Judging
from optimizer.judging.plan import Plan, Seat
from optimizer.judging.progress import RunProgress
from optimizer.judging.run import Run
from optimizer.llm.base import LanguageModel
from optimizer.pairing import Pairing
from optimizer.results import Results
from optimizer.storage import open_store
from optimizer.storage.base import Store

STUDY = StudyId("s")
ANN = RaterId("ann")
QUIET = Settings(selector="random", audit_share=0.0, replay_share=0.0)


def quality(text: str) -> float:
    """Outputs say how good they are: "quality 3 ..."."""
    return float(text.split()[1])


@dataclass(frozen=True)
class World:
    """Services on one store; ``models`` are what answers, by connection."""

    store: Store
    judging: Judging
    results: Results
    models: dict[str, LanguageModel]
    generation: Generation

    @property
    def study(self) -> Study:
        return self.store.study(STUDY)

    def set(self, **settings: object) -> None:
        changed = replace(self.study.settings, **settings)  # type: ignore[arg-type]
        self.store.replace(replace(self.study, settings=changed))

    def retire(self, prompt: Prompt) -> None:
        self.store.replace(replace(prompt, retired_at=utc_now()))

    def connect(self, name: str, rule: Rule | LanguageModel, **changed: object) -> str:
        """A connection whose model judges by a rule."""
        self.models[name] = judging_model(rule, name) if callable(rule) else rule
        connection = Connection(name, f"scripted:{name}", name, concurrency=4)
        self.store.put_connection(replace(connection, **changed))  # type: ignore[arg-type]
        return name

    def plan(self, *names: str, mode: str = "both_orders", repeats: int = 1, **kept: object) -> Plan:
        panel = tuple(Seat(name, JudgeSettings(mode, repeats)) for name in names)
        fields: dict[str, object] = {"duels": 30, "until_advised": False} | kept
        return Plan(STUDY, panel, **fields)  # type: ignore[arg-type]

    def run(self, plan: Plan) -> RunProgress:
        """The end of a run."""
        return ended(self.judging.start(plan))

    def vote(
        self,
        first: str,
        second: str,
        input: str,
        outcome: Outcome,
        rater: RaterId = ANN,
        first_output: str = "",
    ) -> Duel:
        """A person's vote on two prompts."""
        now = utc_now()
        duel = Duel(
            DuelId(new_id()), STUDY, InputId(input),
            OutputId(first_output or f"{first}-{input}"), OutputId(f"{second}-{input}"),
            PromptId(first), PromptId(second), rater, "random", "", False, now, now, closed_at=now,
        )  # fmt: skip
        cast = Vote(VoteId(new_id()), STUDY, duel.id, rater, outcome, now)
        self.store.add(Batch(duels=[duel], votes=[cast]))
        return duel


def ended(run: Run, within_s: float = 20.0) -> RunProgress:
    assert run.wait(within_s), run.progress()
    return run.progress()


def make_world(
    prompts: int = 4,
    inputs: int = 6,
    settings: Settings = QUIET,
    where: str = "memory://",
    written: bool = True,
) -> World:
    """Prompt p3 is better than p2, and so on; every output exists, or where they are not ``written`` none."""
    store = open_store(where)
    study = Study(STUDY, "Test", "Write well.", "- Good\n- Short", settings=settings)
    arms = [
        Prompt(PromptId(f"p{i}"), STUDY, f"Secret {i}", f"Hidden text {i} {{{{x}}}}") for i in range(prompts)
    ]
    rows = [Input(InputId(f"x{x}"), STUDY, {"x": str(x)}) for x in range(inputs)]
    outputs = [
        Output(OutputId(f"{arm.id}-{row.id}"), STUDY, arm.id, row.id, f"quality {i} on {row.id}")
        for i, arm in enumerate(arms)
        for row in rows
        if written
    ]
    store.add(
        Batch([study], arms, rows, outputs, [Rater(ANN, STUDY, "Ann"), Rater(RaterId("bob"), STUDY, "Bob")])
    )
    models: dict[str, LanguageModel] = {}
    open_model: Callable[..., LanguageModel] = lambda connection, _: models[connection.name]  # noqa: E731
    connections = Connections(store, open=open_model)
    pairing, results = Pairing(store), Results(store)
    generation = Generation(store, connections)
    judging = Judging(store, pairing, results, connections, generation)
    return World(store, judging, results, models, generation)

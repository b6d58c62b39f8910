"""How much of what a server's latency and the concurrency limit allow an automatic run makes use of.

    python -m benchmarks.judging [--latency 0.5] [--concurrency 16] [--duels 300] [--prompts 12] [--memory]

A server of the OpenAI dialect that takes its time over every answer runs in a process of its own, the run
in another, on a database file, with the selector that a new study has. Prints calls a second as a share of
concurrency / latency, and the same for bare calls by as many threads, which is what the client itself allows.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from optimizer.connections import Connections  # noqa: E402
from optimizer.domain import (  # noqa: E402
    Batch,
    Connection,
    Input,
    InputId,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Study,
    StudyId,
)
from optimizer.generation import Generation  # noqa: E402
from optimizer.judges.scripted import answer_by, perfect  # noqa: E402
from optimizer.judging import Judging  # noqa: E402
from optimizer.judging.plan import Plan, Seat  # noqa: E402
from optimizer.llm.base import Message, Request, Role  # noqa: E402
from optimizer.pairing import Pairing  # noqa: E402
from optimizer.results import Results  # noqa: E402
from optimizer.storage import open_store  # noqa: E402
from optimizer.storage.base import Store  # noqa: E402
from tests.fakes.openai_server import FakeServer  # noqa: E402

STUDY = StudyId("s")
GOAL = 0.9


def quality(text: str) -> float:
    return float(text.split()[1])


def reply(body: dict[str, list[dict[str, str]]]) -> str:
    """What a perfect judge answers; bare calls get a word."""
    content = body["messages"][-1]["content"]
    if content.count("\n") != 2:
        return "Yes."
    return answer_by(perfect(quality), Request((Message(Role.USER, content),)))


def serve(latency: float, pipe: Pipe) -> None:
    """A fake server until the pipe closes."""
    with FakeServer(latency_s=latency, reply=reply) as server:
        pipe.send(server.url)
        pipe.recv()


def fill(store: Store, prompts: int, inputs: int = 40) -> None:
    arms = [Prompt(PromptId(f"p{i}"), STUDY, f"Prompt {i}", "{{x}}") for i in range(prompts)]
    rows = [Input(InputId(f"x{x}"), STUDY, {"x": str(x)}) for x in range(inputs)]
    texts = [
        Output(OutputId(f"{a.id}-{r.id}"), STUDY, a.id, r.id, f"quality {i} on {r.id}" + " and more" * 80)
        for i, a in enumerate(arms)
        for r in rows
    ]
    store.add(Batch([Study(STUDY, "Benchmark", "Write well.", "Good\nShort")], arms, rows, texts))


def timed(work: Callable[[], int]) -> float:
    """Calls a second."""
    began = time.perf_counter()
    calls = work()
    return calls / (time.perf_counter() - began)


def bare(connections: Connections, calls: int) -> int:
    """As many threads as the connection takes, doing nothing but calls."""
    lane = connections.lane("judge")
    model, ask = lane.under(), Request((Message(Role.USER, "Say yes."),))
    left = iter(range(calls))
    gate = threading.Lock()

    def work() -> None:
        while True:
            with gate:
                if next(left, None) is None:
                    return
            model.complete(ask)

    threads = [threading.Thread(target=work) for _ in range(lane.connection.concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return calls


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--duels", type=int, default=300)
    parser.add_argument("--prompts", type=int, default=12)
    parser.add_argument("--memory", action="store_true", help="keep the study in memory")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(options.latency, there))
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        url = "memory://" if options.memory else f"sqlite:///{folder}/duels.db"
        store = open_store(url)
        fill(store, options.prompts)
        store.put_connection(Connection("judge", here.recv(), "fake-model", concurrency=options.concurrency))
        connections, pairing, results = Connections(store), Pairing(store), Results(store)
        generation = Generation(store, connections)
        judging = Judging(store, pairing, results, connections, generation)
        bare(connections, options.concurrency)  # opens the connections

        def judged() -> int:
            plan = Plan(STUDY, (Seat("judge"),), duels=options.duels, until_advised=False)
            run = judging.start(plan)
            run.wait()
            progress = run.progress()
            assert progress.votes == options.duels, progress
            return progress.spent.calls

        allowed = options.concurrency / options.latency
        plain = timed(lambda: bare(connections, 2 * options.duels))
        run = timed(judged)
        judging.close()
        generation.close()
        store.close()
    here.send("stop")
    server.join()
    print(f"allowed by latency and concurrency  {allowed:7.1f} calls/s")
    print(f"bare calls                          {plain:7.1f} calls/s  {plain / allowed:6.1%}")
    verdict = "reached" if run / allowed >= GOAL else "missed"
    print(f"automatic run, {options.duels} duels            {run:7.1f} calls/s  {run / allowed:6.1%}")
    print(f"of what bare calls reach            {run / plain:23.1%}")
    print(f"goal {GOAL:.0%} of what is allowed: {verdict}")
    print(json.dumps({"allowed": allowed, "bare": plain, "run": run}))


if __name__ == "__main__":
    main()

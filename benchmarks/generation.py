"""How well generation uses a server, against the ideal and against bare HTTP calls in the same run.

    python -m benchmarks.generation [throughput] [refusals] [waiting] [memory]

throughput  400 calls, 16 at once, 200 ms each: the share of the ideal 80 calls a second, stored durably
refusals    2,000 calls to a server that answers 429 above 50 a second (Retry-After: 1, as whole seconds)
waiting     duels that had to wait for an output, at 1 s a call and 4 s a vote; played ten times as fast
memory      resident memory over 10,000 outputs of 8 KB, with a small page cache of the database

The server is tests/fakes/openai_server.py in a process of its own, over real HTTP.
"""

import argparse
import gc
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from optimizer.connections import Connections  # noqa: E402
from optimizer.domain import (  # noqa: E402
    Batch,
    Connection,
    Input,
    InputId,
    Outcome,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    Study,
    StudyId,
)
from optimizer.generation import Generation  # noqa: E402
from optimizer.generation.ahead import Ahead  # noqa: E402
from optimizer.generation.cells import Cell, Order  # noqa: E402
from optimizer.generation.job import Job  # noqa: E402
from optimizer.llm.budget import Budget  # noqa: E402
from optimizer.pairing import Pairing, Wanted  # noqa: E402
from optimizer.storage import database_file  # noqa: E402
from optimizer.storage.sqlite import SqliteStore  # noqa: E402
from optimizer.workshop import ShownDuel, Workshop  # noqa: E402

STUDY, RATER = StudyId("study"), RaterId("rater")


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """The fake server; yields its address."""
    command = [sys.executable, str(ROOT / "tests/fakes/openai_server.py"), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(5)


@contextmanager
def workshop(
    server: str, prompts: int, inputs: int, concurrency: int
) -> Iterator[tuple[SqliteStore, Generation]]:
    """A study without outputs in a database file, and a service to fill it."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "study.db")
        store.add(
            Batch(
                studies=[Study(STUDY, "Study", seed=3)],
                prompts=[
                    Prompt(PromptId(f"p{n}"), STUDY, f"P{n}", f"Style {n}: {{{{q}}}}") for n in range(prompts)
                ],
                inputs=[Input(InputId(f"i{n}"), STUDY, {"q": f"Question {n}"}) for n in range(inputs)],
                raters=[Rater(RATER, STUDY, "Rater")],
            )
        )
        connections = Connections(store)
        connections.put(Connection("fake", server, "fake-model", concurrency=concurrency))
        connections.test(connections.named("fake"))  # imports, before the clock runs
        gc.collect()  # one pause of 0.1 s after the imports, which an app has long had behind it
        generation = Generation(store, connections)
        yield store, generation
        generation.close()
        store.close()


def finish(job: Job) -> float:
    started = time.monotonic()
    job.wait()
    return time.monotonic() - started


def throughput(calls: int = 400, at_once: int = 16, latency: float = 0.2) -> None:
    ideal = calls / at_once * latency
    with serving("--latency", str(latency)) as server:
        with workshop(server, 20, calls // 20, at_once) as (store, generation):
            seconds = finish(generation.start(Order(STUDY, "fake")))
            stored = len(store.output_index(STUDY))
        body = {"model": "m", "messages": [{"role": "user", "content": "Style 1: Question 1"}]}
        with httpx2.Client() as client, ThreadPoolExecutor(at_once) as pool:
            started = time.monotonic()
            list(pool.map(lambda _: client.post(f"{server}/chat/completions", json=body), range(calls)))
            bare = time.monotonic() - started
    print(
        f"throughput: {stored} outputs in {seconds:.2f} s; {ideal / seconds:.1%} of the ideal {ideal:.1f} s "
        f"(target 95 %); bare HTTP calls with as many threads reach {ideal / bare:.1%}"
    )


def refusals(calls: int = 2000, limit: int = 50) -> None:
    with serving("--latency", "0.05", "--limit", str(limit)) as server:
        with workshop(server, 20, calls // 20, 16) as (store, generation):
            seconds = finish(generation.start(Order(STUDY, "fake")))
            stored = len(store.output_index(STUDY))
        statuses = httpx2.get(server.removesuffix("/v1") + "/_fake/counts").json()["statuses"]
    print(
        f"refusals: {stored} of {calls} outputs in {seconds:.1f} s, {calls - stored} lost; "
        f"{stored / seconds:.1f} calls/s, {stored / seconds / limit:.1%} of the permitted {limit} "
        f"(target 90 %); {statuses.get('429', 0)} refused on the way"
    )


def waiting(duels: int = 60, call_s: float = 1.0, vote_s: float = 4.0, speed: float = 10.0) -> None:
    rng = np.random.default_rng(5)
    waits = []
    with (
        serving("--latency", str(call_s / speed)) as server,
        workshop(server, 8, 40, 8) as (store, generation),
    ):
        pairing = Pairing(store)
        asking, ahead = Workshop(store, pairing), Ahead(store, pairing, generation)
        ahead.follow(STUDY, "fake", Budget(calls=320))
        for _ in range(duels):
            started = time.monotonic()
            shown = asking.next_live_duel(STUDY, RATER)
            if isinstance(shown, Wanted):
                shown = write(asking, generation, shown)
            waits.append((time.monotonic() - started) * speed)
            ahead.look(STUDY, RATER)
            time.sleep(vote_s / speed)
            better = int(shown.duel.first_prompt[1:]) < int(shown.duel.second_prompt[1:])
            first = better if rng.random() < 0.8 else not better
            asking.record_vote(shown.duel.id, RATER, Outcome.FIRST if first else Outcome.SECOND)
        made = len(store.output_index(STUDY))
    waited = sum(wait > call_s / 2 for wait in waits)
    print(
        f"waiting: {waited} of {duels} duels waited for an output ({waited / duels:.1%}, target under 5 %); "
        f"{made} outputs made of the 320 of the whole grid (at {speed:g} times the speed)"
    )


def write(asking: Workshop, generation: Generation, wanted: Wanted) -> ShownDuel:
    """Generate what a duel lacks, as the screen does, until it can be shown."""
    drafts = [
        generation.write(STUDY, "fake", Cell(prompt, wanted.input))
        for prompt in (wanted.first, wanted.second)
    ]
    for draft in drafts:
        draft.wait()
    shown = asking.next_live_duel(STUDY, RATER, wanted)
    assert isinstance(shown, ShownDuel)
    return shown


def memory(outputs: int = 10_000, size: int = 8192) -> None:
    figures = []
    database_file.WRITER_CACHE_KIB = 2000  # else the database's own page cache, 64 MB, is what grows
    with (
        serving("--size", str(size)) as server,
        workshop(server, 50, outputs // 50, 16) as (_, generation),
    ):
        job = generation.start(Order(STUDY, "fake"))
        marks = [outputs // 10, outputs // 2, outputs]
        while marks:
            ended = job.wait(0.05)
            while marks and (job.progress().done >= marks[0] or ended):
                figures.append((job.progress().done, resident_mb()))
                marks.pop(0)
        rate = job.progress().per_second
    listed = ", ".join(f"{mb:.0f} MB at {done:,}" for done, mb in figures)
    written = outputs * size / 1e6
    print(
        f"memory: {listed} outputs of {size / 1024:g} KB: {figures[-1][1] - figures[0][1]:+.0f} MB while "
        f"{written * 0.9:.0f} MB were stored ({rate:.0f} calls/s at the end)"
    )


def resident_mb() -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


PARTS = {"throughput": throughput, "refusals": refusals, "waiting": waiting, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    for name in parser.parse_args().parts or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()

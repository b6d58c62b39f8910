"""Does an ask on PostgreSQL cost more when there are ten million votes? And what does a vote take?

    python -m benchmarks.postgres [--small 10000] [--large 10000000] [--asks 300]

Starts a server of its own (see tests/postgresql.py), loads two studies of the same shape into two
databases by COPY, and asks and votes in both by turns through the services, so that whatever else the
machine does slows both alike. Prints the time of an ask and of a vote at both sizes and their ratio, the
statements, and the bytes of a vote on disk and in the write-ahead log. Needs about 7 GB for ten million;
all of it is deleted at the end.

The rows loaded have shorter ids than the app's own and no log of events (``check`` would say so); triggers
are off while they are loaded. Neither is read by an ask or a vote.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from optimizer.domain import (  # noqa: E402
    Batch,
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
)
from optimizer.pairing import Pairing  # noqa: E402
from optimizer.storage import open_store  # noqa: E402
from optimizer.storage.schema import ANSWER_COLUMNS  # noqa: E402
from optimizer.workshop import Workshop  # noqa: E402
from tests.postgresql import PostgresServer  # noqa: E402

S = StudyId("s")
PROMPTS, INPUTS, RATERS = 20, 100, 2_000
BLOCK = 50_000
TARGET = 1.3
SETTINGS = (
    "shared_buffers=512MB",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=2GB",
    "autovacuum=on",
)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def world() -> Batch:
    """The study, with an output of every prompt on every input."""
    settings = Settings(selector="auto", audit_share=0.1, replay_share=0.05)
    return Batch(
        [Study(S, "Ten million votes", settings=settings, seed=1)],
        [Prompt(PromptId(f"p{p}"), S, f"Prompt {p}", f"Do {p} {{{{it}}}}") for p in range(PROMPTS)],
        [Input(InputId(f"x{x}"), S, {"it": f"thing {x}"}) for x in range(INPUTS)],
        [
            Output(OutputId(f"o{p}-{x}"), S, PromptId(f"p{p}"), InputId(f"x{x}"), f"output {p} {x} " * 20)
            for p in range(PROMPTS)
            for x in range(INPUTS)
        ],
        [Rater(RaterId(f"r{r}"), S, f"Rater {r}") for r in range(RATERS)],
    )


def rows(count: int) -> Iterator[tuple[str, str]]:
    """Blocks of duels and of votes on them, in the text format of COPY."""
    rng = np.random.default_rng(count)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        first = rng.integers(PROMPTS, size=size)
        second = (first + rng.integers(1, PROMPTS, size=size)) % PROMPTS
        inputs, raters = rng.integers(INPUTS, size=size), rng.integers(RATERS, size=size)
        won = rng.random(size) < 1 / (1 + np.exp((first - second) / 10))
        duels, votes = [], []
        for n, (i, j, x, r, w) in enumerate(zip(first, second, inputs, raters, won, strict=True), start):
            at = (BEGAN + timedelta(seconds=n)).isoformat()
            shown = f"x{x}\to{i}-{x}\to{j}-{x}\tp{i}\tp{j}\tr{r}"
            duels.append(f"{n + 1}\td{n}\ts\t{shown}\tauto\tclose\t0\t{at}\t{at}\t0\t\\N\t{at}\n")
            said = "first" if w else "second"
            votes.append(f"{n + 1}\tv{n}\ts\td{n}\tr{r}\t{said}\t{at}\t\\N\t900\t[]\t[]\t\t\\N\t{{}}\n")
        yield "".join(duels), "".join(votes)


COUNTED = """
INSERT INTO asked_counts SELECT study, least(first_prompt, second_prompt),
       greatest(first_prompt, second_prompt), input, count(*) FROM duels GROUP BY 1, 2, 3, 4;
INSERT INTO input_counts SELECT study, input, sum(duels) FROM asked_counts GROUP BY 1, 2;
INSERT INTO cell_counts SELECT d.study, 'human', d.input, d.first_prompt, d.second_prompt, {answers}
       FROM votes v JOIN duels d ON d.id = v.duel GROUP BY 1, 3, 4, 5;
INSERT INTO pair_counts SELECT study, kind, first_prompt, second_prompt, {sums}
       FROM cell_counts GROUP BY 1, 2, 3, 4;
UPDATE counters SET duels = {count}, votes = {count}, vote_version = {count};
SELECT setval(pg_get_serial_sequence('duels', 'seq'), {count});
SELECT setval(pg_get_serial_sequence('votes', 'seq'), {count});
"""


def load(address: str, count: int) -> None:
    """The study with so many votes."""
    store = open_store(address)
    store.add(world())
    store.close()
    began = time.monotonic()
    answers = ", ".join(f"count(*) FILTER (WHERE v.outcome = '{name}')" for name in ANSWER_COLUMNS)
    sums = ", ".join(f"sum({name})" for name in ANSWER_COLUMNS)
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("SET synchronous_commit = off")
        for table in ("duels", "votes"):
            db.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
        for duels, votes in rows(count):
            for table, block in (("duels", duels), ("votes", votes)):
                with db.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                    copy.write(block)
        for table in ("duels", "votes"):
            db.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL".encode())
        db.execute("SET work_mem = '256MB'")
        for statement in COUNTED.format(answers=answers, sums=sums, count=count).split(";\n"):
            if statement.strip():
                db.execute(statement.encode())
        db.execute("VACUUM ANALYZE")
        db.execute("CHECKPOINT")
        row = db.execute("SELECT pg_database_size(current_database())").fetchone()
    size = row[0] / count if row else 0.0
    print(
        f"{count:>12,} votes loaded in {time.monotonic() - began:.0f} s, {size:,.0f} bytes of disk a vote",
        flush=True,
    )


def measure(workshops: dict[int, Workshop], asks: int) -> dict[int, tuple[list[float], list[float]]]:
    """Seconds of asks and of votes, by turns."""
    took: dict[int, tuple[list[float], list[float]]] = {count: ([], []) for count in workshops}
    for turn in range(asks + 20):
        for count, workshop in workshops.items():
            rater = RaterId(f"r{turn % RATERS}")
            began = time.perf_counter()
            duel = workshop.next_duel(S, rater).duel
            asked = time.perf_counter()
            workshop.record_vote(duel.id, rater, Outcome.FIRST if turn % 3 else Outcome.SECOND)
            voted = time.perf_counter()
            if turn >= 20:  # the first ones read the content and plan the statements
                took[count][0].append(asked - began)
                took[count][1].append(voted - asked)
    return took


def at(values: list[float], share: float) -> float:
    return 1000 * sorted(values)[int(share * (len(values) - 1))]


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--small", type=int, default=10_000)
    told.add_argument("--large", type=int, default=10_000_000)
    told.add_argument("--asks", type=int, default=300)
    asked = told.parse_args()
    server = PostgresServer(settings=SETTINGS)
    try:
        stores, workshops = [], {}
        for count in (asked.small, asked.large):
            address = server.new_database()
            load(address, count)
            stores.append(open_store(address))
            workshops[count] = Workshop(stores[-1], Pairing(stores[-1]))
        with psycopg.connect(server.address(), autocommit=True) as db:
            before = db.execute("SELECT pg_current_wal_lsn()").fetchone()
            took = measure(workshops, asked.asks)
            row = db.execute("SELECT pg_current_wal_lsn() - %s::pg_lsn", before).fetchone()
        wal = float(row[0]) / (2 * (asked.asks + 20)) if row else 0.0
        for count, (asks, votes) in took.items():
            print(
                f"{count:>12,} votes: ask median {at(asks, 0.5):.2f} ms, p95 {at(asks, 0.95):.2f}; "
                f"vote median {at(votes, 0.5):.2f} ms, p95 {at(votes, 0.95):.2f}"
            )
        for what, place in (("ask", 0), ("vote", 1)):
            ratio = at(took[asked.large][place], 0.5) / at(took[asked.small][place], 0.5)
            verdict = (
                f"  (target {TARGET}: {'kept' if ratio <= TARGET else 'MISSED'})" if what == "ask" else ""
            )
            print(f"ratio of median {what} times, {asked.large:,} : {asked.small:,} = {ratio:.2f}{verdict}")
        print(f"write-ahead log: {wal:,.0f} bytes for a duel and its vote")
        for store in stores:
            store.close()
    finally:
        server.remove()


if __name__ == "__main__":
    main()

"""One side of a comparison of two commits: times rounds of the same operations, when it is told to.

Started by ``benchmarks/storage_before.py`` with one commit's tree first on the path, so it may call only
what that commit, too, understands. A line on standard input asks for a round; the answer is a line of
JSON: name of an operation -> seconds, the median of the round.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.fill import batch
from optimizer.domain import Batch, Outcome, RaterId, StudyId
from optimizer.pairing import Pairing
from optimizer.storage.sqlite import SqliteStore
from optimizer.workshop import Workshop

STUDY, RATER = StudyId("bench"), RaterId("simulated")
VOTES_A_ROUND = 20
IMPORTED = 1_000
SMALL_A_ROUND = 20
LARGE_A_ROUND = 5  # of what reads every vote or output


def rounds(store: SqliteStore, imported: Batch, beside: Path) -> Iterator[dict[str, list[float]]]:
    """Seconds of each operation; ``imported`` goes into a new file ``beside``, once a round."""
    workshop = Workshop(store, Pairing(store))
    small: dict[str, Callable[[], object]] = {
        "counters": lambda: store.counters(STUDY),
        "pair counts": lambda: store.pair_counts(STUDY),
        "newest 50 votes": lambda: store.ballots(STUDY, limit=50),
        "last vote of a rater": lambda: store.last_vote(STUDY, RATER),
    }
    large: dict[str, Callable[[], object]] = {
        "cell counts": lambda: store.cell_counts(STUDY),
        "all votes, in short": lambda: store.answered(STUDY),
        "output index": lambda: store.output_index(STUDY),
    }
    while True:
        times: dict[str, list[float]] = defaultdict(list)
        for _ in range(VOTES_A_ROUND):
            start = perf_counter()
            duel = workshop.next_duel(STUDY, RATER).duel.id
            asked = perf_counter()
            workshop.next_duel(STUDY, RATER)
            again = perf_counter()
            workshop.record_vote(duel, RATER, Outcome.FIRST)
            voted = perf_counter()
            times["ask"].append(asked - start)
            times["ask again (open duel)"].append(again - asked)
            times["vote"].append(voted - again)
        for calls, often in ((small, SMALL_A_ROUND), (large, LARGE_A_ROUND)):
            for name, call in calls.items():
                for _ in range(often):
                    start = perf_counter()
                    call()
                    times[name].append(perf_counter() - start)
        fresh = SqliteStore(beside)
        start = perf_counter()
        fresh.add(imported)
        times[f"import {len(imported.votes):,} votes"].append(perf_counter() - start)
        fresh.close()
        for left in beside.parent.glob(f"{beside.name}*"):
            left.unlink()
        yield times


def main() -> None:
    told = argparse.ArgumentParser()
    told.add_argument("file", type=Path)
    told.add_argument("votes", type=int)
    told.add_argument("seed", type=int)
    chosen = told.parse_args()
    store = SqliteStore(chosen.file)
    store.add(batch(chosen.votes, chosen.seed))
    print("{}", flush=True)  # ready
    beside = chosen.file.with_name(f"import-{chosen.file.name}")
    measured = rounds(store, batch(IMPORTED, chosen.seed), beside)
    for _ in sys.stdin:
        print(json.dumps({name: median(times) for name, times in next(measured).items()}), flush=True)
    store.close()


if __name__ == "__main__":
    main()

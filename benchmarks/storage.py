"""What storing and reading cost, with few votes in the database and with many.

    python -m benchmarks.storage [--votes 100000] [--seed 1]
    python -m benchmarks.storage --before COMMIT [--rounds 20]

The second form compares this tree with an earlier commit, operation by operation, by turns in one run.

Times are of this machine; beside them stand what does not depend on it: the ratio of a durable vote to a
bare fsync of the same disk, and of many votes to few.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import IO

from benchmarks.fill import batch
from benchmarks.storage_before import compare
from optimizer.domain import Batch, Duel, DuelId, Outcome, StudyId, Vote, VoteId, new_id, utc_now
from optimizer.storage.sqlite import SqliteStore

REPEATS = 200
STUDY = StudyId("bench")


def with_random_ids(whole: Batch) -> Batch:
    """As the app would name duels and votes: in no order, which is harder on indexes."""
    names = {duel.id: DuelId(new_id()) for duel in whole.duels}
    return replace(
        whole,
        duels=[replace(duel, id=names[duel.id]) for duel in whole.duels],
        votes=[replace(vote, id=VoteId(new_id()), duel=names[vote.duel]) for vote in whole.votes],
    )


def milliseconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return (perf_counter() - start) * 1000


def measure(store: SqliteStore, like: Duel, beside: IO[bytes]) -> dict[str, list[float]]:
    """Times in milliseconds of what one vote takes, by name, and of a bare fsync of another file."""
    times: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[[], object]) -> None:
        times.setdefault(name, []).append(milliseconds(call))

    for _ in range(REPEATS):
        now = utc_now()
        lease = now + timedelta(hours=1)
        duel = replace(like, id=DuelId(new_id()), asked_at=now, expires_at=lease, closed_at=None)
        vote = Vote(VoteId(new_id()), STUDY, duel.id, duel.rater, Outcome.FIRST, now)
        timed("hand out a duel", lambda duel=duel: store.add(Batch(duels=[duel])))
        timed("open_duel", lambda now=now: store.open_duel(STUDY, like.rater, now))
        timed("pending", lambda now=now: store.pending(STUDY, now))
        timed("pair_counts", lambda: store.pair_counts(STUDY))
        timed("counters", lambda: store.counters(STUDY))
        timed("duels_by_input", lambda: store.duels_by_input(STUDY, like.first_prompt, like.second_prompt))
        timed("add_vote", lambda vote=vote: store.add_vote(vote))
        beside.write(os.urandom(4096))
        timed("one fsync", lambda: os.fdatasync(beside.fileno()))
    for name in ("answered", "cell_counts", "output_index"):
        for _ in range(5):
            timed(name, lambda name=name: getattr(store, name)(STUDY))
    asking = zip(times["open_duel"], times["pending"], times["pair_counts"], strict=True)
    times["open_duel + pending + pair_counts"] = [sum(three) for three in asking]
    return times


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--votes", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--before", metavar="COMMIT")
    options.add_argument("--rounds", type=int, default=20)
    chosen = options.parse_args()
    if chosen.before:
        compare(chosen.before, chosen.rounds, chosen.seed)
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        (folder / ".gitignore").write_text("*\n")
        measured = {}
        for votes in (100, chosen.votes):
            whole = with_random_ids(batch(votes, chosen.seed))
            store = SqliteStore(folder / f"{votes}.db")
            seconds = milliseconds(lambda store=store, whole=whole: store.add(whole)) / 1000
            print(f"add {votes:,} duels and votes: {seconds:.2f} s")
            with (folder / "beside").open("wb", buffering=0) as beside:
                measured[votes] = measure(store, whole.duels[0], beside)
            if votes == chosen.votes:
                size = (folder / f"{votes}.db").stat().st_size
                print(f"size: {size / 1e6:.0f} MB")
                print(f"check: {milliseconds(store.check) / 1000:.2f} s")
                print(f"backup: {milliseconds(lambda s=store: s.backup(folder / 'b.db')) / 1000:.2f} s")
            store.close()
            again = milliseconds(lambda votes=votes: SqliteStore(folder / f"{votes}.db").close())
            print(f"open and close: {again:.1f} ms")

    few, many = measured[100], measured[chosen.votes]
    print(f"\nmilliseconds, median (95th percentile) of {REPEATS}; seed {chosen.seed}")
    print(f"{'':36}{'100 votes':>18}{f'{chosen.votes:,} votes':>18}{'ratio':>8}")
    for name in many:
        cells = [f"{median(t):.2f} ({quantiles(t, n=20)[-1]:.2f})" for t in (few[name], many[name])]
        print(f"{name:36}{cells[0]:>18}{cells[1]:>18}{median(many[name]) / median(few[name]):>8.2f}")
    ratio = median(many["add_vote"]) / median(many["one fsync"])
    print(f"add_vote / one fsync: {ratio:.2f}. (After 100 votes few of the 380 pairs have a row of counts.)")


if __name__ == "__main__":
    main()

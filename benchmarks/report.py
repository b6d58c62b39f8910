"""A large report, and a large import to standings, with the fit beside a compiled library's.

    python -m benchmarks.report [--votes 100000] [--seed 1]

1. A study of 50 prompts, 200 inputs and 100,000 votes in a database file: the time and the peak memory of a
   fresh process that gathers its report and writes it as HTML and as Markdown.
2. 100,000 arena battles with texts (60 models, half of the questions asked once) as a JSONL file: the time
   from the file to standings, step by step.
3. The Bradley-Terry fit of the same battles, as a ratio to evalica's in the same run.

Votes and texts are random numbers and filler. Beside the time on the clock stands the processor's, for a
machine that others use too. Targets: 10 s and 500 MB, 15 s, a ratio of at most 2.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads cost more than they bring at these sizes

import evalica
import numpy as np

from benchmarks.fill import batch, text
from benchmarks.fitting import milliseconds
from optimizer.assemble import build
from optimizer.config import Config
from optimizer.domain import StudyId
from optimizer.formats.base import Upload
from optimizer.reports import write
from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.tally import BOTH_GOOD, FIRST, SECOND, Tally

MODELS, QUESTIONS, VOTERS = 60, 60_000, 4000
WORDS = 40  # of an answer


@contextmanager
def timed(name: str) -> Iterator[None]:
    wall, processor = time.perf_counter(), time.process_time()
    yield
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"  {name:34} {wall:6.2f} s on the clock, {processor:6.2f} s of the processor", flush=True)


def battles(votes: int, seed: int) -> tuple[Iterator[str], np.ndarray]:
    """Lines of a file, and the same votes as (first, second, level, count) rows."""
    rng = np.random.default_rng(seed)
    strengths = rng.normal(size=MODELS)
    first = rng.integers(MODELS, size=votes)
    second = (first + rng.integers(1, MODELS, size=votes)) % MODELS
    question = rng.integers(QUESTIONS, size=votes)
    won = rng.random(votes) < 1 / (1 + np.exp(strengths[second] - strengths[first]))
    level = np.where(rng.random(votes) < 0.15, BOTH_GOOD, np.where(won, FIRST, SECOND))
    winner = {BOTH_GOOD: "tie", FIRST: "model_a", SECOND: "model_b"}

    def turns(x: int, answer: int) -> list[dict[str, str]]:
        asked = f"Question {x}: {' '.join(text(x).split()[:20])}"
        said = " ".join(text(answer).split()[: WORDS + 2])
        return [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]

    lines = (
        json.dumps(
            {
                "question_id": f"q{x}",
                "model_a": f"model-{i}",
                "model_b": f"model-{j}",
                "winner": winner[int(kind)],
                "judge": f"arena_user_{n % VOTERS}",
                "conversation_a": turns(int(x), 2 * n),
                "conversation_b": turns(int(x), 2 * n + 1),
                "turn": 1,
                "anony": True,
                "language": "English",
                "tstamp": 1_700_000_000.0 + n,
            }
        )
        + "\n"
        for n, (i, j, x, kind) in enumerate(zip(first, second, question, level, strict=True))
    )
    return lines, np.stack([first, second, level, np.ones(votes)], axis=1)


def config(folder: Path) -> Config:
    settings = {"PROMPT_DUEL_DATA_DIR": str(folder), "PROMPT_DUEL_MAX_UPLOAD_MB": "1000"}
    return Config.load({**os.environ, **settings})


def peak_mb() -> float:
    status = Path("/proc/self/status").read_text()  # of this process alone, unlike getrusage's after a fork
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def report(folder: Path) -> None:
    """What a fresh process does; prints for the one that started it."""
    services = build(config(folder))
    before = peak_mb()
    with timed("gather the report"):
        found = services.reports.gather(StudyId("bench"))
    with timed("write it as HTML"):
        html = "".join(write(found, "html"))
    with timed("write it as Markdown"):
        markdown = "".join(write(found, "md"))
    print(f"  {len(html) / 1e6:.1f} MB of HTML, {len(markdown) / 1e3:.0f} kB of Markdown")
    print(f"  peak memory {peak_mb():.0f} MB, of which {before:.0f} MB before the report")
    services.close()


def imported(folder: Path) -> None:
    """The same for the import."""
    services = build(config(folder))
    upload = Upload("battles.jsonl", (folder / "battles.jsonl").read_bytes())
    print(f"  a file of {len(upload.data) / 1e6:.0f} MB")
    with timed("file to standings, in all"):
        with timed("read and check the file"):
            preview = services.exchange.preview("lmsys-battles", upload)
        with timed("store it"):
            study = services.exchange.apply(preview)
        with timed("standings"):
            standings = services.results.standings(study)
    leader = standings.rows[0].prompt.name
    print(f"  {standings.votes:,} votes count, '{leader}' leads; {peak_mb():.0f} MB at most")
    services.close()


def against_evalica(rows: np.ndarray) -> None:
    """The fit alone, counting included, on the battles of the import."""
    winners = {FIRST: evalica.Winner.X, SECOND: evalica.Winner.Y, BOTH_GOOD: evalica.Winner.Draw}
    xs, ys = rows[:, 0].astype(int).tolist(), rows[:, 1].astype(int).tolist()
    said = [winners[int(level)] for level in rows[:, 2]]
    ours = milliseconds(lambda: fit_by_evidence(Tally.from_answers(MODELS, rows).wins))
    theirs = milliseconds(lambda: evalica.bradley_terry(xs, ys, said))
    print(f"  {len(rows):,} battles: ours {ours:.1f} ms, evalica {theirs:.1f} ms, ratio {ours / theirs:.2f}")


def in_a_process(step: Callable[[Path], None], folder: Path) -> None:
    """Run a step alone, so that the peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.report", "--step", step.__name__, "--folder", str(folder)]
    subprocess.run(command, check=True)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--votes", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--step", choices=["report", "imported"], help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.step:
        {"report": report, "imported": imported}[chosen.step](chosen.folder)
        return
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"seed {chosen.seed}; load of the machine {load} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        services = build(config(folder / "report"))
        services.store.add(batch(chosen.votes, chosen.seed, 50, 200, 20))
        services.close()
        print(f"report: 50 prompts, 200 inputs, {chosen.votes:,} votes of 20 raters", flush=True)
        in_a_process(report, folder / "report")
        lines, rows = battles(chosen.votes, chosen.seed)
        (folder / "import").mkdir()
        with (folder / "import" / "battles.jsonl").open("w") as file:
            file.writelines(lines)
        print(f"import: {chosen.votes:,} arena battles", flush=True)
        in_a_process(imported, folder / "import")
    print("fit:")
    against_evalica(rows)


if __name__ == "__main__":
    main()

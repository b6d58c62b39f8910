"""Is the SQLite store as quick as that of an earlier commit? Called by ``benchmarks/storage.py --before``."""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
SIZES = (1_000, 100_000)
NOISE = 1.05  # ratios up to this are not called slower


def unpacked(commit: str, folder: Path) -> Path:
    """The tree of the commit, in a folder of its own; the repository is only read."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as tree:
        tree.extractall(folder, filter="data")
    return folder


@dataclass
class Side:
    """A process that times the operations on the code of one tree, in a database of its own."""

    process: subprocess.Popen[str]

    @staticmethod
    def of(tree: Path, file: Path, votes: int, seed: int) -> "Side":
        script = ROOT / "benchmarks" / "storage_rounds.py"
        command = [sys.executable, "-P", str(script), str(file), str(votes), str(seed)]
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        return Side(
            subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )

    def heard(self) -> dict[str, float]:
        """The next line that it prints."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("One side ended early; its error stands above.")
        return dict(json.loads(line))

    def round(self) -> dict[str, float]:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.heard()

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def compare(commit: str, rounds: int, seed: int) -> None:
    """Prints milliseconds before and now, and their ratio: medians over rounds that are taken by turns, so
    that whatever else the machine does slows both alike."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        (folder / ".gitignore").write_text("*\n")
        trees = {"before": unpacked(commit, folder / "tree"), "now": ROOT}
        for votes in SIZES:
            taken: dict[str, list[dict[str, float]]] = {side: [] for side in trees}
            sides: dict[str, Side] = {}
            for side, tree in trees.items():
                sides[side] = Side.of(tree, folder / f"{side}-{votes}.db", votes, seed)
                sides[side].heard()  # that it is loaded
            for turn in range(rounds + 1):
                for side in sorted(sides, reverse=bool(turn % 2)):
                    found = sides[side].round()
                    if turn:  # the first one reads the content and opens connections
                        taken[side].append(found)
            for one in sides.values():
                one.end()
            show(votes, rounds, taken)


def show(votes: int, rounds: int, taken: dict[str, list[dict[str, float]]]) -> None:
    load = os.getloadavg()[0]
    print(f"\n{votes:,} votes; milliseconds, medians of {rounds} rounds by turns; load {load:.1f}")
    print(f"{'':28}{'before':>10}{'now':>10}{'ratio':>8}{'half of the rounds':>22}")
    for name in taken["now"][0]:
        before, now = ([found[name] * 1000 for found in taken[side]] for side in ("before", "now"))
        ratios = sorted(b / a for a, b in zip(before, now, strict=True))
        middle = median(ratios)
        low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
        verdict = "  slower" if middle > NOISE else ""
        print(
            f"{name:28}{median(before):>10.3f}{median(now):>10.3f}{middle:>8.2f}"
            f"{f'{low:.2f} to {high:.2f}':>22}{verdict}"
        )

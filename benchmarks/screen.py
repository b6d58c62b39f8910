"""How quick the voting screen feels, as ratios against bare Streamlit pages in the same run.

    python -m benchmarks.screen [--votes 100] [--many 100000]

Prints (1) the time from the command to the first pair on screen against that of an empty app, and (2) the
time from a key press to the next pair drawn against that of a bare two-column page with two buttons,
with few votes in the database and with many; and (3) the same until the server has taken the vote. Needs
Chromium.
"""

import argparse
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
SEED = 1

# Runs in the page: press the key, resolve with two times in milliseconds, each with one more frame drawn:
# until the outputs that are to be seen are others, and until the server has drawn others, so that the vote is
# stored and the next press counts. With null when nothing came. (Of some 1,500 presses Streamlit's page does
# not hear one.)
PRESS = """key => new Promise(done => {
  const ours = '.st-key-pair', next = '.st-key-pair_next';
  const drawn = () => document.querySelector(ours)?.textContent ?? '';
  const visible = () => [...document.querySelectorAll(`${ours}, ${next}`)]
    .filter(pair => pair.checkVisibility()).map(pair => pair.textContent).join();
  const before = [visible(), drawn()], start = performance.now(), times = [null, null];
  const watch = () => {
    [visible(), drawn()].forEach((now, i) => {
      if (times[i] === null && now && now !== before[i]) {
        times[i] = 0;
        requestAnimationFrame(() => { times[i] = performance.now() - start; });
      }
    });
    if (times.every(time => time)) done(times);
    else if (performance.now() - start > 5000) done(null);
    else requestAnimationFrame(watch);
  };
  for (const turn of ['keydown', 'keyup'])
    document.dispatchEvent(new KeyboardEvent(turn, {key, code: 'Key' + key.toUpperCase(), bubbles: true}));
  requestAnimationFrame(watch);
})"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(script: Path, folder: Path) -> Iterator[str]:
    """The script served by Streamlit with our own config.toml; yields its address."""
    port = free_port()
    environment = {**os.environ, "PROMPT_DUEL_DATA_DIR": str(folder), "PROMPT_DUEL_MIN_VIEW_MS": "0"}
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def wait_for(page: Page, address: str, selector: str) -> None:
    """Open the address as soon as the server answers, and wait for the selector."""
    deadline = time.monotonic() + 60
    while True:
        try:
            page.goto(address)
            break
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    page.wait_for_selector(selector, state="attached", timeout=60_000)


def start_times(page: Page, rounds: int) -> dict[str, list[float]]:
    """Seconds from the command to the content on screen, the two apps in turn."""
    apps = {
        "empty": (ROOT / "benchmarks/bare/empty.py", "text=ready"),
        "ours": (ROOT / "app.py", ".st-key-pane_second"),
    }
    times: dict[str, list[float]] = {name: [] for name in apps}
    with tempfile.TemporaryDirectory() as folder:  # the same database each time: not the very first start
        for turn in range(rounds + 1):
            for name, (script, selector) in apps.items():
                start = time.monotonic()
                with serving(script, Path(folder)) as address:
                    wait_for(page, address, selector)
                    if turn:  # the first round warms the disk
                        times[name].append(time.monotonic() - start)
    return times


def press_times(pages: dict[str, Page], presses: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds from key press until the next pair is seen, and until the vote is stored.

    The pages in turn, so that all meet the same machine, in an order drawn anew each time: a press leaves
    work behind, which the page after it would meet.
    """
    order, drawing = list(pages), random.Random(SEED)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in pages}
    for turn in range(presses + 10):
        drawing.shuffle(order)
        for name in order:
            page = pages[name]
            elapsed = page.evaluate(PRESS, "ab"[turn % 2])
            if elapsed is None:
                print(f"  {name}: press {turn} was not heard")
            elif turn >= 10:
                times[name].append((float(elapsed[0]), float(elapsed[1])))
            page.wait_for_timeout(120)
    return times


def fill(folder: Path, votes: int) -> None:
    """A study of 20 prompts and 50 inputs with so many votes, as the app's first study."""
    command = [
        sys.executable,
        str(ROOT / "benchmarks/fill.py"),
        str(folder),
        "--votes",
        str(votes),
        "--seed",
        str(SEED),
    ]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def summary(times: list[float]) -> str:
    ordered = sorted(times)
    return f"p50 {statistics.median(ordered):7.1f}  p95 {p95(ordered):7.1f}  n={len(ordered)}"


def p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * len(times))]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rounds", type=int, default=5, help="starts of each app, 0 for none")
    options.add_argument("--presses", type=int, default=120, help="key presses per page")
    options.add_argument("--many", type=int, default=100_000, help="votes in the large database")
    chosen = options.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        starts = start_times(browser.new_page(), chosen.rounds) if chosen.rounds else {}
        median = {name: statistics.median(times) for name, times in starts.items()}
        for name, times in starts.items():
            print(f"start to content, {name:6} (s): median {median[name]:.2f} {[round(t, 2) for t in times]}")
        if starts:
            print(f"  ratio of medians: {median['ours'] / median['empty']:.2f}")
        with ExitStack() as open_ones:
            pages = {}
            for name, script, votes in (
                ("bare", "benchmarks/bare/two_columns.py", 0),
                ("few votes", "app.py", 100),
                ("many votes", "app.py", chosen.many),
            ):
                folder = open_ones.enter_context(tempfile.TemporaryDirectory())
                if votes:
                    fill(Path(folder), votes)
                address = open_ones.enter_context(serving(ROOT / script, Path(folder)))
                page = open_ones.enter_context(browser.new_page())
                wait_for(page, address, ".st-key-pair")
                pages[name] = page
            presses = press_times(pages, chosen.presses)
        for i, what in enumerate(("key to next pair", "key to vote taken")):
            shown = {name: [pair[i] for pair in times] for name, times in presses.items()}
            for name, times in shown.items():
                print(f"{what}, {name:10} (ms): {summary(times)}")
            for one, other in (("few votes", "bare"), ("many votes", "few votes")):
                print(f"  p95 ratio, {one} to {other}: {p95(shown[one]) / p95(shown[other]):.2f}")
        browser.close()


if __name__ == "__main__":
    main()

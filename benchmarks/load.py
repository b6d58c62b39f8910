"""Many raters at once on real connections, and whether a vote is lost, doubled or late.

    python -m benchmarks.load [--raters 100] [--seconds 180] [--every 4]
    python -m benchmarks.load --url http://127.0.0.1:8501 --url http://127.0.0.1:8502 --database sqlite:///...

Each rater is a websocket client that speaks Streamlit's own protocol: it opens the voting screen, reads,
presses a key, waits for the next pair. Without --url a server of its own is started on an empty folder.
With several (replicas on one database) raters are spread over them. Only this machine is ever called, by at
most 500 raters for at most an hour. Prints votes lost and doubled by comparing what was acknowledged with
the database, the time from vote to next pair, memory per rater, and whether every rater has a duel.
"""

import argparse
import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.screen import free_port  # noqa: E402
from optimizer.domain import DuelId, RaterId, StudyId, utc_now  # noqa: E402
from optimizer.sessions import Session, Sessions  # noqa: E402
from optimizer.sessions.nouns import SessionId  # noqa: E402
from optimizer.storage import open_store  # noqa: E402
from optimizer.storage.base import Store  # noqa: E402
from pages.parts.keyguard import ON_SCREEN  # noqa: E402

MOST_RATERS, MOST_SECONDS = 500, 3600
LOCAL = {"127.0.0.1", "localhost", "::1"}
LEAST_PAUSE_S = 0.9  # the app takes no vote on a pair that was on screen for less than 0.7 s
GIVE_UP_S = 30.0
VOTE = re.compile(r"-vote_([ABTN])$")
KEYS = "ABTN"
OUTCOMES = {"A": "first", "B": "second", "T": "both_good", "N": "both_bad"}


@dataclass
class Rater:
    """One person at a screen, and what they were told."""

    url: str
    token: str
    rater: RaterId
    rng: random.Random
    acknowledged: dict[str, str] = field(default_factory=dict)  # duel -> outcome
    unanswered: dict[str, str] = field(
        default_factory=dict
    )  # sent, and the connection ended before the next pair
    waits: list[float] = field(default_factory=list)
    first_s: float = 0.0
    without_duel: int = 0
    faults: list[str] = field(default_factory=list)

    async def vote_until(self, deadline: float, every: float) -> None:
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        headers = {"Cookie": f"prompt_duel_person={self.token}", "Origin": self.url}
        try:
            async with websockets.connect(
                address,
                additional_headers=headers,
                max_size=None,
                subprotocols=["streamlit"],
                open_timeout=60,
            ) as socket:
                began = time.monotonic()
                page = Page()
                await page.run(socket, BackMsg())
                self.first_s = time.monotonic() - began
                while time.monotonic() < deadline:
                    await asyncio.sleep(LEAST_PAUSE_S + self.rng.expovariate(1 / (every - LEAST_PAUSE_S)))
                    await self.vote(socket, page)
        except (OSError, websockets.WebSocketException, TimeoutError) as fault:
            self.faults.append(f"{type(fault).__name__}: {fault}")

    async def vote(self, socket: websockets.ClientConnection, page: "Page") -> None:
        if not page.buttons:
            self.without_duel += 1
            await page.run(socket, BackMsg())  # as a person would: reload
            return
        duel, key = page.duel, self.rng.choice(KEYS)
        self.unanswered[duel] = OUTCOMES[key]
        press = BackMsg()
        press.rerun_script.fragment_id = page.fragment
        widgets = press.rerun_script.widget_states.widgets
        pressed, shown = widgets.add(), widgets.add()
        pressed.id, pressed.trigger_value = page.buttons[key], True
        shown.id, shown.string_value = page.field, duel  # the pair on the screen goes with every press
        began = time.monotonic()
        page.buttons = {}
        await page.run(socket, press)
        if page.duel != duel:
            self.waits.append(time.monotonic() - began)
            self.acknowledged[duel] = self.unanswered.pop(duel)


class Page:
    """The screen as far as voting goes: the buttons, and the fragment that they belong to."""

    def __init__(self) -> None:
        self.script = ""
        self.fragment = ""
        self.duel, self.field = "", ""  # the open duel, and the widget that holds its id
        self.buttons: dict[str, str] = {}

    async def run(self, socket: websockets.ClientConnection, message: BackMsg) -> None:
        """Send, and read until the script has run."""
        message.rerun_script.page_script_hash = self.script
        if not self.script:
            message.rerun_script.page_name = "duel"
        await socket.send(message.SerializeToString())
        while True:
            told = ForwardMsg()
            told.ParseFromString(await asyncio.wait_for(socket.recv(), GIVE_UP_S))
            kind = told.WhichOneof("type")
            if kind == "new_session":
                self.script = told.new_session.page_script_hash
            elif kind == "delta":
                self._look(told)
            elif kind == "script_finished" and told.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return

    def _look(self, told: ForwardMsg) -> None:
        if told.delta.WhichOneof("type") != "new_element":
            return
        drawn = told.delta.new_element
        if drawn.HasField("text_area") and drawn.text_area.id.endswith(f"-{ON_SCREEN}"):
            self.duel, self.field = drawn.text_area.value, drawn.text_area.id
        elif drawn.HasField("button") and (found := VOTE.search(drawn.button.id)):
            self.buttons[found[1]] = drawn.button.id
            self.fragment = told.delta.fragment_id


def megabytes(pids: list[int]) -> float:
    """Resident memory of the servers."""
    return sum(
        int(line.split()[1]) / 1024
        for pid in pids
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )


def processor_seconds(pids: list[int]) -> float:
    """What the servers have used of the processor so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def seat_all(
    store: Store, study: StudyId, urls: list[str], count: int, overlap: int, seed: int
) -> list[Rater]:
    """A session with so many raters in it, as if they had joined and practised."""
    sessions = Sessions(store)
    wanted = Session(
        SessionId(""), study, f"Load {seed}", overlap=overlap, overlap_share=0.2 if overlap > 1 else 0.0
    )
    session = sessions.open(wanted)
    raters = []
    for number in range(count):
        token = f"load-{session.id}-{number}"
        seat = sessions.join(session.id, token, f"Rater {number}")
        sessions.practised(seat)
        raters.append(Rater(urls[number % len(urls)], token, seat.rater, random.Random(seed * 1000 + number)))
    return raters


async def play(raters: list[Rater], seconds: float, every: float, ramp: float) -> None:
    """All at once, but for the first seconds in which they arrive one after the other."""
    deadline = time.monotonic() + ramp + seconds

    async def come(rater: Rater, after: float) -> None:
        await asyncio.sleep(after)
        await rater.vote_until(deadline, every)

    await asyncio.gather(*(come(rater, ramp * n / len(raters)) for n, rater in enumerate(raters)))


def report(
    store: Store, study: StudyId, raters: list[Rater], seconds: float, before: float, after: float
) -> bool:
    """Print what happened; returns whether nothing was lost or doubled and nobody lacked a duel."""
    standing: Counter[str] = Counter()
    stored: dict[str, str] = {}
    for ballot in store.ballots(study):
        if ballot.vote.withdrawn_at is None:
            standing[ballot.duel.id] += 1
            stored[ballot.duel.id] = ballot.vote.outcome.value
    acknowledged = {duel: said for rater in raters for duel, said in rater.acknowledged.items()}
    on_the_way = {duel: said for rater in raters for duel, said in rater.unanswered.items()}
    lost = [duel for duel, said in acknowledged.items() if stored.get(duel) != said]
    doubled = [duel for duel, times in standing.items() if times > 1]
    mine = {rater.rater for rater in raters}
    unknown = [
        duel for duel in stored if duel not in acknowledged and duel not in on_the_way
        and store.duel(DuelId(duel)).rater in mine
    ]  # fmt: skip
    idle = sum(store.open_duel(study, rater.rater, utc_now()) is None for rater in raters)
    waits = sorted(wait for rater in raters for wait in rater.waits)
    firsts = sorted(rater.first_s for rater in raters)
    faults = [fault for rater in raters for fault in rater.faults]
    print(
        f"raters {len(raters)}, {len(waits):,} votes in {seconds:.0f} s: {len(waits) / seconds:.1f} a second"
    )
    print(f"lost {len(lost)}, doubled {len(doubled)}, stored but never acknowledged {len(unknown)}")
    print(
        f"turns without a duel {sum(rater.without_duel for rater in raters)}, without one at the end {idle}"
    )
    if waits:
        marks = ", ".join(f"p{100 * q:.0f} {1000 * at(waits, q):.0f} ms" for q in (0.5, 0.95, 0.99))
        print(f"vote to next pair: {marks}, longest {1000 * waits[-1]:.0f} ms")
    print(f"first pair: median {1000 * at(firsts, 0.5):.0f} ms, p95 {1000 * at(firsts, 0.95):.0f} ms")
    if before:
        grown = (after - before) / len(raters)
        print(f"memory: {before:.0f} MB before, {after:.0f} MB after, {grown:.2f} MB a rater")
    print(f"connections that failed: {len(faults)}" + (f", e.g. {faults[0]}" if faults else ""))
    return bool(waits) and not (lost or doubled or unknown or idle or faults)


def at(ordered: list[float], q: float) -> float:
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def start(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A server of its own on an empty folder; returns when it answers."""
    import urllib.request

    port = free_port()
    environment = {**os.environ, "PROMPT_DUEL_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
                if answer.read() == b"ok":
                    return process, url
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise SystemExit((folder / "log.txt").read_text())


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--raters", type=int, default=100)
    told.add_argument("--seconds", type=float, default=180)
    told.add_argument(
        "--every", type=float, default=4.0, help="seconds between two votes of a rater, on average"
    )
    told.add_argument("--ramp", type=float, default=10.0, help="seconds in which the raters arrive")
    told.add_argument("--overlap", type=int, default=2, help="raters on a shared duel (a fifth of all duels)")
    told.add_argument("--seed", type=int, default=1)
    told.add_argument("--url", action="append", default=[], help="a running server; repeat for replicas")
    told.add_argument("--database", help="of the running servers")
    told.add_argument(
        "--pid", type=int, action="append", default=[], help="of the running servers, for memory"
    )
    asked = told.parse_args()
    if not (
        0 < asked.raters <= MOST_RATERS and 0 < asked.seconds <= MOST_SECONDS and asked.every > LEAST_PAUSE_S
    ):
        raise SystemExit(
            f"At most {MOST_RATERS} raters and {MOST_SECONDS} s; more than {LEAST_PAUSE_S} s a vote."
        )
    if any(urlsplit(url).hostname not in LOCAL for url in asked.url):
        raise SystemExit("Only this machine is called: --url takes addresses of localhost.")
    if bool(asked.url) != bool(asked.database):
        raise SystemExit("--url and --database go together.")
    with tempfile.TemporaryDirectory() as folder:
        process = None
        urls, database, pids = asked.url, asked.database, asked.pid
        if not urls:
            process, url = start(Path(folder))
            urls, database, pids = [url], f"sqlite:///{Path(folder) / 'prompt-duel.db'}", [process.pid]
        try:
            store = open_store(database)
            study = next(study.id for study in store.studies() if study.archived_at is None)
            raters = seat_all(store, study, urls, asked.raters, asked.overlap, asked.seed)
            before, used = megabytes(pids), processor_seconds(pids)
            asyncio.run(play(raters, asked.seconds, asked.every, asked.ramp))
            used = processor_seconds(pids) - used
            fine = report(store, study, raters, asked.seconds + asked.ramp / 2, before, megabytes(pids))
            votes = sum(len(rater.waits) for rater in raters)
            if pids and votes:
                print(f"servers: {used:.0f} s of processor time, {1000 * used / votes:.0f} ms a vote")
            store.close()
        finally:
            if process is not None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)
    raise SystemExit(0 if fine else 1)


if __name__ == "__main__":
    main()

"""The commands of live models, as a person types them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optimizer.__main__ import cli
from optimizer.domain import Batch, Input, InputId, Prompt, PromptId, Study, StudyId
from optimizer.generation.keeper import MOST_UNSTORED
from optimizer.storage.sqlite import SqliteStore
from tests.fakes.openai_server import FakeServer, Fault

ROOT = Path(__file__).resolve().parents[3]
STUDY = StudyId("study")
Run = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Path:
    store = SqliteStore(tmp_path / "prompt-duel.db")
    store.add(
        Batch(
            studies=[Study(STUDY, "My study")],
            prompts=[Prompt(PromptId(f"p{n}"), STUDY, f"P{n}", f"Style {n}: {{{{q}}}}") for n in range(5)],
            inputs=[Input(InputId(f"i{n}"), STUDY, {"q": f"Question {n}?"}) for n in range(40)],
        )
    )
    store.close()
    return tmp_path


@pytest.fixture
def run(database: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PROMPT_DUEL_DATA_DIR", str(database))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def invoke(*arguments: str) -> Result:
        before = signal.getsignal(signal.SIGTERM)
        try:
            return CliRunner().invoke(cli, arguments)
        finally:
            signal.signal(signal.SIGTERM, before)

    return invoke


@pytest.fixture
def connected(run: Run, server: FakeServer) -> Run:
    done = run("connect", "my server", "--server", server.url, "--model", "m", "--concurrency", "4")
    assert done.exit_code == 0, done.output
    return run


def test_a_connection_is_kept_changed_listed_and_tried(
    run: Run, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.key = "sk-marker-99"
    monkeypatch.setenv("PROMPT_DUEL_KEY_MY_SERVER", "sk-marker-99")
    made = run("connect", "my server", "--server", server.url, "--model", "m", "--test")
    assert made.exit_code == 0, made.output
    assert "m-2026 answered in" in made.output
    assert run("connect", "my server", "--temperature", "0.5").exit_code == 0
    listed = run("connections")
    assert listed.output == f"my server: m at {server.url} (has a key)\n"
    assert '"temperature": 0.5' in run("connections", "--json").output
    assert "sk-marker" not in made.output + listed.output + run("connections", "--json").output


def test_a_connection_that_cannot_work_is_refused(run: Run) -> None:
    refused = run("connect", "x", "--server", "api.openai.com", "--model", "m")
    assert refused.exit_code == 1
    assert "not the address of a server" in refused.output
    assert run("connections").output == ""


def test_generating_fills_the_study_and_a_second_time_does_nothing(
    connected: Run, server: FakeServer, database: Path
) -> None:
    preview = connected("generate", "My study", "--connection", "my server", "--preview")
    assert preview.output.startswith("200 calls, about ")
    assert server.calls == 0
    done = connected("generate", "My study", "--connection", "my server")
    assert done.exit_code == 0, done.output
    assert "200 of 200 outputs, 200 calls" in done.output
    again = connected("generate", "study", "--connection", "my server")
    assert again.exit_code == 0
    assert "Nothing to call for" in again.output
    assert server.calls == 200


@pytest.mark.parametrize(
    ("faults", "options", "code", "words"),
    [
        ([], ["--budget-calls", "3"], 4, "3 of 3 calls used"),
        ([Fault.KEY_REFUSED] * 20, [], 1, "wants a key"),
        ([Fault.EMPTY], [], 3, "1 held back"),
        ([Fault.TOO_LONG], [], 3, "1 failed"),
        ([], ["--budget-money", "1"], 1, "needs prices"),
    ],
    ids=["budget", "key", "held", "failed", "prices"],
)
def test_the_exit_code_tells_how_it_went(
    connected: Run, server: FakeServer, faults: list[Fault], options: list[str], code: int, words: str
) -> None:
    server.faults.extend(faults)
    done = connected("generate", "My study", "--connection", "my server", *options)
    assert (done.exit_code, words in done.output) == (code, True), done.output


def started(database: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "optimizer", "generate", "study", "--connection", "my server"]
    environment = os.environ | {"PROMPT_DUEL_DATA_DIR": str(database)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("ending", "code", "repeats"), [(signal.SIGTERM, 130, 0), (signal.SIGKILL, -9, 4 + MOST_UNSTORED)]
)
def test_a_process_that_is_ended_midway_resumes(
    connected: Run, server: FakeServer, database: Path, ending: signal.Signals, code: int, repeats: int
) -> None:
    """Ended politely, no call is repeated; killed, at most the four in flight and those not stored yet."""
    server.latency_s = 0.03
    process = started(database)
    end = time.monotonic() + 60
    while server.answered < 60:
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(ending)
    process.communicate(timeout=20)
    assert process.returncode == code
    server.latency_s = 0.0
    done = connected("generate", "study", "--connection", "my server")
    assert done.exit_code == 0, done.output
    assert 200 <= server.answered <= 200 + repeats
    store = SqliteStore(database / "prompt-duel.db")
    assert len(store.output_index(STUDY)) == 200
    assert store.check() == []
    store.close()

"""The evolve command as a person types it: it runs, waits for a person, is cut short and goes on."""

import re
import signal
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from optimizer.commands.evolve import evolve
from optimizer.domain import Batch, Connection, Input, InputId, Origin, Prompt, PromptId, Study, StudyId
from optimizer.evolution import run as loop
from optimizer.judges.scripted import answer_by, perfect
from optimizer.llm.base import Message, Request, Role
from optimizer.proposers.scripted import propose_by
from optimizer.storage import open_store
from optimizer.storage.base import Store
from tests.fakes.openai_server import FakeServer, Fault
from tests.optimizer.evolution_world import better, level

STUDY = StudyId("study")
Run = Callable[..., Result]


NUMBERS = count(1)


def another(material: Mapping[str, Any], sample: int) -> str:
    """A better child, and none twice: the number of the sample does not reach a server."""
    return better(material, next(NUMBERS)).replace("{{x}}", "{{q}}")


def reply(body: dict) -> str:
    """Prompts say how good their outputs are; judges see it, and the proposer knows how to do better."""
    content = body["messages"][-1]["content"]
    request = Request((Message(Role.USER, content),))
    if body["model"] == "poet-model":
        return propose_by(another, request)
    if body["model"] == "judge-model":
        return answer_by(perfect(lambda text: float(text.split()[1])), request)
    return f"quality {level(content):g} in other words"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(reply=reply) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    store = open_store(f"sqlite:///{tmp_path / 'prompt-duel.db'}")
    prompts = [Prompt(PromptId(f"p{n}"), STUDY, f"P{n}", f"Hidden text {n} {{{{q}}}}") for n in range(3)]
    inputs = [Input(InputId(f"i{n}"), STUDY, {"q": f"Question {n}?"}) for n in range(5)]
    store.add(Batch([Study(STUDY, "My study", "Answer.", "Good")], prompts, inputs))
    for name in ("poet", "judge", "writer"):
        store.put_connection(Connection(name, server.url, f"{name}-model"))
    store.close()
    monkeypatch.setenv("PROMPT_DUEL_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(loop, "POLL_S", 0.01)

    def invoke(*arguments: str) -> Result:
        before = signal.getsignal(signal.SIGTERM)
        try:
            return CliRunner().invoke(evolve, ["My study", *arguments])
        finally:
            signal.signal(signal.SIGTERM, before)

    return invoke


def kept(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'prompt-duel.db'}")


LOOP = (
    "--proposer", "top_mutation", "--writer", "poet", "--judge", "judge", "--mode", "one_order",
    "--outputs", "writer", "--rounds", "2", "--votes", "9", "--children", "2", "--child-inputs", "3",
)  # fmt: skip


def test_the_whole_loop_runs_and_tells_what_came_of_it(run: Run, tmp_path: Path) -> None:
    result = run(*LOOP, "--accept-unseen")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("2 rounds, 4 proposals, ")
    found = re.search(r"beats the first prompt with a chance of (\d+)%", result.stdout)
    assert found
    assert int(found[1]) > 70
    assert "Round 1: Accepted: " in result.stderr
    store = kept(tmp_path)
    assert sum(prompt.origin is Origin.PROPOSED for prompt in store.prompts(STUDY)) == 4
    assert store.check() == []
    store.close()


def test_proposals_wait_for_a_person_and_the_run_goes_on_afterwards(run: Run, tmp_path: Path) -> None:
    first = run(*LOOP, "--rounds", "1")
    assert first.exit_code == 3
    assert "wait for you" in first.stderr
    again = run(*LOOP)
    assert again.exit_code == 3  # still nobody has decided
    assert "Going on with the run" in again.stderr
    store = kept(tmp_path)
    for document in store.documents.all("proposal", STUDY):
        body = {**document.body, "state": "rejected"}
        store.documents.put(type(document)(document.kind, document.id, body, STUDY, document.version))
    store.close()
    assert run(*LOOP).exit_code == 0


def test_a_spent_budget_has_its_own_exit_code_and_a_higher_one_goes_on(run: Run, server: FakeServer) -> None:
    result = run(*LOOP, "--accept-unseen", "--budget-calls", "22")
    assert result.exit_code == 4, result.output
    assert "Raise it" in result.stderr
    assert server.answered <= 22
    again = run("--budget-calls", "900")
    assert again.exit_code == 0, again.output
    assert again.stdout.startswith("2 rounds, 4 proposals")


def test_a_fault_is_told_and_a_preview_calls_nobody(run: Run, server: FakeServer) -> None:
    told = run(*LOOP, "--preview")
    assert told.exit_code == 0
    assert re.match(r"2 proposals: 2 calls, about [\d,]+ tokens\.", told.stderr)
    assert server.calls == 0
    nothing = run(*LOOP, "--proposer", "from_reasons", "--preview")
    assert "voted against" in nothing.stderr
    server.faults.extend([Fault.KEY_REFUSED] * 50)
    result = run(*LOOP, "--accept-unseen")
    assert result.exit_code == 1
    assert "key" in result.stderr
    assert run("--judge", "nobody", "--writer", "poet", "--new").exit_code == 1
    assert run("--proposer", "control", "--judge", "judge", "--new").exit_code == 1

"""The judge command as a person types it: outputs are generated, judged and ranked, within limits."""

import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from optimizer.commands.judge import judge
from optimizer.domain import (
    Batch,
    Connection,
    Input,
    InputId,
    Prompt,
    PromptId,
    RaterKind,
    Settings,
    Study,
    StudyId,
)
from optimizer.judges.scripted import answer_by, perfect
from optimizer.llm.base import Message, Request, Role
from optimizer.results import Results, VoteFilter
from optimizer.storage import open_store
from tests.fakes.openai_server import FakeServer, Fault

STUDY = StudyId("study")
Run = Callable[..., Result]


def reply(body: dict) -> str:
    """Prompts say "style n", and their outputs are of quality n; judges prefer the higher quality."""
    content = body["messages"][-1]["content"]
    style = re.match(r"Style (\d)", content)
    if style:
        return f"quality {style[1]} in words that quote nothing of it"
    rule = perfect(lambda text: float(text.split()[1]))
    return answer_by(rule, Request((Message(Role.USER, content),)))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(reply=reply) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    store = open_store(f"sqlite:///{tmp_path / 'prompt-duel.db'}")
    prompts = [Prompt(PromptId(f"p{n}"), STUDY, f"P{n}", f"Style {n}: {{{{q}}}}") for n in range(3)]
    inputs = [Input(InputId(f"i{n}"), STUDY, {"q": f"Question {n}?"}) for n in range(8)]
    # Every pair equally often: thirty votes with eight in flight need not suffice a selector that explores.
    even = Settings(selector="round_robin", audit_share=0.0, replay_share=0.0)
    store.add(Batch([Study(STUDY, "My study", "Answer.", "Good", settings=even)], prompts, inputs))
    for name in ("fast", "writer"):
        store.put_connection(Connection(name, server.url, f"{name}-model"))
    store.close()
    monkeypatch.setenv("PROMPT_DUEL_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def invoke(*arguments: str) -> Result:
        before = signal.getsignal(signal.SIGTERM)
        try:
            return CliRunner().invoke(judge, ["My study", *arguments])
        finally:
            signal.signal(signal.SIGTERM, before)

    return invoke


JUDGE = ("--connection", "fast", "--outputs", "writer", "--duels", "30", "--to-the-end")


def test_a_study_without_outputs_is_generated_judged_and_ranked(run: Run, tmp_path: Path) -> None:
    first = run(*JUDGE)
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith("30 votes, 60 calls, ")
    assert "30 votes to cast, at most about 60 calls." in first.stderr
    again = run(*JUDGE)
    assert again.exit_code == 0
    assert again.stdout.startswith("0 votes, 0 calls")
    store = open_store(f"sqlite:///{tmp_path / 'prompt-duel.db'}")
    study = store.study(STUDY)
    standings = Results(store).standings(study, VoteFilter(kind=RaterKind.JUDGE))
    assert standings.rows[0].prompt.name == "P2"
    assert [prompt.name for prompt in standings.arms] == ["P0", "P1", "P2"]
    assert not np.triu(standings.wins).any()  # no vote ever went to the worse one, whatever the side
    duels = [ballot.duel for ballot in store.ballots(STUDY)]
    met = Counter((d.input, frozenset((d.first_prompt, d.second_prompt))) for d in duels)
    assert {prompts for _, prompts in met} == {frozenset(p) for p in combinations(("p0", "p1", "p2"), 2)}
    assert max(met.values()) <= 2  # the judge waited for outputs rather than judge the same again
    assert store.check() == []
    store.close()


def test_a_preview_calls_nobody(run: Run, server: FakeServer) -> None:
    result = run(*JUDGE, "--mode", "majority", "--repeats", "5", "--preview")
    assert result.exit_code == 0
    assert "30 votes to cast, at most about 300 calls." in result.stderr
    assert server.calls == 0


def test_a_spent_budget_has_its_own_exit_code(run: Run) -> None:
    run(*JUDGE, "--preview")
    result = run(*JUDGE, "--budget-calls", "9")
    assert result.exit_code == 4
    assert re.match(r"4 votes, [89] calls", result.stdout)
    assert "9 calls used" in result.stderr


def test_a_connection_that_cannot_work_is_told(run: Run, server: FakeServer) -> None:
    assert run(*JUDGE[:2], "--duels", "1").exit_code == 0  # nothing to ask: no outputs
    run(*JUDGE)
    server.faults.extend([Fault.KEY_REFUSED] * 60)
    result = run("--connection", "fast", "--duels", "40")
    assert result.exit_code == 1
    assert "key" in result.stderr
    assert "NoneType" not in result.stderr


def test_a_study_that_lacks_outputs_says_so(run: Run) -> None:
    result = run("--connection", "fast", "--duels", "5")
    assert "output" in result.stderr
    assert result.stdout.startswith("0 votes")


def test_a_rubric_becomes_a_version(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rubric.txt").write_text("- True\n- Kind\n", encoding="utf-8")
    assert run(*JUDGE, "--duels", "4", "--rubric", str(tmp_path / "rubric.txt")).exit_code == 0
    store = open_store(f"sqlite:///{tmp_path / 'prompt-duel.db'}")
    assert [rubric.version for rubric in store.rubrics(STUDY)] == [1, 2]
    assert {ballot.vote.verdict["rubric"] for ballot in store.ballots(STUDY)} == {2}
    store.close()

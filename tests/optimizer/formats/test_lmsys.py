"""Arena battles in: the clean data, the raw log, the competition's CSV, and our own export."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO

import pytest

from optimizer.domain import Batch, Outcome, Study, StudyId
from optimizer.exchange import Exchange
from optimizer.formats.base import Choices, Contents, Extract, Preview, Upload
from optimizer.formats.lmsys import LmsysBattles
from optimizer.results import Results
from optimizer.storage import open_store

NOW = datetime(2026, 3, 2, tzinfo=UTC)
EMPTY = Contents(Study(StudyId("study"), "Arena"))


def read(data: str, name: str = "b.jsonl") -> Preview:
    return LmsysBattles().read(Upload(name, data.encode()), EMPTY, Choices(), NOW)


def told(batch: Batch) -> list[tuple[str, str, str, str, Outcome, str]]:
    """Each vote as (first prompt, its output, second prompt, its output, outcome, rater)."""
    prompts = {prompt.id: prompt.name for prompt in batch.prompts}
    outputs = {output.id: output.text for output in batch.outputs}
    raters = {rater.id: rater.name for rater in batch.raters}
    return [
        (
            prompts[duel.first_prompt],
            outputs[duel.first],
            prompts[duel.second_prompt],
            outputs[duel.second],
            vote.outcome,
            raters[vote.rater],
        )
        for duel, vote in zip(batch.duels, batch.votes, strict=True)
    ]


def clean(winner: str, **more: object) -> str:
    talk = [{"role": "user", "content": "Hi", "num_tokens": 1}, {"role": "assistant", "content": "Hello"}]
    other = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Go away"}]
    battle = {
        "question_id": "q",
        "model_a": "polite",
        "model_b": "rude",
        "winner": winner,
        "judge": "arena_user_1",
        "conversation_a": talk,
        "conversation_b": other,
        "turn": 1,
        "anony": True,
        "language": "English",
        "tstamp": 1700000000.5,
    }
    return json.dumps(battle | more)


@pytest.mark.parametrize(
    ("winner", "outcome"),
    [
        ("model_a", Outcome.FIRST),
        ("model_b", Outcome.SECOND),
        ("tie", Outcome.BOTH_GOOD),
        ("tie (bothbad)", Outcome.BOTH_BAD),
        ("both_bad", Outcome.BOTH_BAD),
    ],
)
def test_a_clean_battle_of_every_outcome(winner: str, outcome: Outcome) -> None:
    batch = read(clean(winner)).checked()
    assert told(batch) == [("polite", "Hello", "rude", "Go away", outcome, "arena_user_1")]
    assert dict(batch.inputs[0].variables) == {"question": "Hi"}
    assert batch.inputs[0].tags == ("English",)
    assert batch.votes[0].at == datetime(2023, 11, 14, 22, 13, 20, 500000, UTC)


def test_the_raw_log_keeps_votes_and_no_addresses() -> None:
    lines = [
        {"tstamp": 1.0, "type": "chat", "models": ["a", "b"], "states": [{}, {}], "ip": "10.0.0.1"},
        {"tstamp": 2.0, "type": "rightvote", "models": ["a", "b"], "states": [{}, {}], "ip": "10.0.0.1"},
        {"tstamp": 3.0, "type": "bothbad_vote", "models": ["b", "a"], "states": [{}, {}], "ip": "10.0.0.2"},
        {"tstamp": 4.0, "type": "leftvote", "models": ["a", "a"], "states": [{}, {}], "ip": "10.0.0.2"},
    ]
    preview = read("\n".join(json.dumps(line) for line in lines))
    batch = preview.checked()
    assert [row[0:1] + row[2:3] + row[4:5] for row in told(batch)] == [
        ("a", "b", Outcome.SECOND),
        ("b", "a", Outcome.BOTH_BAD),
    ]
    assert len(batch.raters) == 2
    assert not any("10.0.0" in rater.name for rater in batch.raters)
    assert not any(output.usable for output in batch.outputs)
    assert preview.notes[-2:] == (
        "1 vote left out: not a vote but another event of the log.",
        "1 vote left out: of a prompt against itself.",
    )


def test_the_csv_of_the_competition() -> None:
    text = StringIO()
    columns = ["id", "model_a", "model_b", "prompt", "response_a", "response_b"]
    columns += ["winner_model_a", "winner_model_b", "winner_tie"]
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerow([1, "x", "y", '["Why?","And?"]', '["Because.","So."]', '["No."]', 0, 0, 1])
    writer.writerow([2, "x", "y", "[not json", "plain", "text", 0, 1, 0])
    batch = read(text.getvalue(), "train.csv").checked()
    assert [row[1:2] + row[3:5] for row in told(batch)] == [
        ("Because.\n\nSo.", "No.", Outcome.BOTH_GOOD),
        ("plain", "text", Outcome.SECOND),
    ]
    assert [row.variables["question"] for row in batch.inputs] == ["Why?\n\nAnd?", "[not json"]


def test_model_names_and_winners_are_enough() -> None:
    batch = read("model_a,model_b,winner\nx,y,model_a\ny,x,tie\n", "b.csv").checked()
    assert [row[0:1] + row[4:5] for row in told(batch)] == [("x", Outcome.FIRST), ("y", Outcome.BOTH_GOOD)]
    assert len(batch.inputs) == 1
    assert len(batch.outputs) == 2


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (clean("model_c"), "Line 1 has the winner 'model_c'. Known are model_a, model_b, tie, tie (bothbad)"),
        (clean("tie", model_a=""), "Line 1 has no 'model_a'."),
        (clean("tie", model_a=["x"]), "Line 1 has a 'model_a' that is not a text."),
        (clean("tie", tstamp="noon"), "Line 1 has a time that cannot be read: 'noon'."),
        (clean("tie", tstamp=1e300), "Line 1 has a time that cannot be read: '1e+300'."),
        (clean("tie", conversation_a={"x": 1}), "Line 1 has a conversation that is not a list of messages."),
        ('{"model_a": "x", "model_b": "y"}', "Line 1 has no 'winner', and not exactly one of winner_model_a"),
        ('{"type": "leftvote", "models": ["x"]}', "Line 1 does not name two models."),
        (
            clean("tie", conversation_b=[{"role": "assistant", "content": "\0"}]),
            "Line 1 has an output that holds a NUL",
        ),
    ],
)
def test_a_fault_names_its_line(line: str, fault: str) -> None:
    faults = read(line).faults
    assert faults[0].startswith(fault)


def test_a_log_without_votes_is_no_study() -> None:
    assert read('{"type": "chat", "models": ["a", "b"]}').faults == ("No row holds a vote.",)


def test_our_own_export_comes_back(extract: Extract) -> None:
    text = "".join(LmsysBattles().write(extract))
    batch = read(text).checked()
    assert told(batch) == [
        ("Terse", "Because.", "=Warm", "Dear you, because.", Outcome.FIRST, "r1"),
        ("Terse", "=SUM(A1)", "=Warm", "Straße – ☀", Outcome.SECOND, "r1"),
        ("=Warm", "Dear you, because.", "Terse", "Because.", Outcome.BOTH_GOOD, "r1"),
        ("Terse", "Because.", "=Warm", "Dear you, because.", Outcome.BOTH_BAD, "r1"),
    ]
    assert batch.studies[0].task == "Answer the question."
    assert len(batch.outputs) == 4


@pytest.mark.parametrize("address", ["memory://", "sqlite:///{}/arena.db"])
def test_imported_votes_give_standings_at_once(address: str, tmp_path: object) -> None:
    store = open_store(address.format(tmp_path))
    exchange = Exchange(store, Results(store), 1_000_000)
    lines = "\n".join([clean("model_a")] * 8 + [clean("model_b")] * 2 + [clean("both_bad")])
    preview = exchange.preview("lmsys-battles", Upload("Friday arena.jsonl", lines.encode()))
    assert preview.notes[0] == "11 votes by 1 rater."
    study = exchange.apply(preview)
    standings = Results(store).standings(study)
    assert (study.name, standings.votes) == ("Friday arena", 11)
    assert [(row.prompt.name, row.wins, row.both_bad) for row in standings.rows] == [
        ("polite", 8, 1),
        ("rude", 2, 1),
    ]
    assert store.check() == []

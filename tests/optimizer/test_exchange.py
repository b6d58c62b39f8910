"""Previews and exports on a real store: nothing half imported, filters respected."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from optimizer.domain import (
    Batch,
    Outcome,
    Rater,
    RaterId,
    RaterKind,
    Study,
    utc_now,
)
from optimizer.errors import BadFile, BadInput, Conflict, NotFound
from optimizer.exchange import Exchange
from optimizer.formats.base import Choices, Upload
from optimizer.pairing import Pairing
from optimizer.prompts import Prompts
from optimizer.results import Results, VoteFilter
from optimizer.storage import open_store
from optimizer.storage.base import Store
from optimizer.studies import Studies
from optimizer.workshop import Workshop

OUTPUTS = (
    b"prompt,question,tags,output\nGood,Why?,short,a\nBad,Why?,short,b\nGood,How?,long,c\nBad,How?,long,d\n"
)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return open_store("memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'duels.db'}")


@pytest.fixture
def exchange(store: Store) -> Exchange:
    return Exchange(store, Results(store), max_bytes=1_000_000)


@pytest.fixture
def study(store: Store) -> Study:
    return Studies(store, Path()).create("My Study: ä")


def bring(exchange: Exchange, study: Study, data: bytes = OUTPUTS, format: str = "outputs-long") -> None:
    exchange.apply(exchange.preview(format, Upload("o.csv", data), study.id))


def vote(store: Store, study: Study, rater: str, good_wins: bool, kind: RaterKind = RaterKind.HUMAN) -> None:
    """One vote by this rater, for the prompt Good or against it."""
    workshop = Workshop(store, Pairing(store))
    workshop.join(study.id, Rater(RaterId(rater), study.id, rater.title(), kind))
    shown = workshop.next_duel(study.id, RaterId(rater))
    names = {prompt.id: prompt.name for prompt in store.prompts(study.id)}
    first_is_good = names[shown.duel.first_prompt] == "Good"
    outcome = Outcome.FIRST if first_is_good == good_wins else Outcome.SECOND
    workshop.record_vote(shown.duel.id, RaterId(rater), outcome)


def exported(exchange: Exchange, study: Study, chosen: VoteFilter | None = None) -> list[dict[str, str]]:
    text = exchange.export(study.id, "votes-csv", chosen).whole().decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


def test_a_preview_stores_nothing_and_applying_stores_all(
    exchange: Exchange, store: Store, study: Study
) -> None:
    preview = exchange.preview("outputs-long", Upload("o.csv", OUTPUTS), study.id)
    assert store.prompts(study.id) == []
    assert exchange.apply(preview) == study
    assert [prompt.name for prompt in store.prompts(study.id)] == ["Good", "Bad"]
    assert [row.tags for row in store.inputs(study.id)] == [("short",), ("long",)]
    assert [output.text for output in store.outputs(study.id)] == ["a", "b", "c", "d"]


def test_a_fault_in_the_last_row_stores_nothing(exchange: Exchange, store: Store, study: Study) -> None:
    preview = exchange.preview("outputs-long", Upload("o.csv", OUTPUTS + b"Good\n"), study.id)
    with pytest.raises(BadFile, match=r"Row 6 has 1 cells.*Nothing was imported\."):
        exchange.apply(preview)
    assert (store.prompts(study.id), store.inputs(study.id), store.outputs(study.id)) == ([], [], [])


def test_an_edited_row_of_a_file_retires_the_old_one_in_the_same_step(
    exchange: Exchange, store: Store, study: Study
) -> None:
    bring(exchange, study, b"key,question\n1,Why?\n2,How?\n", "inputs")
    bring(exchange, study, b"key,question\n1,Why not?\n", "inputs")
    rows = [(row.variables["question"], row.retired_at is None) for row in store.inputs(study.id)]
    assert rows == [("Why?", False), ("How?", True), ("Why not?", True)]


def test_a_preview_of_yesterday_is_refused(exchange: Exchange, store: Store, study: Study) -> None:
    preview = exchange.preview("outputs-long", Upload("o.csv", OUTPUTS), study.id)
    Prompts(store).write(study.id, "Good", "x")
    with pytest.raises(Conflict, match="changed since this preview"):
        exchange.apply(preview)
    assert len(store.prompts(study.id)) == 1


def test_a_preview_is_not_applied_twice(exchange: Exchange, store: Store, study: Study) -> None:
    preview = exchange.preview("outputs-long", Upload("o.csv", OUTPUTS), study.id)
    exchange.apply(preview)
    with pytest.raises(Conflict):
        exchange.apply(preview)
    assert len(store.outputs(study.id)) == 4


def test_a_file_above_the_limit_is_refused_with_the_remedy(exchange: Exchange, study: Study) -> None:
    big = Upload("big.csv", b"x" * 1_000_001)
    with pytest.raises(BadFile, match=r"'big\.csv' has 1\.0 MB; at most 1\.0 MB.*PROMPT_DUEL_MAX_UPLOAD_MB"):
        exchange.preview("inputs", big, study.id)


def test_unknown_formats_are_named(exchange: Exchange, study: Study) -> None:
    with pytest.raises(BadInput, match=r"no import format 'xml'\. Known are study-json"):
        exchange.preview("xml", Upload("x", b""), study.id)
    with pytest.raises(BadInput, match=r"no export format 'xml'\. Known are votes-csv"):
        exchange.export(study.id, "xml")
    with pytest.raises(BadInput, match="say which"):
        exchange.preview("inputs", Upload("x.csv", b"a\n1\n"))


def test_columns_and_the_likeliest_format_are_told(exchange: Exchange) -> None:
    assert exchange.guess(Upload("o.csv", OUTPUTS)) == "outputs-long"
    wide = Upload("o.csv", b"question;A;B\nWhy?;a;b\n")
    assert exchange.guess(wide) == "outputs-wide"
    assert exchange.columns(wide) == ("question", "A", "B")
    with pytest.raises(BadFile):
        exchange.columns(Upload("o.csv", b""))


def test_a_study_goes_out_and_comes_in_under_a_free_name(
    exchange: Exchange, store: Store, study: Study
) -> None:
    bring(exchange, study)
    file = exchange.export(study.id, "study-json")
    assert file.filename == "my-study-study.json"
    preview = exchange.preview("study-json", Upload("s.json", file.whole()))
    assert preview.notes == (
        "There is a study 'My Study: ä' already: the new one is called 'My Study: ä 2'.",
    )
    copy = exchange.apply(preview)
    assert [study.name for study in store.studies()] == ["My Study: ä", "My Study: ä 2"]
    assert [output.text for output in store.outputs(copy.id)] == ["a", "b", "c", "d"]
    again = json.loads(exchange.export(copy.id, "study-json").whole())
    assert [prompt["name"] for prompt in again["prompts"]] == ["Good", "Bad"]


def test_exports_respect_raters_tags_and_kinds(exchange: Exchange, store: Store, study: Study) -> None:
    bring(exchange, study)
    for _ in range(6):
        vote(store, study, "ann", True)
    for _ in range(3):
        vote(store, study, "gpt", False, RaterKind.JUDGE)
    votes = exported(exchange, study)
    assert len(votes) == 9
    by_ann = exported(exchange, study, VoteFilter(raters=frozenset({RaterId("ann")})))
    assert {row["rater"] for row in by_ann} == {"Ann"}
    assert len(by_ann) == 6
    assert {row["winner"] for row in exported(exchange, study, VoteFilter(kind=RaterKind.JUDGE))} == {"Bad"}
    short = exported(exchange, study, VoteFilter(tags=frozenset({"short"})))
    assert short == [row for row in votes if row["tags"] == "short"]
    assert 0 < len(short) < 9
    audits = exported(exchange, study, VoteFilter(audit_only=True))
    assert audits == [row for row in votes if row["audit"] == "true"]


@pytest.mark.parametrize(
    "format",
    [
        "trl-preference",
        "trl-unpaired",
        "openai-preference",
        "argilla-preference",
        "lmsys-battles",
        "alpaca-eval",
        "label-studio",
        "llm-comparator",
    ],
)
def test_every_export_of_votes_respects_the_filter(
    format: str, exchange: Exchange, store: Store, study: Study
) -> None:
    bring(exchange, study)
    for _ in range(6):
        vote(store, study, "ann", True)
    everything = exchange.export(study.id, format).whole().decode()
    short = exchange.export(study.id, format, VoteFilter(tags=frozenset({"short"}))).whole().decode()
    assert "How?" in everything
    assert "Why?" in short
    assert "How?" not in short


def test_training_data_leaves_out_what_the_standings_leave_out(
    exchange: Exchange, store: Store, study: Study
) -> None:
    bring(exchange, study)
    vote(store, study, "ann", True)
    vote(store, study, "bob", False)
    bob = store.rater(RaterId("bob"))
    store.add(Batch(changes=[Rater(bob.id, bob.study, bob.name, bob.kind, bob.created_at, utc_now())]))
    lines = exchange.export(study.id, "trl-preference").whole().decode().splitlines()
    assert [json.loads(line)["chosen_prompt"] for line in lines] == ["Good"]
    assert [row["counts"] for row in exported(exchange, study)] == ["true", "false"]


def test_the_winner_is_the_leader_of_the_same_filter(exchange: Exchange, store: Store, study: Study) -> None:
    prompts = Prompts(store)
    good = prompts.write(study.id, "Good", "Answer {{question}} well.")
    bad = prompts.write(study.id, "Bad", "Answer {{question}} badly.")
    bring(exchange, study)
    with pytest.raises(NotFound, match="No prompt leads yet"):
        exchange.export(study.id, "winner")
    for _ in range(5):
        vote(store, study, "ann", True)
    for _ in range(2):
        vote(store, study, "bob", False)
    assert exchange.export(study.id, "winner").whole() == b"Answer {{question}} well."
    only_bob = VoteFilter(raters=frozenset({RaterId("bob")}))
    assert exchange.export(study.id, "winner", only_bob).whole() == b"Answer {{question}} badly."
    prompts.retire(study.id, good.id)
    assert exchange.leader(study.id) == bad


def test_a_leader_without_a_text_is_no_file(exchange: Exchange, store: Store, study: Study) -> None:
    bring(exchange, study)
    vote(store, study, "ann", True)
    with pytest.raises(NotFound, match="'Good' leads, but it was imported without its text"):
        exchange.export(study.id, "winner")


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_one_hundred_thousand_rows_are_imported(store: Store, study: Study) -> None:
    rows = "".join(f"{'ABCDE'[i % 5]},Question {i // 5},answer {i}\n" for i in range(100_000))
    large = Exchange(store, Results(store), max_bytes=10_000_000)
    upload = Upload("o.csv", f"prompt,question,output\n{rows}".encode())
    preview = large.preview("outputs-long", upload, study.id)
    assert preview.notes[:2] == ("100,000 new outputs.", "5 new prompts: 'A', 'B', 'C', 'D', 'E'.")
    large.apply(preview)
    assert len(store.inputs(study.id)) == 20_000
    assert len(store.output_index(study.id)) == 100_000


def test_choices_reach_the_importer(exchange: Exchange, study: Study) -> None:
    preview = exchange.preview(
        "outputs-wide", Upload("o.csv", b"q,A\nWhy?,a\n"), study.id, Choices(prompt_columns=("A",))
    )
    assert preview.faults == ()
    assert exchange.preview("outputs-wide", Upload("o.csv", b"q,A\nWhy?,a\n"), study.id).faults

"""A study leaves one database and comes into another as it was."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from optimizer.domain import Batch, Grade, Outcome, Rater, RaterId, RaterKind, Rubric, RubricId, StudyId
from optimizer.errors import BadFile, BadInput
from optimizer.exchange import Exchange
from optimizer.formats import archive
from optimizer.formats.archive import KINDS
from optimizer.formats.base import Upload
from optimizer.formats.nouns_json import from_json, to_json
from optimizer.pairing import Pairing
from optimizer.prompts import Prompts
from optimizer.results import Results, VoteFilter
from optimizer.storage import open_store
from optimizer.storage.base import Store
from optimizer.studies import Studies
from optimizer.workshop import Workshop

SAMPLES = Path(__file__).parents[3] / "data" / "samples"


def exchange(store: Store) -> Exchange:
    return Exchange(store, Results(store), max_bytes=10_000_000)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A sample study with a fork, a rubric, votes of a person and a judge, one withdrawn, one duel open."""
    store = open_store(f"sqlite:///{tmp_path / 'first.db'}")
    study = Studies(store, SAMPLES).restore_samples()[0]
    parent = store.prompts(study.id)[0]
    Prompts(store).fork(study.id, parent.id, parent.text + "!", retire_parent=True)
    store.add(Batch(rubrics=[Rubric(RubricId("rubric"), study.id, 1, "Be right.")]))
    workshop = Workshop(store, Pairing(store))
    for name, kind in (("ann", RaterKind.HUMAN), ("gpt", RaterKind.JUDGE)):
        rater = workshop.join(study.id, Rater(RaterId(name), study.id, name, kind))
        for outcome in (*Outcome, Outcome.FIRST):
            duel = workshop.next_duel(study.id, rater.id).duel
            grade = Grade.SLIGHTLY if outcome is Outcome.FIRST else None
            vote = workshop.record_vote(duel.id, rater.id, outcome, grade, 1200)
            workshop.note(vote.id, rater.id, ["clear"], [], "ä – ok\n")
        workshop.withdraw(vote.id)
    workshop.next_duel(study.id, RaterId("ann"))
    return store


def study_of(store: Store) -> StudyId:
    return store.studies()[0].id


def everything(store: Store, study: StudyId) -> dict[str, object]:
    """All that a store says of a study."""
    return {
        "study": store.study(study),
        "prompts": store.prompts(study),
        "inputs": store.inputs(study),
        "outputs": store.outputs(study),
        "rubrics": store.rubrics(study),
        "raters": store.raters(study),
        "duels": store.last_duels(study, limit=1000),
        "ballots": store.ballots(study),
        "pairs": store.pair_counts(study),
        "asked": (store.counters(study).duels, store.counters(study).votes),
    }


@pytest.mark.parametrize("address", ["memory://", "sqlite:///{}/second.db"])
def test_a_study_is_restored_as_it_was(store: Store, tmp_path: Path, address: str) -> None:
    study = study_of(store)
    other = open_store(address.format(tmp_path))
    packed = exchange(store).export(study, "archive")
    assert packed.filename.endswith("-archive.zip")
    preview = exchange(other).preview("archive", Upload("s.zip", packed.whole()))
    assert preview.faults == ()
    exchange(other).apply(preview)
    assert everything(other, study) == everything(store, study)
    assert other.check() == []
    assert (
        Results(other).standings(other.study(study)).rows == Results(store).standings(store.study(study)).rows
    )


def test_voting_goes_on_after_a_move(store: Store) -> None:
    other = open_store("memory://")
    exchange(other).apply(
        exchange(other).preview(
            "archive", Upload("s.zip", exchange(store).export(study_of(store), "archive").whole())
        )
    )
    before = Workshop(store, Pairing(store)).next_duel(study_of(store), RaterId("ann"))
    after = Workshop(other, Pairing(other)).next_duel(study_of(store), RaterId("ann"))
    assert after == before
    Workshop(other, Pairing(other)).record_vote(after.duel.id, RaterId("ann"), Outcome.SECOND)


def test_an_archive_beside_its_original_is_a_copy_under_new_ids(store: Store) -> None:
    study = study_of(store)
    data = exchange(store).export(study, "archive").whole()
    preview = exchange(store).preview("archive", Upload("s.zip", data))
    assert "This study is here already: it is imported as a copy." in preview.notes
    copy = exchange(store).apply(preview)
    old, new = everything(store, study), everything(store, copy.id)
    assert copy.name == f"{store.study(study).name} 2"
    assert [p.text for p in store.prompts(copy.id)] == [p.text for p in store.prompts(study)]
    assert new["asked"] == old["asked"]
    assert store.check() == []
    strengths = [
        [row.strength for row in Results(store).standings(store.study(s)).rows] for s in (study, copy.id)
    ]
    assert strengths[0] == strengths[1]
    ids = {ballot.vote.id for ballot in store.ballots(study)} & {
        ballot.vote.id for ballot in store.ballots(copy.id)
    }
    assert not ids


def test_filters_do_not_thin_out_an_archive(store: Store) -> None:
    chosen = VoteFilter(kind=RaterKind.JUDGE)
    study = study_of(store)
    assert (
        exchange(store).export(study, "archive", chosen).whole()
        == exchange(store).export(study, "archive").whole()
    )


def rewritten(data: bytes, name: str, content: bytes | None) -> bytes:
    """The archive with one of its files replaced, or left out."""
    out = BytesIO()
    with ZipFile(BytesIO(data)) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for entry in old.namelist():
            if entry != name:
                new.writestr(entry, old.read(entry))
            elif content is not None:
                new.writestr(entry, content)
    return out.getvalue()


def test_what_was_changed_or_lost_on_the_way_is_told(store: Store) -> None:
    data = exchange(store).export(study_of(store), "archive").whole()
    elsewhere = exchange(open_store("memory://"))
    changed = elsewhere.preview("archive", Upload("s.zip", rewritten(data, "votes.jsonl", b"")))
    assert changed.faults == ("votes.jsonl is not as it was written: its checksum differs.",)
    lost = elsewhere.preview("archive", Upload("s.zip", rewritten(data, "raters.jsonl", None)))
    assert lost.faults == ("raters.jsonl is missing from the archive.",)
    with pytest.raises(BadFile, match="no readable manifest"):
        elsewhere.preview("archive", Upload("s.zip", rewritten(data, "manifest.json", b"{")))
    with pytest.raises(BadFile, match="damaged, or no zip"):
        elsewhere.preview("archive", Upload("s.zip", data[:-40]))
    with pytest.raises(BadFile, match="damaged, or no zip"):
        elsewhere.preview("archive", Upload("s.zip", b"PK\x03\x04nothing"))
    newer = json.dumps({"format": "prompt-duel-archive", "version": 2, "files": []}).encode()
    with pytest.raises(BadFile, match="archive of version 2; version 1 can be read"):
        elsewhere.preview("archive", Upload("s.zip", rewritten(data, "manifest.json", newer)))


def forged(data: bytes, name: str, lines: list[dict[str, object]]) -> bytes:
    """The archive with other lines in a file, and a manifest that says they are right."""
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    with ZipFile(BytesIO(data)) as packed:
        manifest = json.loads(packed.read("manifest.json"))
    for row in manifest["files"]:
        if row["name"] == name:
            row["sha256"] = sha256(content).hexdigest()
    return rewritten(rewritten(data, name, content), "manifest.json", json.dumps(manifest).encode())


def test_a_forged_line_is_a_fault_and_no_crash(store: Store) -> None:
    data = exchange(store).export(study_of(store), "archive").whole()
    elsewhere = exchange(open_store("memory://"))
    rater = to_json(store.raters(study_of(store))[0])
    lines = [
        rater | {"name": 5},
        rater | {"kind": "robot"},
        rater | {"surprise": 1},
        {"id": "x"},
        rater | {"created_at": "2026-01-01"},
    ]
    preview = elsewhere.preview("archive", Upload("s.zip", forged(data, "raters.jsonl", lines)))
    assert [fault.split(":")[0] for fault in preview.faults] == [
        "raters.jsonl, line 1 has a wrong 'name'",
        "raters.jsonl, line 2 has a wrong 'kind'",
        "raters.jsonl, line 3 has a field 'surprise' that is unknown here.",
        "raters.jsonl, line 4 lacks 'study', 'name'.",
        "raters.jsonl, line 5 has a wrong 'created_at'",
    ]


def test_references_that_lead_nowhere_store_nothing(store: Store) -> None:
    data = exchange(store).export(study_of(store), "archive").whole()
    other = open_store("memory://")
    preview = exchange(other).preview("archive", Upload("s.zip", forged(data, "raters.jsonl", [])))
    with pytest.raises(Exception, match="No rater") as caught:
        exchange(other).apply(preview)
    assert not isinstance(caught.value, BadInput)
    assert other.studies() == []


def test_an_archive_that_unpacks_without_end_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = exchange(store).export(study_of(store), "archive").whole()
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    with pytest.raises(BadFile, match="unpacks to 0 MB; at most 0 are read"):
        exchange(store).preview("archive", Upload("s.zip", data))


def test_the_same_study_gives_the_same_bytes(store: Store) -> None:
    study = study_of(store)
    assert (
        exchange(store).export(study, "archive").whole() == exchange(store).export(study, "archive").whole()
    )


def test_every_noun_survives_json(store: Store) -> None:
    study = study_of(store)
    nouns = [
        replace(store.study(study), archived_at=datetime(2026, 1, 1, tzinfo=UTC)),
        *store.prompts(study),
        *store.inputs(study),
        *store.outputs(study),
        *store.rubrics(study),
        *store.raters(study),
        *(ballot.duel for ballot in store.ballots(study)),
        *(ballot.vote for ballot in store.ballots(study)),
    ]
    assert {type(noun) for noun in nouns} == set(KINDS.values())
    for noun in nouns:
        assert from_json(type(noun), json.loads(json.dumps(to_json(noun)))) == noun

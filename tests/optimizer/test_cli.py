"""The command line, as a person and as a program see it."""

import csv
import json
import os
import sqlite3
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optimizer.__main__ import cli
from optimizer.assemble import build
from optimizer.config import ROOT, SETTINGS, Config
from optimizer.domain import Outcome, Rater, RaterId

STUDY = {
    "format": "prompt-duel-study",
    "version": 1,
    "study": {"name": "Small"},
    "prompts": [
        {"key": "a", "name": "Good", "text": "Well: {{x}}"},
        {"key": "b", "name": "Bad", "text": "{{x}}"},
    ],
    "inputs": [
        {"key": "1", "variables": {"x": "1"}, "tags": ["odd"]},
        {"key": "2", "variables": {"x": "2"}, "tags": ["even"]},
    ],
    "outputs": [
        {"prompt": prompt, "input": row, "text": f"{prompt}{row}"} for prompt in "ab" for row in "12"
    ],
}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "samples").mkdir()
    return {
        "PROMPT_DUEL_DATA_DIR": str(tmp_path / "data"),
        "PROMPT_DUEL_SAMPLES_DIR": str(tmp_path / "samples"),
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(STUDY), encoding="utf-8")
    return path


def run(env: dict[str, str], *args: object) -> Result:
    result = CliRunner().invoke(cli, [str(arg) for arg in args], env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def voted(env: dict[str, str], file: Path) -> dict[str, str]:
    """The environment of a database with the study, on which Ann voted ten times for Good."""
    assert run(env, "import-study", file).exit_code == 0
    services = build(Config.load(env))
    study = services.store.studies()[0]
    good = services.store.prompts(study.id)[0]
    ann = services.workshop.join(study.id, Rater(RaterId("ann"), study.id, "Ann"))
    for _ in range(10):
        duel = services.workshop.next_duel(study.id, ann.id).duel
        services.workshop.record_vote(
            duel.id, ann.id, Outcome.FIRST if duel.first_prompt == good.id else Outcome.SECOND
        )
    services.close()
    return env


def test_a_study_is_imported_and_listed(env: dict[str, str], file: Path) -> None:
    made = json.loads(run(env, "import-study", file, "--json").stdout)
    again = run(env, "import-study", file)
    assert again.stdout.startswith("There is a study 'Small' already: the new one is called 'Small 2'.")
    listed = json.loads(run(env, "studies", "--json").stdout)
    assert [(row["name"], row["prompts"], row["inputs"], row["votes"]) for row in listed] == [
        ("Small", 2, 2, 0),
        ("Small 2", 2, 2, 0),
    ]
    assert listed[0]["id"] == made["id"]
    assert f"{made['id']}  Small: 2 prompts, 2 inputs, 0 votes" in run(env, "studies").stdout


def test_archived_studies_are_listed_when_asked_for(env: dict[str, str], file: Path) -> None:
    run(env, "import-study", file)
    services = build(Config.load(env))
    services.studies.archive(services.store.studies()[0].id)
    services.close()
    assert run(env, "studies").stdout == ""
    assert "(archived)" in run(env, "studies", "--all").stdout


def test_a_faulty_file_is_one_sentence_and_exit_code_1(env: dict[str, str], file: Path) -> None:
    file.write_text(json.dumps(STUDY | {"outputs": [{"prompt": "c", "input": "1", "text": "x"}]}))
    result = run(env, "import-study", file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: outputs[0].prompt 'c' is not the key of a prompt. Nothing was imported.\n"
    )
    assert run(env, "studies").stdout == ""


def test_standings_for_people_and_programs(voted: dict[str, str]) -> None:
    data = json.loads(run(voted, "standings", "Small", "--json").stdout)
    assert (data["study"]["name"], data["votes"], data["raters"], data["skips"]) == ("Small", 10, 1, 0)
    assert [row["name"] for row in data["prompts"]] == ["Good", "Bad"]
    best = data["prompts"][0]
    assert (best["wins"], best["losses"], best["duels"], best["observed"]) == (10, 0, 10, 1.0)
    assert best["p_best"] > 0.9
    assert best["low"] < best["strength"] < best["high"]
    assert set(data["advice"]) == {"kind", "sentence", "p_best", "more_votes"}
    shown = run(voted, "standings", data["study"]["id"]).stdout.splitlines()
    assert shown[0] == "Small: 10 votes by 1 rater"
    assert [line.split()[0] for line in shown[2:4]] == ["Good", "Bad"]
    assert shown[4] == data["advice"]["sentence"]


def test_standings_without_votes_have_no_rates(env: dict[str, str], file: Path) -> None:
    run(env, "import-study", file)
    data = json.loads(run(env, "standings", "Small", "--json").stdout)
    assert [row["observed"] for row in data["prompts"]] == [None, None]
    assert len(run(env, "standings", "Small").stdout.splitlines()) == 4


def test_filters_are_the_same_for_standings_and_exports(voted: dict[str, str]) -> None:
    data = json.loads(run(voted, "standings", "Small", "--tag", "odd", "--rater", "Ann", "--json").stdout)
    text = run(voted, "export", "Small", "--format", "votes-csv", "--tag", "odd", "--rater", "ann").stdout
    rows = list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))
    assert 0 < len(rows) < 10
    assert {row["tags"] for row in rows} == {"odd"}
    assert data["votes"] == sum(row["counts"] == "true" for row in rows)
    assert json.loads(run(voted, "standings", "Small", "--kind", "judge", "--json").stdout)["votes"] == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["standings", "Nobody"], "There is no study 'Nobody'. Known: 'Small'."),
        (["standings", "Small", "--tag", "none"], "No input has the tag 'none'. Tags are even, odd."),
        (["export", "Small", "--format", "winner", "--rater", "Bob"], "No rater 'Bob' voted in 'Small'."),
        (["export", "Small", "--format", "winner", "--kind", "judge"], "No prompt leads yet"),
    ],
)
def test_what_is_not_there_is_told_on_standard_error(
    voted: dict[str, str], args: list[str], said: str
) -> None:
    result = run(voted, *args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {said}")


@pytest.mark.parametrize(
    "args",
    [
        ["export", "Small"],
        ["export", "Small", "--format", "xml"],
        ["nothing"],
        ["import-study", "/no/such/file"],
    ],
)
def test_a_wrong_command_is_exit_code_2(env: dict[str, str], args: list[str]) -> None:
    assert run(env, *args).exit_code == 2


def test_two_studies_of_one_name_are_told_apart_by_id(env: dict[str, str], file: Path) -> None:
    run(env, "import-study", file)
    run(env, "import-study", file)
    services = build(Config.load(env))
    first, second = services.store.studies()
    services.studies.archive(first.id)
    services.studies.rename(second.id, "Other")
    services.close()
    assert run(env, "standings", "Small").exit_code == 0  # archived, but the only one
    assert run(env, "standings", first.id).exit_code == 0


def test_an_export_goes_to_a_file_whole_or_not_at_all(voted: dict[str, str], tmp_path: Path) -> None:
    target = tmp_path / "winner.txt"
    target.write_text("old")
    failed = run(voted, "export", "Small", "--format", "winner", "--kind", "judge", "-o", target)
    assert (failed.exit_code, target.read_text()) == (1, "old")
    done = run(voted, "export", "Small", "--format", "winner", "-o", target)
    assert (done.exit_code, done.stdout, target.read_text()) == (0, "", "Well: {{x}}")
    assert done.stderr.startswith("Holds the text of the leading prompt alone")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "samples", "small.json", "winner.txt"]
    nowhere = run(voted, "export", "Small", "--format", "winner", "-o", tmp_path / "no" / "winner.txt")
    assert nowhere.exit_code == 1
    assert "cannot be written: No such file or directory" in nowhere.stderr


def test_a_backup_opens_as_a_database(voted: dict[str, str], tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert run(voted, "backup", copy).exit_code == 0
    from_copy = voted | {"PROMPT_DUEL_DATABASE_URL": str(copy)}
    assert json.loads(run(from_copy, "studies", "--json").stdout)[0]["votes"] == 10
    again = run(voted, "backup", copy)
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)


def test_check_finds_a_count_that_is_wrong(voted: dict[str, str]) -> None:
    assert run(voted, "check").stdout == "No faults found.\n"
    assert json.loads(run(voted, "check", "--json").stdout) == {"faults": []}
    database = sqlite3.connect(Path(voted["PROMPT_DUEL_DATA_DIR"]) / "prompt-duel.db")
    tables = [
        name for (name,) in database.execute("select name from sqlite_master where name like '%pair_count%'")
    ]
    with database:
        database.execute(f"delete from {tables[0]}")
    database.close()
    result = run(voted, "check", "--json")
    assert result.exit_code == 1
    assert len(json.loads(result.stdout)["faults"]) >= 1


def test_a_misspelt_setting_is_told(env: dict[str, str]) -> None:
    result = run(env | {"PROMPT_DUEL_DATADIR": "x"}, "studies")
    assert (result.exit_code, "Did you mean PROMPT_DUEL_DATA_DIR?" in result.stderr) == (1, True)


def test_help_names_every_command_and_setting() -> None:
    text = run({}, "--help").stdout
    for setting in SETTINGS:
        assert f"PROMPT_DUEL_{setting.name}" in text
    for command in ("studies", "import-study", "standings", "export", "simulate", "backup", "check"):
        assert command in text
        assert run({}, command, "--help").exit_code == 0


def test_a_real_process_writes_bytes_and_exit_codes(env: dict[str, str], file: Path) -> None:
    def real(*args: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "optimizer", *args],
            cwd=ROOT,
            env=os.environ | env,
            capture_output=True,
            timeout=120,
            check=False,
        )

    assert real("import-study", str(file)).returncode == 0
    outputs = real("export", "Small", "--format", "outputs-long")
    assert outputs.returncode == 0
    assert outputs.stdout.startswith(b"\xef\xbb\xbfprompt,input_id,x,sample,model,output\r\n")
    assert outputs.stdout.count(b"\r\n") == 5
    missing = real("standings", "Nobody")
    assert (missing.returncode, missing.stdout) == (1, b"")
    assert missing.stderr == b"Error: There is no study 'Nobody'. Known: 'Small'.\n"


def test_files_of_other_tools_are_recognised(env: dict[str, str], tmp_path: Path) -> None:
    battles = tmp_path / "Friday.csv"
    battles.write_text("model_a,model_b,winner\nx,y,model_a\nx,y,model_a\ny,x,tie\n")
    done = run(env, "import-study", battles)
    assert "3 votes by 1 rater." in done.stdout
    assert json.loads(run(env, "standings", "Friday", "--json").stdout)["prompts"][0]["name"] == "x"
    archive = tmp_path / "moved.zip"
    assert run(env, "export", "Friday", "--format", "archive", "-o", archive).exit_code == 0
    assert "This study is here already: it is imported as a copy." in run(env, "import-study", archive).stdout
    assert [row["votes"] for row in json.loads(run(env, "studies", "--json").stdout)] == [3, 3]


def test_outputs_are_added_to_a_study(env: dict[str, str], file: Path, tmp_path: Path) -> None:
    run(env, "import-study", file)
    outputs = tmp_path / "more.csv"
    outputs.write_text("x,output: New\n1,one\n2,two\n")
    looked = run(env, "import-into", "Small", outputs, "--look")
    assert (looked.exit_code, "2 new outputs." in looked.stdout) == (0, True)
    assert json.loads(run(env, "studies", "--json").stdout)[0]["prompts"] == 2
    assert run(env, "import-into", "Small", outputs).exit_code == 0
    assert json.loads(run(env, "studies", "--json").stdout)[0]["prompts"] == 3
    strict = run(env, "import-into", "Small", outputs, "--format", "outputs-long", "--no-create")
    assert (strict.exit_code, "There is no column 'prompt'" in strict.stderr) == (1, True)
    wrong = run(env, "import-into", "Small", file)
    assert wrong.stderr == "Error: 'small.json' looks like Study file (JSON): use 'import-study FILE'.\n"
    wrong = run(env, "import-study", outputs)
    assert "use 'import-into STUDY FILE'" in wrong.stderr

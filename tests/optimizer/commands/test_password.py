"""The host's password from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from optimizer.__main__ import cli
from optimizer.assemble import build
from optimizer.config import Config

GOOD = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROMPT_DUEL_DATA_DIR", str(tmp_path))
    return tmp_path


def test_the_password_is_set_and_never_shown(folder: Path) -> None:
    done = CliRunner().invoke(cli, ["password"], input=f"{GOOD}\n{GOOD}\n")
    assert done.exit_code == 0, done.output
    assert GOOD not in done.output
    services = build(Config.load())
    services.gate.log_in(GOOD, "ann", "")
    assert services.gate.is_host("ann")
    services.close()


def test_the_hash_serves_as_the_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(cli, ["password", "--hash"], input=f"{GOOD}\n{GOOD}\n")
    hashed = done.output.splitlines()[-1]
    assert hashed.startswith("$argon2id$")
    monkeypatch.setenv("PROMPT_DUEL_HOST_PASSWORD", hashed)
    services = build(Config.load())
    services.gate.log_in(GOOD, "ann", "")
    services.close()


def test_a_short_password_is_refused(folder: Path) -> None:
    done = CliRunner().invoke(cli, ["password", "--password", "short"])
    assert done.exit_code == 1
    assert "10 to 1,000 characters" in done.output

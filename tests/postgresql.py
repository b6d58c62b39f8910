"""A PostgreSQL server of the tests' own: on a free port, in a temporary folder, as an unprivileged user."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from optimizer.storage import open_store

OLDEST = 15
REQUIRED = "REQUIRE_POSTGRES_TESTS"
NOT_DURABLE = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
ALWAYS = ("autovacuum=off", "max_connections=80", "shared_buffers=64MB", "log_min_messages=fatal")
EMPTIED = (  # those that refer to others first
    "documents", "rubrics", "connections", "input_counts", "asked_counts", "cell_counts", "pair_counts",
    "vote_events", "votes", "duels", "raters", "outputs", "inputs", "prompts", "counters", "studies",
)  # fmt: skip


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL that is new enough, or None."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    found = shutil.which("postgres")
    versions = {
        int("".join(filter(str.isdigit, folder.parent.name)) or 0): folder
        for folder in folders
        if (folder / "postgres").exists()
    }
    if versions and max(versions) >= OLDEST:
        return versions[max(versions)]
    return Path(found).parent if found else None


def required() -> Path:
    """As ``binaries``; without any the test is skipped with one line, or fails where that is asked for."""
    found = binaries()
    if found is None:
        reason = (
            f"No PostgreSQL {OLDEST} or newer found: install it (Debian: apt install postgresql) to test it."
        )
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_nobody_special() -> dict[str, object]:
    """Arguments of ``Popen``: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@dataclass
class PostgresServer:
    """A running server. ``settings`` are those of postgresql.conf; by default nothing waits for the disk."""

    settings: Sequence[str] = NOT_DURABLE
    bin: Path = field(default_factory=required)
    port: int = field(default_factory=free_port)
    folder: Path = field(init=False)
    process: subprocess.Popen[bytes] = field(init=False)
    _kept: str | None = None
    _numbers: count = field(default_factory=count)  # type: ignore[type-arg]

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="prompt-duel-postgres-"))
        owner = as_nobody_special()
        if owner:
            os.chown(self.folder, int(str(owner["user"])), int(str(owner["group"])))
        subprocess.run(
            [self.bin / "initdb", "-D", self.folder / "data", "-U", "postgres", "-A", "trust", "--no-sync",
             "--encoding=UTF8", "--locale=C", "--no-instructions"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **owner,  # type: ignore[call-overload]
        )  # fmt: skip
        self.start()

    def start(self) -> None:
        """Run it; returns when it takes connections."""
        options = [part for setting in (*ALWAYS, *self.settings) for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-k", self.folder,
                 "-h", "127.0.0.1", *options],
                stdout=log, stderr=log, cwd="/", **as_nobody_special(),  # type: ignore[call-overload]
            )  # fmt: skip
        ready = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + 30
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log()}")
            time.sleep(0.02)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order; SIGQUIT at once, as a crash would."""
        self.process.send_signal(how)
        self.process.wait(30)

    def remove(self) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def empty_database(self) -> str:
        """The address of a database with the tables of a store and nothing in them; the same each time."""
        import psycopg

        if self._kept is None:
            self._kept = self.new_database()
            open_store(self._kept).close()
        with psycopg.connect(self._kept) as db:
            for table in EMPTIED:
                db.execute(f"DELETE FROM {table}".encode())
        return self._kept

    def new_database(self, template: str = "template1") -> str:
        """The address of an empty database, or of a copy of another one."""
        import psycopg

        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.address(), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.address(name)

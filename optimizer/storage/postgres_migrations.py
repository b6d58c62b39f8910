"""Bringing a PostgreSQL database to the present schema, once however many replicas start together."""

from typing import Any

import psycopg

from optimizer.errors import StorageError
from optimizer.storage.postgres_schema import STEPS
from optimizer.storage.schema import Steps

# Replicas that start together queue here: one migrates, the others find it done. The number is ours.
_LOCK = 7_218_640_019
_OTHERS = "procrastinate_%"  # the queue of jobs keeps its tables beside ours

Db = psycopg.Connection[tuple[Any, ...]]


def migrate(db: Db, steps: Steps = STEPS) -> None:
    """Apply the steps that are missing, all or none, each with its record. ``StorageError`` for a database
    of a newer version, or of another program."""
    if applied(db) == list(steps):
        return
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        done = applied(db)
        _refuse_foreign(db, done, steps)
        if not done:
            db.execute(
                "CREATE TABLE IF NOT EXISTS prompt_duel_steps "
                "(name TEXT PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now())"
            )
        for name, statements in steps.items():
            if name in done:
                continue
            for statement in statements:
                db.execute(statement.encode())
            db.execute("INSERT INTO prompt_duel_steps (name) VALUES (%s)", (name,))


def applied(db: Db) -> list[str]:
    """The names of the steps that this database has."""
    if db.execute("SELECT to_regclass('prompt_duel_steps')").fetchall() == [(None,)]:
        return []
    return [name for (name,) in db.execute("SELECT name FROM prompt_duel_steps ORDER BY name").fetchall()]


def _refuse_foreign(db: Db, done: list[str], steps: Steps) -> None:
    newer = [name for name in done if name not in steps]
    if newer:
        raise StorageError(
            f"The database was written by a newer version of Prompt Duel (it has {newer[-1]!r}, this version "
            f"ends at {list(steps)[-1]!r}). Update Prompt Duel, or choose another database."
        )
    tables = db.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() "
        "AND tablename NOT LIKE %s AND tablename <> 'prompt_duel_steps'",
        (_OTHERS,),
    ).fetchall()
    if not done and tables:
        raise StorageError("The database belongs to another program. Choose an empty one.")

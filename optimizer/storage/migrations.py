"""Bringing a file to the present schema, and refusing files that are not ours or too new.

The steps are applied by sqlite-utils, which records each in ``_sqlite_migrations`` in the step's own
savepoint of our transaction.
"""

from collections.abc import Sequence

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from optimizer.errors import StorageError
from optimizer.storage.schema import STEPS, Steps

_SET = "prompt-duel"


def migrate(db: Database, steps: Steps = STEPS) -> None:
    """Apply the steps that are missing, all or none, each with its record.

    The transaction takes the write lock first and looks again: of two processes that open a file at
    once, one does the work and the other finds it done.
    """
    migrations = _migrations(steps)
    if _applied(migrations, db) == list(steps):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        refuse_foreign(db, steps)
        migrations.apply(db)
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def refuse_foreign(db: Database, steps: Steps = STEPS) -> None:
    """``StorageError`` for a file of a newer version, or of another program. Reads only."""
    applied = _applied(_migrations(steps), db)
    newer = [name for name in applied if name not in steps]
    if newer:
        raise StorageError(
            f"The database was written by a newer version of Prompt Duel (it has {newer[-1]!r}, this version "
            f"ends at {list(steps)[-1]!r}). Update Prompt Duel, or choose another file."
        )
    if not applied and set(db.table_names()) - {Migrations.migrations_table, "sqlite_sequence"}:
        raise StorageError("The database belongs to another program. Choose another file.")


def _applied(migrations: Migrations, db: Database) -> list[str]:
    return [migration.name for migration in migrations.applied(db)]


def _migrations(steps: Steps) -> Migrations:
    migrations = Migrations(_SET)
    for name, statements in steps.items():

        @migrations(name=name)
        def _step(db: Database, statements: Sequence[str] = statements) -> None:
            for statement in statements:
                db.execute(statement)

    return migrations

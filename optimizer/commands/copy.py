"""``copy``: a whole database from a SQLite file to PostgreSQL, or back."""

import sys

import click

from optimizer.commands.common import sentences
from optimizer.errors import BadInput, StorageError
from optimizer.storage.transfer import open_side, open_source, same_file, transfer


@click.command("copy")
@click.argument("source")
@click.argument("target")
@sentences
def copy(source: str, target: str) -> None:
    """Copy all of the database SOURCE into the empty database TARGET, and compare the two.

    Both are addresses as in PROMPT_DUEL_DATABASE_URL, or paths of SQLite files. A copy that broke off goes
    on where it stopped when it is started again. Stop the app first: what changes in SOURCE meanwhile is
    not in the copy. SOURCE is not changed, but for being brought to this version.
    """
    if same_file(source, target):
        raise BadInput(f"'{source}' and '{target}' are the same database. Name another one to copy into.")
    here = open_source(source)
    there = open_side(target)
    try:
        done: dict[str, int] = {}

        def tell(table: str, rows: int) -> None:
            done[table] = done.get(table, 0) + rows
            if sys.stderr.isatty():
                click.echo(f"\r{table}: {done[table]:,} rows", nl=False, err=True)

        compared = transfer(here, there, tell)
    finally:
        here.close()
        there.close()
    for table in compared:
        mark = "same" if table.same else f"NOT THE SAME: {table.rows[1]:,} in the copy"
        came = f"{done.get(table.name, 0):,} copied now"
        click.echo(
            f"{table.name:<14}{table.rows[0]:>12,} rows  {came:>20}  sha256 {table.sums[0][:16]}  {mark}"
        )
    if not all(table.same for table in compared):
        raise StorageError(
            "The copy differs from its source, which was changed while or since it was copied. Copy again "
            "into an empty database."
        )
    click.echo("The copy holds what the source holds.")

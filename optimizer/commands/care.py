"""Commands that look after the database."""

import json
import sys
from pathlib import Path

import click

from optimizer.commands.common import opened, sentences


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@sentences
def backup(file: Path) -> None:
    """Copy the whole database to FILE, while others go on voting."""
    with opened() as services:
        services.store.backup(file)
    click.echo(f"{file}: {file.stat().st_size:,} bytes")


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@sentences
def check(as_json: bool) -> None:
    """Check the database: damage, broken references, counts unlike a recount."""
    with opened() as services:
        faults = services.store.check()
    if as_json:
        click.echo(json.dumps({"faults": faults}, ensure_ascii=False))
    else:
        click.echo("\n".join(faults) if faults else "No faults found.")
    if faults:
        sys.exit(1)

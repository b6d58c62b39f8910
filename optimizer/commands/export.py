"""The command that writes files."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from optimizer.commands.common import filtered, find_study, opened, sentences, vote_filter
from optimizer.errors import BadInput
from optimizer.formats import EXPORTERS


@click.command(
    "export", epilog="\b\nFormats:\n" + "\n".join(f"  {n:<16} {e.label}" for n, e in EXPORTERS.items())
)
@click.argument("study")
@click.option("--format", "format", type=click.Choice(list(EXPORTERS)), required=True, help="See below.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; else standard output."
)
@filtered
@sentences
def export_study(
    study: str,
    format: str,
    output: Path | None,
    raters: tuple[str, ...],
    tags: tuple[str, ...],
    kind: str | None,
    audit_only: bool,
) -> None:
    """Write votes, training data, the winner or the contents of STUDY as a file."""
    with opened() as services:
        found = find_study(services, study)
        chosen = vote_filter(services, found, raters, tags, kind, audit_only)
        pieces = services.exchange.export(found.id, format, chosen).pieces
        if output is None:
            for piece in pieces:
                click.echo(piece, nl=False)
        else:
            write_whole(output, pieces)
    click.echo(EXPORTERS[format].loses, err=True)


def write_whole(path: Path, pieces: Iterator[bytes]) -> None:
    """The file appears, or takes the place of another, when it is complete."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.writelines(pieces)
        part.replace(path)
    except OSError as error:
        raise BadInput(f"'{path}' cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)

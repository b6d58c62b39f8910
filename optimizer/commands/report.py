"""The command that writes the decision report."""

from pathlib import Path

import click

from optimizer.commands.common import filtered, find_study, opened, sentences, vote_filter
from optimizer.commands.export import write_whole
from optimizer.errors import BadInput
from optimizer.reports.writing import FORMATS, write


@click.command("report")
@click.argument("study")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="A file that ends in .html (self-contained, with charts) or .md.",
)
@filtered
@sentences
def write_report(
    study: str,
    output: Path,
    raters: tuple[str, ...],
    tags: tuple[str, ...],
    kind: str | None,
    audit_only: bool,
) -> None:
    """Write the decision report of STUDY: the winner, how sure and why, what speaks against it."""
    suffix = output.suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise BadInput(f"'{output}' must end in .{' or .'.join(FORMATS)}.")
    with opened() as services:
        found = find_study(services, study)
        chosen = vote_filter(services, found, raters, tags, kind, audit_only)
        report = services.reports.gather(found.id, chosen)
    write_whole(output, (piece.encode() for piece in write(report, suffix)))
    for caution in report.cautions:
        click.echo(caution.told, err=True)

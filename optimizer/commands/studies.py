"""Commands about studies as a whole."""

import json
from pathlib import Path

import click

from optimizer.commands.common import opened, sentences
from optimizer.formats import Upload


@click.command("studies")
@click.option("--all", "everything", is_flag=True, help="Archived ones, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@sentences
def list_studies(everything: bool, as_json: bool) -> None:
    """List the studies."""
    with opened() as services:
        studies = [study for study in services.store.studies() if everything or study.archived_at is None]
        rows = [
            {
                "id": study.id,
                "name": study.name,
                "prompts": len([one for one in services.store.prompts(study.id) if one.retired_at is None]),
                "inputs": len([one for one in services.store.inputs(study.id) if one.retired_at is None]),
                "votes": services.store.counters(study.id).votes,
                "archived": study.archived_at is not None,
            }
            for study in studies
        ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        archived = "  (archived)" if row["archived"] else ""
        click.echo(
            f"{row['id']}  {row['name']}: {row['prompts']} prompts, {row['inputs']} inputs, "
            f"{row['votes']} votes{archived}"
        )


@click.command("import-study")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@sentences
def import_study(file: Path, as_json: bool) -> None:
    """Make a study from a study FILE (JSON)."""
    with opened() as services:
        preview = services.exchange.preview("study-json", Upload(file.name, file.read_bytes()))
        study = services.exchange.apply(preview)
    if as_json:
        click.echo(json.dumps({"id": study.id, "name": study.name}, ensure_ascii=False))
        return
    for note in preview.notes:
        click.echo(note)
    click.echo(f"{study.id}  {study.name}")

"""Commands about studies as a whole."""

import json
from pathlib import Path

import click

from optimizer.commands.common import find_study, opened, sentences
from optimizer.errors import BadInput
from optimizer.formats import IMPORTERS, Choices, Upload

MAKING = [name for name, importer in IMPORTERS.items() if importer.makes_study]
ADDING = [name for name, importer in IMPORTERS.items() if not importer.makes_study]


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
@click.option("--format", "format", type=click.Choice(MAKING), help="Else it is told from the file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@sentences
def import_study(file: Path, format: str | None, as_json: bool) -> None:
    """Make a study from FILE: a study file, an archive, or votes and prompts of another tool."""
    upload = Upload(file.name, file.read_bytes())
    with opened() as services:
        format = format or services.exchange.guess(upload)
        if format not in MAKING:
            raise BadInput(
                f"'{file.name}' looks like {IMPORTERS[format].label}: use 'import-into STUDY FILE'."
            )
        preview = services.exchange.preview(format, upload)
        study = services.exchange.apply(preview)
    if as_json:
        click.echo(json.dumps({"id": study.id, "name": study.name}, ensure_ascii=False))
        return
    for note in preview.notes:
        click.echo(note)
    click.echo(f"{study.id}  {study.name}")


@click.command("import-into")
@click.argument("study")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "format", type=click.Choice(ADDING), help="Else it is told from the file.")
@click.option("--no-create", is_flag=True, help="Prompts and inputs that STUDY lacks are faults.")
@click.option("--look", is_flag=True, help="Say what would happen, and store nothing.")
@sentences
def import_into(study: str, file: Path, format: str | None, no_create: bool, look: bool) -> None:
    """Add the inputs or outputs of FILE to STUDY."""
    upload = Upload(file.name, file.read_bytes())
    with opened() as services:
        found = find_study(services, study)
        format = format or services.exchange.guess(upload)
        if format not in ADDING:
            raise BadInput(f"'{file.name}' looks like {IMPORTERS[format].label}: use 'import-study FILE'.")
        preview = services.exchange.preview(format, upload, found.id, Choices(create=not no_create))
        preview.checked()
        for note in preview.notes:
            click.echo(note)
        if not look:
            services.exchange.apply(preview)

"""The commands of ``python -m optimizer``, a few to a file. A new one is a line in COMMANDS."""

import click

from optimizer.commands.care import backup, check
from optimizer.commands.connections import connect, list_connections
from optimizer.commands.copy import copy
from optimizer.commands.evolve import evolve
from optimizer.commands.export import export_study
from optimizer.commands.generate import generate
from optimizer.commands.judge import judge
from optimizer.commands.password import set_password
from optimizer.commands.report import write_report
from optimizer.commands.standings import show_standings
from optimizer.commands.studies import import_into, import_study, list_studies
from optimizer.commands.worker import worker
from optimizer.simulate_cli import simulate

COMMANDS: tuple[click.Command, ...] = (
    list_studies,
    import_study,
    import_into,
    list_connections,
    connect,
    generate,
    judge,
    evolve,
    show_standings,
    write_report,
    export_study,
    backup,
    copy,
    check,
    set_password,
    simulate,
    worker,
)

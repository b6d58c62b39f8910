"""The host's password from the command line: for servers that nobody reaches as localhost."""

import click

from optimizer.commands.common import opened, sentences


@click.command("password")
@click.option("--hash", "only_hash", is_flag=True, help="Print the hash, for PROMPT_DUEL_HOST_PASSWORD.")
@click.password_option(help="Asked for when left out.")
@sentences
def set_password(password: str, only_hash: bool) -> None:
    """Set the password of the host; all logins end. Raters need none."""
    with opened() as services:
        if only_hash:
            click.echo(services.gate.hashed(password))
            return
        services.gate.set_password(password)
    click.echo("Set. Whoever hosts logs in with it.")

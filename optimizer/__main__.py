"""The command line: ``python -m optimizer``. Exit code 0 is success, 1 an error told in a sentence, 2 a
command that was not understood."""

import click

from optimizer import __version__
from optimizer.commands import COMMANDS
from optimizer.config import PREFIX, SETTINGS

EPILOG = "\b\nSettings are environment variables:\n" + "\n".join(
    f"  {PREFIX}{setting.name:<14} {setting.about}" for setting in SETTINGS
)


@click.group(epilog=EPILOG, context_settings={"max_content_width": 110})
@click.version_option(__version__, prog_name="Prompt Duel")
def cli() -> None:
    """Find the best prompt by preference. The screens are started by: streamlit run app.py

    STUDY is the id or the exact name of a study; the command 'studies' lists both.
    """


for command in COMMANDS:
    cli.add_command(command)

if __name__ == "__main__":
    cli(prog_name="python -m optimizer")

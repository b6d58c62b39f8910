"""The winning prompt as plain text, ready to be pasted or piped."""

from collections.abc import Iterator
from typing import ClassVar

from optimizer.errors import NotFound
from optimizer.formats.base import Extract


class WinnerText:
    """The text of the prompt that leads, exactly as written."""

    name: ClassVar[str] = "winner"
    label: ClassVar[str] = "Winning prompt (text)"
    suffix: ClassVar[str] = "txt"
    mime: ClassVar[str] = "text/plain"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "Holds the text of the leading prompt alone: not its name, nor how sure its lead is."
    )

    def write(self, extract: Extract) -> Iterator[str]:
        """``NotFound`` when nothing leads, or the leader came without its text."""
        winner = extract.winner
        if winner is None:
            raise NotFound("No prompt leads yet: no vote counts here. Vote first, or widen the filters.")
        if not winner.text:
            raise NotFound(f"'{winner.name}' leads, but it was imported without its text.")
        return iter([winner.text])

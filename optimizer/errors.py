"""Every error that the project raises on purpose.

    PromptDuelError
    |- NotFound            no such study, prompt, input, output, rater, duel or vote
    |- Conflict            it exists already, or it changed meanwhile
    |  |- AlreadyVoted     this rater's vote on this duel stands; carries it
    |  `- DuelClosed       answered, skipped or expired; cannot be voted on
    |- NotAllowed          not this rater's duel, not this person's to do
    |  |- SessionClosed    the session is over: nobody joins it or votes in it
    |  `- TooManyTries     wrong passwords; says how long to wait
    |- NothingToAsk        no pair can be shown; says what is missing
    |- NothingToPropose    a proposer has nothing to go by, or is done; says why
    |  `- GoalReached      the session has the votes that it wanted
    |- BadInput            a person's file, template or setting is wrong; says where
    |  `- BadFile          all faults of an uploaded file, row by row
    |- NoVerdict           a model's answer could not be read, twice: it gives no vote and no prompt
    |- NotFitted           a fit did not converge, or is asked for what it cannot give
    |- StorageError        the database is damaged, locked for too long or of a newer version
    `- ProviderError       a model server failed (its own tree is in optimizer/llm)

The message is a sentence that a person can act on. Pages catch PromptDuelError once and show it;
anything else is a bug and is shown as such.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.domain import Vote


class PromptDuelError(Exception):
    """The root of the tree."""


class NotFound(PromptDuelError):
    """No such thing."""


class Conflict(PromptDuelError):
    """It exists already, or it changed meanwhile."""


class AlreadyVoted(Conflict):
    """This rater's vote on this duel stands; ``vote`` is the standing one."""

    def __init__(self, vote: "Vote") -> None:
        super().__init__("This duel has your vote already. Undo it first to vote again.")
        self.vote = vote


class DuelClosed(Conflict):
    """The duel was answered, skipped or released on expiry."""


class NotAllowed(PromptDuelError):
    """This rater may not do that."""


class SessionClosed(NotAllowed):
    """The session is over: nobody joins it or votes in it."""


class TooManyTries(NotAllowed):
    """Too many wrong passwords; the message says how long to wait."""


class NothingToAsk(PromptDuelError):
    """No pair can be shown; the message says what is missing."""


class GoalReached(NothingToAsk):
    """The session has the votes that it wanted."""


class NothingToPropose(PromptDuelError):
    """A proposer has nothing to go by, or has reached what it was set to; the message says which."""


class BadInput(PromptDuelError):
    """A person's text, setting or file is wrong; the message says what and where."""


class BadFile(BadInput):
    """A file cannot be imported; ``faults`` lists one sentence per fault, with its row."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        shown = " ".join(self.faults[:5])
        more = f" And {len(self.faults) - 5} more." if len(self.faults) > 5 else ""
        super().__init__(f"{shown}{more} Nothing was imported.")


class NoVerdict(PromptDuelError):
    """A judge gave no answer that could be read; ``calls`` and ``tokens`` were spent all the same."""

    def __init__(self, message: str, calls: int = 0, tokens: int = 0) -> None:
        super().__init__(message)
        self.calls = calls
        self.tokens = tokens


class NotFitted(PromptDuelError):
    """A statistical fit did not converge, or is asked for what it cannot give."""


class StorageError(PromptDuelError):
    """The database is damaged, locked for too long, or written by a newer version."""


class ProviderError(PromptDuelError):
    """A model server failed."""

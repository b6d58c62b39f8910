"""What a format is: an importer turns a file into nouns, an exporter turns nouns into a file.

Importers are pure: they read bytes and the study as it stands, and hand back a ``Preview``: what would
be stored, what a person should know, and every fault with its row and column. Nothing is stored before
a person has seen it, and then all of it in one transaction. No path or URL in a file is ever followed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, NamedTuple, Protocol

from optimizer.domain import (
    Ballot,
    Batch,
    Duel,
    Input,
    Output,
    Prompt,
    Rater,
    RaterId,
    Rubric,
    Study,
    StudyId,
)
from optimizer.errors import BadFile, BadInput

MAX_FAULTS = 1000  # a file that is wrong in every row says so a thousand times, not a million
HEAD = 50  # rows of a preview


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was handed over."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """A study as it stands. An import must fit it; one that makes a study of its own gets an empty one."""

    study: Study
    prompts: tuple[Prompt, ...] = ()
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person decides about an import.

    create           make the prompts and inputs that the file names and the study lacks; else faults
    prompt_columns   wide tables: the columns that hold outputs, where their headers do not say so
    """

    create: bool = True
    prompt_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do: ``notes`` tell it in sentences, ``head`` holds the first rows as they were
    understood. ``study`` and ``seen`` are filled in by who asked for the preview: the study that it is
    for, and that study's content version, None for an import that makes a study."""

    batch: Batch
    head: tuple[Mapping[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    study: StudyId | None = None
    seen: int | None = None

    def checked(self) -> Batch:
        """The batch, or ``BadFile`` with all faults."""
        if self.faults:
            raise BadFile(self.faults)
        return self.batch


class Importer(Protocol):
    """Reads one format."""

    name: ClassVar[str]  # its key in the registry
    label: ClassVar[str]
    about: ClassVar[str]  # what the file must hold, in one or two sentences
    suffixes: ClassVar[tuple[str, ...]]  # without the dot
    makes_study: ClassVar[bool]  # or adds to one that exists

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """Understand a file. ``BadFile`` when it cannot be read at all; faults in it go to the preview."""
        ...


class Made(NamedTuple):
    """What a file says of how an output came about, and of what it is worth by some metric."""

    model: str = ""
    score: float | None = None


MADE = Made()


@dataclass(frozen=True, slots=True)
class Extract:
    """What an export writes: a study, its raters, and the votes that passed the filters.

    ``ballots`` come oldest first, withdrawn votes among them; ``duels`` are all that were ever asked, in
    that order. Both may be gone through once.
    """

    contents: Contents
    raters: Mapping[RaterId, Rater] = field(default_factory=dict)
    ballots: Iterable[Ballot] = ()
    duels: Iterable[Duel] = ()
    rubrics: Sequence[Rubric] = ()
    find_winner: Callable[[], Prompt | None] = lambda: None

    @property
    def winner(self) -> Prompt | None:
        """The prompt that leads, worked out for the formats that ask for it."""
        return self.find_winner()


class Exporter(Protocol):
    """Writes one format."""

    name: ClassVar[str]
    label: ClassVar[str]
    suffix: ClassVar[str]  # without the dot
    mime: ClassVar[str]
    whole: ClassVar[bool]  # it holds the study as it is: filters of votes do not apply
    loses: ClassVar[str]  # what it cannot hold, in a sentence

    def write(self, extract: Extract) -> Iterator[str] | Iterator[bytes]:
        """The file in pieces; text is to be encoded as UTF-8."""
        ...


def told(count: int, noun: str) -> str:
    """The count with its noun: "1 new prompt", "2 new prompts"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


class Faults:
    """Gathers faults up to a limit, so that all of a file is looked at, not only its first fault."""

    def __init__(self) -> None:
        self._sentences: list[str] = []
        self._more = 0

    def add(self, where: str, what: str) -> None:
        """One fault: ``where`` starts the sentence ("Row 14, column 'output'"), ``what`` ends it."""
        self.add_sentence(f"{where} {what}.")

    def add_error(self, where: str, error: BadInput) -> None:
        """A fault that a check raised, in sentences of its own."""
        self.add_sentence(f"{where}: {error}")

    def add_sentence(self, sentence: str) -> None:
        """A fault that is a whole sentence already."""
        if len(self._sentences) < MAX_FAULTS:
            self._sentences.append(sentence)
        else:
            self._more += 1

    def __bool__(self) -> bool:
        return bool(self._sentences)

    def sentences(self) -> tuple[str, ...]:
        """All of them; a last one counts those beyond the limit."""
        more = (f"{self._more:,} more faults are not listed.",) if self._more else ()
        return (*self._sentences, *more)

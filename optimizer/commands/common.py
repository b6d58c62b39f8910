"""What commands share: errors as sentences, opened services, finding a study, filters of votes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from optimizer.assemble import Services, build
from optimizer.config import Config
from optimizer.domain import RaterKind, Study
from optimizer.errors import NotFound, PromptDuelError
from optimizer.results import VoteFilter

P = ParamSpec("P")
T = TypeVar("T")


def sentences(command: Callable[P, T]) -> Callable[P, T]:
    """Errors of ours become one sentence on standard error and exit code 1."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except PromptDuelError as error:
            raise click.ClickException(str(error)) from error

    return told


def filtered(command: Callable[P, T]) -> Callable[P, T]:
    """Adds the options that say which votes count."""
    for option in (
        click.option("--audit-only", is_flag=True, help="Only pairs that were drawn at random."),
        click.option(
            "--kind", type=click.Choice([kind.value for kind in RaterKind]), help="Only these raters."
        ),
        click.option("--tag", "tags", multiple=True, help="Only inputs with this tag; may be repeated."),
        click.option(
            "--rater", "raters", multiple=True, help="Only this rater, by name or id; may be repeated."
        ),
    ):
        command = option(command)
    return command


@contextmanager
def opened() -> Iterator[Services]:
    services = build(Config.load())
    try:
        yield services
    finally:
        services.close()


def find_study(services: Services, wanted: str) -> Study:
    """By id, else by exact name, one that is not archived first."""
    studies = services.store.studies()
    named = [study for study in studies if study.id == wanted] or [
        study for study in studies if study.name == wanted
    ]
    named = [study for study in named if study.archived_at is None] or named
    if not named:
        names = ", ".join(f"'{study.name}'" for study in studies if study.archived_at is None)
        raise NotFound(f"There is no study '{wanted}'. Known: {names or 'none'}.")
    if len(named) > 1:
        raise NotFound(f"{len(named)} studies are named '{wanted}'. Give its id; 'studies' lists them.")
    return named[0]


def vote_filter(
    services: Services,
    study: Study,
    raters: tuple[str, ...],
    tags: tuple[str, ...],
    kind: str | None,
    audit: bool,
) -> VoteFilter:
    """The filter that the options describe; unknown raters and tags are errors, not empty results."""
    known = services.store.raters(study.id)
    chosen = [rater.id for rater in known if rater.id in raters or rater.name in raters]
    for name in raters:
        if not any(name in (rater.id, rater.name) for rater in known):
            raise NotFound(f"No rater '{name}' voted in '{study.name}'.")
    all_tags = {tag for row in services.store.inputs(study.id) for tag in row.tags}
    for tag in tags:
        if tag not in all_tags:
            raise NotFound(f"No input has the tag '{tag}'. Tags are {', '.join(sorted(all_tags)) or 'none'}.")
    return VoteFilter(frozenset(chosen), frozenset(tags), RaterKind(kind) if kind else None, audit)

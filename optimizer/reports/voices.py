"""What voters said: reasons they ticked and comments they wrote, for the winner and against it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from optimizer.domain import REASONS_AGAINST, REASONS_FOR, Ballot, PromptId
from optimizer.reports.facts import Voices
from optimizer.storage.base import Answered

MOST_COMMENTS = 6  # of each sort, the newest
LONGEST_COMMENT = 400  # characters


def voices_of(ballots: Iterable[Ballot], winner: PromptId, rows: Sequence[Answered]) -> Voices:
    """From ballots, newest first, as far as ``rows`` count them. What a judge wrote is no voter's comment."""
    counting = {row.vote for row in rows}
    ours: Counter[str] = Counter()
    theirs: Counter[str] = Counter()
    praise: dict[str, None] = {}
    blame: dict[str, None] = {}
    read = 0
    for ballot in ballots:
        vote, duel = ballot.vote, ballot.duel
        if vote.id not in counting:
            continue
        read += 1
        ours_first, ours_second = duel.first_prompt == winner, duel.second_prompt == winner
        (ours if ours_first else theirs).update(vote.first_reasons)
        (ours if ours_second else theirs).update(vote.second_reasons)
        comment = " ".join(vote.comment.split())
        if comment and not vote.verdict and (ours_first or ours_second) and ballot.winner is not None:
            (praise if ballot.winner == winner else blame).setdefault(_short(comment))
    return Voices(
        _ranked(ours, REASONS_FOR),
        _ranked(ours, REASONS_AGAINST),
        _ranked(theirs, REASONS_FOR),
        _ranked(theirs, REASONS_AGAINST),
        tuple(praise)[:MOST_COMMENTS],
        tuple(blame)[:MOST_COMMENTS],
        read,
        len(rows),
    )


def _ranked(said: Counter[str], known: tuple[str, ...]) -> dict[str, int]:
    """The reasons that were ticked at all, most often first."""
    return {reason: n for reason, n in said.most_common() if reason in known}


def _short(comment: str) -> str:
    return comment if len(comment) <= LONGEST_COMMENT else comment[: LONGEST_COMMENT - 1].rstrip() + "…"

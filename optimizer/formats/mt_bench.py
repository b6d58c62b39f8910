"""MT-bench pair judgments (FastChat): each pair asked twice, the second time with the sides swapped.

``g1_winner`` and ``g2_winner`` are "model_1", "model_2", "tie" or "error", the second already turned back.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from optimizer.domain import Outcome, PromptId, RaterId, RaterKind
from optimizer.errors import BadInput
from optimizer.formats.base import HEAD, Choices, Contents, Extract, Faults, Preview, Upload
from optimizer.formats.history import Battle, History, Side, field, moment
from optimizer.formats.shared_input import Shown, shown
from optimizer.formats.tables import read_records
from optimizer.formats.writing import json_lines

GAMES = (
    {"model_1": Outcome.FIRST, "model_2": Outcome.SECOND, "tie": Outcome.BOTH_GOOD},
    {"model_1": Outcome.SECOND, "model_2": Outcome.FIRST, "tie": Outcome.BOTH_GOOD},  # sides swapped
)
FAILED = "error"
Pair = tuple[str, PromptId, PromptId, RaterId]  # input, the two prompts in order of their ids, rater


class MtBench:
    """Import and export of pair judgments."""

    name: ClassVar[str] = "mt-bench"
    label: ClassVar[str] = "MT-bench pair judgments (JSONL)"
    about: ClassVar[str] = (
        "'question_id', 'model_1', 'model_2', 'g1_winner', 'g2_winner' and 'judge', as FastChat's "
        "gen_judgment writes them. The set judged by people has 'winner': read it as arena battles."
    )
    suffixes: ClassVar[tuple[str, ...]] = ("jsonl", "json")
    makes_study: ClassVar[bool] = True
    suffix: ClassVar[str] = "jsonl"
    mime: ClassVar[str] = "application/jsonl"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "Holds one vote per pair, order of sides and rater, the last one; a pair asked in one order only has "
        "'error' for the other, and FastChat leaves such rows out. No texts; both kinds of tie are 'tie'."
    )

    def read(self, upload: Upload, contents: Contents, choices: Choices, now: datetime) -> Preview:
        """Two votes of a judge per row. Texts of questions and answers are not in such files."""
        faults = Faults()
        records = list(read_records(upload, faults))
        history = History(contents, choices, now, faults)
        for where, record in records:
            try:
                for battle in _battles(where, record):
                    if battle is None:
                        history.left_out["the judge's answer could not be read"] += 1
                    else:
                        history.add(battle)
            except BadInput as error:
                faults.add(where, str(error))
        head = [
            {n: str(r.get(n, "")) for n in ("model_1", "model_2", "g1_winner", "g2_winner")}
            for _, r in records
        ]
        return history.preview(head[:HEAD])

    def write(self, extract: Extract) -> Iterator[str]:
        games: dict[Pair, list[Shown | None]] = {}
        for one in shown(extract):
            duel = one.ballot.duel
            low, high = sorted((duel.first_prompt, duel.second_prompt))
            played = games.setdefault((duel.input, low, high, duel.rater), [None, None])
            played[0 if duel.first_prompt == low else 1] = one
        return json_lines(_row(pair, played, extract) for pair, played in games.items())


def _battles(where: str, record: Mapping[str, Any]) -> Iterator[Battle | None]:
    """The two games of a row; None for one that failed."""
    one, other = Side(field(record, "model_1")), Side(field(record, "model_2"))
    judge = record.get("judge")
    rater = (
        " ".join(part for part in judge if isinstance(part, str))
        if isinstance(judge, list)
        else str(judge or "")
    )
    turn = str(record.get("turn", "1"))
    variables = {"question_id": field(record, "question_id"), "turn": turn}
    at = moment(record.get("tstamp"))
    for number, sides in enumerate(((one, other), (other, one))):
        winner = field(record, f"g{number + 1}_winner")
        if winner == FAILED:
            yield None
            continue
        if winner not in GAMES[number]:
            raise BadInput(f"has the winner '{winner}'. Known are model_1, model_2, tie, error")
        yield Battle(where, *sides, GAMES[number][winner], rater, variables, RaterKind.JUDGE, at)


def _row(pair: Pair, played: list[Shown | None], extract: Extract) -> dict[str, object]:
    input_id, _, _, rater = pair
    known = next(one for one in played if one is not None)
    models = [known.first_prompt.name, known.second_prompt.name]
    if played[0] is None:
        models.reverse()
    winners = []
    for names, one in zip(GAMES, played, strict=True):
        said = None if one is None else one.ballot.vote.outcome
        winners.append(next((n for n, o in names.items() if o is said), FAILED if said is None else "tie"))
    return {
        "question_id": input_id,
        "model_1": models[0],
        "model_2": models[1],
        "g1_winner": winners[0],
        "g2_winner": winners[1],
        "judge": [extract.raters[rater].name, "prompt-duel"],
        "turn": 1,
        "tstamp": max(one.ballot.vote.at for one in played if one is not None).timestamp(),
    }

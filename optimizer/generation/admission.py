"""What of an answer may be shown in a duel. What may not is stored all the same: it was paid for.

Held back are empty and withheld answers, answers cut off at their limit, and answers that quote their
own prompt, which would tell a rater which prompt it was. A person may release what was held back.
"""

import re
from difflib import SequenceMatcher

from optimizer.domain import Connection, Output, OutputId, Prompt, StudyId, new_id
from optimizer.generation.cells import Cell
from optimizer.llm.base import Completion, FinishReason, Request, Usage, request_hash
from optimizer.llm.errors import NoAnswer
from optimizer.llm.tokens import cost
from optimizer.templates import own_words

LEAK_CHARACTERS = 40  # in words: about eight in a row
MOST_WORDS = 20_000
# A word, or one character of a script that is written without blanks.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+")
_SHOWN = 120


def leak(prompt_text: str, output_text: str) -> str | None:
    """The longest run of a prompt's own words that its output quotes, or None when there is none to tell.

    Counted are runs of ``LEAK_CHARACTERS`` letters, punctuation and case aside, and prompts quoted
    whole that are shorter but at least half as long. What an input put into the prompt does not count.
    """
    answer = [word.group().casefold() for word in _WORD.finditer(output_text)][:MOST_WORDS]
    matcher = SequenceMatcher(b=answer, autojunk=False)
    longest = ""
    pieces = [piece for piece in own_words(prompt_text) if piece.strip()]
    for piece in pieces:
        found = list(_WORD.finditer(piece))[:MOST_WORDS]
        words = [word.group().casefold() for word in found]
        matcher.set_seq1(words)
        match = matcher.find_longest_match()
        letters = sum(len(word) for word in words[match.a : match.a + match.size])
        whole = len(pieces) == 1 and match.size == len(words)
        if letters >= LEAK_CHARACTERS or (whole and letters >= LEAK_CHARACTERS / 2):
            quoted = piece[found[match.a].start() : found[match.a + match.size - 1].end()]
            longest = max(longest, quoted, key=len)
    return longest or None


def admit(
    completion: Completion,
    request: Request,
    cell: Cell,
    study: StudyId,
    prompt: Prompt,
    connection: Connection,
    accept_truncated: bool,
) -> Output:
    """The output for a whole answer; ``error`` says why it is held back, if it is."""
    quoted = leak(prompt.text, completion.text)
    error = ""
    if completion.finish_reason is FinishReason.LENGTH and not accept_truncated:
        limit = request.filled(connection).max_tokens
        error = (
            f"Cut off at its limit of {limit} tokens. Allow the connection longer answers and ask again, or "
            "release it as it is."
        )
    elif quoted is not None:
        error = f"It quotes its own prompt: “{_shortened(quoted)}”. Release it if that gives nothing away."
    settings = _settings(request, connection) | ({"leak": _shortened(quoted)} if quoted else {})
    return Output(
        OutputId(new_id()),
        study,
        cell.prompt,
        cell.input,
        completion.text,
        cell.sample,
        completion.model or connection.model,
        settings,
        _usage(completion.usage, connection),
        completion.latency_ms,
        completion.finish_reason.value,
        error,
    )


def hold(error: NoAnswer, request: Request, cell: Cell, study: StudyId, connection: Connection) -> Output:
    """The output for a call that was paid for and brought nothing to show."""
    return Output(
        OutputId(new_id()),
        study,
        cell.prompt,
        cell.input,
        error.text,
        cell.sample,
        connection.model,
        _settings(request, connection),
        _usage(error.usage, connection),
        None,
        error.finish_reason,
        str(error),
    )


def _settings(request: Request, connection: Connection) -> dict[str, object]:
    filled = request.filled(connection)
    return {
        "request_hash": request_hash(connection, request),
        "connection": connection.name,
        "temperature": filled.temperature,
        "max_tokens": filled.max_tokens,
    }


def _usage(usage: Usage, connection: Connection) -> dict[str, float]:
    money = cost(connection, usage)
    return (
        {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.tokens,
        }
        | ({} if money is None else {"cost": money})
        | ({"estimated": 1} if usage.estimated else {})
    )


def _shortened(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}…"

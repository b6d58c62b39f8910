"""LLM Comparator (PAIR-code): a JSON file that its viewer opens to analyse two models side by side.

Scores lie between -1.5 (B is much better) and 1.5 (A is); one per rater, and their mean per example.
"""

import json
from collections import Counter
from collections.abc import Iterator
from statistics import fmean
from typing import ClassVar

from optimizer.domain import Grade, Outcome, OutputId, PromptId
from optimizer.errors import NotFound
from optimizer.formats.base import Extract
from optimizer.formats.shared_input import Shown, input_text, shown

SCORE = {None: 1.0, Grade.CLEARLY: 1.5, Grade.SLIGHTLY: 0.5}
Example = tuple[OutputId, OutputId]


class LlmComparator:
    """Export of the pair of prompts that met most often."""

    name: ClassVar[str] = "llm-comparator"
    label: ClassVar[str] = "LLM Comparator (JSON)"
    suffix: ClassVar[str] = "json"
    mime: ClassVar[str] = "application/json"
    whole: ClassVar[bool] = False
    loses: ClassVar[str] = (
        "Holds two prompts alone, the two that met most often. Both good and both bad are 0; reasons and "
        "comments become the rationale."
    )

    def write(self, extract: Extract) -> Iterator[str]:
        """``NotFound`` while there are no votes."""
        votes = list(shown(extract))
        met = Counter(frozenset((one.first_prompt.id, one.second_prompt.id)) for one in votes)
        if not met:
            raise NotFound("There are no votes to compare yet. Vote first, or widen the filters.")
        pair = met.most_common(1)[0][0]
        a, b = (prompt for prompt in extract.contents.prompts if prompt.id in pair)
        examples: dict[Example, list[Shown]] = {}
        for one in votes:
            if {one.first_prompt.id, one.second_prompt.id} == pair:
                flipped = one.first_prompt.id == b.id
                key = (one.second.id, one.first.id) if flipped else (one.first.id, one.second.id)
                examples.setdefault(key, []).append(one)
        document = {
            "metadata": {
                "source_path": f"prompt-duel:{extract.contents.study.id}",
                "custom_fields_schema": [],
            },
            "models": [{"name": a.name}, {"name": b.name}],
            "examples": [_example(seen, b.id) for seen in examples.values()],
        }
        return iter([json.dumps(document, ensure_ascii=False, indent=1), "\n"])


def _example(seen: list[Shown], b: PromptId) -> dict[str, object]:
    """One input with the two outputs and every vote on them."""
    one = seen[0]
    flipped = one.first_prompt.id == b
    ratings = [_rating(vote, b) for vote in seen]
    return {
        "input_text": input_text(one.row),
        "tags": list(one.row.tags),
        "output_text_a": one.second.text if flipped else one.first.text,
        "output_text_b": one.first.text if flipped else one.second.text,
        "score": fmean(float(str(rating["score"])) for rating in ratings),
        "individual_rater_scores": ratings,
        "custom_fields": {},
    }


def _rating(one: Shown, b: PromptId) -> dict[str, object]:
    vote, flipped = one.ballot.vote, one.first_prompt.id == b
    sign = {Outcome.FIRST: 1, Outcome.SECOND: -1}.get(vote.outcome, 0) * (-1 if flipped else 1)
    because = [
        *(f"{one.first_prompt.name}: {reason}" for reason in vote.first_reasons),
        *(f"{one.second_prompt.name}: {reason}" for reason in vote.second_reasons),
        *([vote.comment] if vote.comment else []),
    ]
    return {"is_flipped": flipped, "score": sign * SCORE[vote.grade], "rationale": "; ".join(because)}

"""Whole studies under new ids: duplicates, copies of samples, archives that meet their original."""

from dataclasses import replace

from optimizer.domain import (
    Batch,
    DuelId,
    InputId,
    OutputId,
    PromptId,
    RaterId,
    RubricId,
    StudyId,
    VoteId,
    new_id,
)


class _NewIds(dict[str, str]):
    """A new id for every old one, the same each time it is asked for."""

    def __missing__(self, old: str) -> str:
        self[old] = new_id()
        return self[old]


def renumbered(batch: Batch) -> Batch:
    """The same nouns, tied together as before, under new ids. ``changes`` are no part of a copy."""
    new = _NewIds()
    return Batch(
        studies=[replace(one, id=StudyId(new[one.id])) for one in batch.studies],
        prompts=[
            replace(
                one,
                id=PromptId(new[one.id]),
                study=StudyId(new[one.study]),
                parent=None if one.parent is None else PromptId(new[one.parent]),
            )
            for one in batch.prompts
        ],
        inputs=[replace(one, id=InputId(new[one.id]), study=StudyId(new[one.study])) for one in batch.inputs],
        outputs=[
            replace(
                one,
                id=OutputId(new[one.id]),
                study=StudyId(new[one.study]),
                prompt=PromptId(new[one.prompt]),
                input=InputId(new[one.input]),
            )
            for one in batch.outputs
        ],
        raters=[replace(one, id=RaterId(new[one.id]), study=StudyId(new[one.study])) for one in batch.raters],
        duels=[
            replace(
                one,
                id=DuelId(new[one.id]),
                study=StudyId(new[one.study]),
                input=InputId(new[one.input]),
                first=OutputId(new[one.first]),
                second=OutputId(new[one.second]),
                first_prompt=PromptId(new[one.first_prompt]),
                second_prompt=PromptId(new[one.second_prompt]),
                rater=RaterId(new[one.rater]),
                repeats=None if one.repeats is None else DuelId(new[one.repeats]),
            )
            for one in batch.duels
        ],
        votes=[
            replace(
                one,
                id=VoteId(new[one.id]),
                study=StudyId(new[one.study]),
                duel=DuelId(new[one.duel]),
                rater=RaterId(new[one.rater]),
            )
            for one in batch.votes
        ],
        rubrics=[
            replace(one, id=RubricId(new[one.id]), study=StudyId(new[one.study])) for one in batch.rubrics
        ],
    )

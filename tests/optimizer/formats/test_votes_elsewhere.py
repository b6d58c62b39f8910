"""Votes of other tools: preference pairs, AlpacaEval, MT-bench, Label Studio. Signs above all."""

import json
from datetime import UTC, datetime

import pytest

from optimizer.domain import Batch, Outcome, RaterKind, Study, StudyId
from optimizer.formats import EXPORTERS, IMPORTERS
from optimizer.formats.base import Choices, Contents, Extract, Preview, Upload

NOW = datetime(2026, 3, 2, tzinfo=UTC)
EMPTY = Contents(Study(StudyId("study"), "Elsewhere"))


def read(format: str, rows: object, name: str = "") -> Preview:
    suffix = IMPORTERS[format].suffixes[0]
    text = (
        "\n".join(json.dumps(row) for row in rows)
        if suffix == "jsonl" and isinstance(rows, list)
        else json.dumps(rows)
    )
    return IMPORTERS[format].read(Upload(name or f"f.{suffix}", text.encode()), EMPTY, Choices(), NOW)


def wins(batch: Batch) -> list[tuple[str, str, str, str]]:
    """Each vote for a side as (question, what won, its output, what lost)."""
    prompts = {prompt.id: prompt.name for prompt in batch.prompts}
    outputs = {output.id: output.text for output in batch.outputs}
    questions = {row.id: row.variables.get("question", "") for row in batch.inputs}
    found = []
    for duel, vote in zip(batch.duels, batch.votes, strict=True):
        sides = [(duel.first_prompt, duel.first), (duel.second_prompt, duel.second)]
        if vote.outcome is Outcome.SECOND:
            sides.reverse()
        if vote.outcome in (Outcome.FIRST, Outcome.SECOND):
            (winner, shown), (loser, _) = sides
            found.append((questions[duel.input], prompts[winner], outputs[shown], prompts[loser]))
    return found


def pair(**more: object) -> dict[str, object]:
    return {
        "prompt": "Hi",
        "chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
        "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Go"}],
        "chosen_model": "polite",
        "rejected_model": "rude",
    } | more


def test_preference_pairs_of_every_shape() -> None:
    trl = {"prompt": [{"role": "user", "content": "Hi"}], "chosen_model": None, "rejected_model": None}
    names = {"chosen_prompt": "polite", "rejected_prompt": "rude"}
    preview = read(
        "preference-pairs",
        [pair(), pair(**trl, **names), pair(chosen="Hello", rejected="Go"), pair(prompt=None)],
    )
    assert wins(preview.checked()) == [("Hi", "polite", "Hello", "rude")] * 4
    sides = [vote.outcome for vote in preview.checked().votes]
    assert sides == [Outcome.FIRST, Outcome.SECOND, Outcome.FIRST, Outcome.SECOND]
    assert preview.notes[-1] == "The file does not say which side was shown first: it is taken to alternate."


def test_the_best_and_the_worst_of_rated_generations_make_a_vote() -> None:
    row = {
        "instruction": "Why?",
        "generations": ["meh", "great", "bad"],
        "ratings": [3, 4.5, 1],
        "generation_models": ["m", "g", "b"],
    }
    batch = read("preference-pairs", [row]).checked()
    assert wins(batch) == [("Why?", "g", "great", "b")]
    assert batch.raters[0].kind is RaterKind.JUDGE


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (
            pair(chosen_model=""),
            "does not name what competed: it has neither 'chosen_prompt' nor 'chosen_model'.",
        ),
        (pair(rejected=[]), "has no answer in 'rejected'."),
        (pair(prompt="", chosen="Hello"), "has no 'prompt'."),
        (
            {"generations": ["a"], "ratings": [1], "generation_models": ["m"]},
            "needs a list of at least two 'generations'.",
        ),
        (
            {
                "instruction": "?",
                "generations": ["a", "b"],
                "ratings": [1, None],
                "generation_models": ["m", "n"],
            },
            "has ratings that are not numbers, or lists of different lengths.",
        ),
        (
            {
                "instruction": "?",
                "generations": ["a", "b"],
                "ratings": [1, 1.0],
                "generation_models": ["m", "n"],
            },
            "rates its best and its worst answer alike, so it holds no preference.",
        ),
    ],
)
def test_a_pair_without_names_or_a_preference_is_a_fault(row: dict[str, object], fault: str) -> None:
    faults = read("preference-pairs", [pair(), row]).faults
    assert faults == (f"Line 2 {fault}",)


def annotation(preference: object, **more: object) -> dict[str, object]:
    return {
        "instruction": "Hi",
        "output_1": "Hello",
        "generator_1": "base",
        "output_2": "Hey",
        "generator_2": "new",
        "annotator": "gpt-4",
        "preference": preference,
    } | more


def test_alpaca_preferences_above_one_and_a_half_are_for_the_second() -> None:
    preview = read("alpaca-eval", [annotation(1.0), annotation(1.98), annotation(1.5), annotation(None)])
    batch = preview.checked()
    assert [vote.outcome for vote in batch.votes] == [Outcome.FIRST, Outcome.SECOND, Outcome.BOTH_GOOD]
    assert wins(batch) == [("Hi", "base", "Hello", "new"), ("Hi", "new", "Hey", "base")]
    assert [(rater.name, rater.kind) for rater in batch.raters] == [("gpt-4", RaterKind.JUDGE)]
    assert preview.notes[-1] == "1 vote left out: no preference."


def test_the_win_rate_of_alpaca_eval_is_kept(extract: Extract) -> None:
    rows = json.loads("".join(str(piece) for piece in EXPORTERS["alpaca-eval"].write(extract)))
    second = [row for row in rows if row["generator_2"] == "=Warm"]
    assert sum(row["preference"] - 1 for row in second) / len(second) == pytest.approx((0 + 1 + 0.5) / 3)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (annotation(3), "Item 1 has the preference 3, which is not between 1 and 2."),
        (annotation("first"), "Item 1 has the preference 'first', which is not a number."),
        (annotation(1, output_2=None), "Item 1 has no 'output_2'."),
        (annotation(1, generator_1=" "), "Item 1 has a 'generator_1' that is not a text."),
    ],
)
def test_a_wrong_annotation_is_a_fault(row: dict[str, object], fault: str) -> None:
    assert read("alpaca-eval", [row]).faults == (fault,)


def judgment(first: str, second: str, **more: object) -> dict[str, object]:
    return {
        "question_id": 81,
        "model_1": "alpha",
        "model_2": "beta",
        "g1_winner": first,
        "g2_winner": second,
        "judge": ["gpt-4", "pair-v2"],
        "turn": 1,
        "tstamp": 1687222279.75,
    } | more


@pytest.mark.parametrize(
    ("first", "second", "outcomes"),
    [
        ("model_1", "model_1", [Outcome.FIRST, Outcome.SECOND]),
        ("model_2", "model_2", [Outcome.SECOND, Outcome.FIRST]),
        ("model_1", "model_2", [Outcome.FIRST, Outcome.FIRST]),
        ("tie", "error", [Outcome.BOTH_GOOD]),
    ],
)
def test_the_second_game_of_mt_bench_has_its_sides_swapped(
    first: str, second: str, outcomes: list[Outcome]
) -> None:
    batch = read("mt-bench", [judgment(first, second)]).checked()
    names = {prompt.id: prompt.name for prompt in batch.prompts}
    assert [vote.outcome for vote in batch.votes] == outcomes
    assert [names[duel.first_prompt] for duel in batch.duels] == ["alpha", "beta"][: len(outcomes)]
    assert batch.raters[0].name == "gpt-4 pair-v2"
    assert dict(batch.inputs[0].variables) == {"question_id": "81", "turn": "1"}


def test_consistent_judgments_name_the_same_winner_twice() -> None:
    batch = read("mt-bench", [judgment("model_2", "model_2")]).checked()
    assert [(winner, loser) for _, winner, _, loser in wins(batch)] == [("beta", "alpha")] * 2


def test_an_unknown_judgment_is_a_fault() -> None:
    assert read("mt-bench", [judgment("A", "tie")]).faults == (
        "Line 1 has the winner 'A'. Known are model_1, model_2, tie, error.",
    )


def task(selected: str, **data: str) -> dict[str, object]:
    return {
        "data": {"prompt": "Hi", "answer1": "Hello", "answer2": "Go", "prompt1": "polite", "prompt2": "rude"}
        | data,
        "annotations": [
            {"completed_by": 7, "result": [{"type": "pairwise", "value": {"selected": selected}}]}
        ],
    }


def test_label_studio_left_is_the_first_answer() -> None:
    untouched = task("left") | {"annotations": []}
    batch = read("label-studio", [task("left"), task("right"), untouched]).checked()
    assert wins(batch) == [("Hi", "polite", "Hello", "rude"), ("Hi", "rude", "Go", "polite")]
    assert batch.raters[0].name == "7"


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"annotations": []}, "Item 1 has no 'data'."),
        (task("both"), "Item 1 has the selection 'both', which is neither left nor right."),
        (task("left", prompt1=""), "Item 1 has no 'prompt1'."),
        (task("left") | {"annotations": [{}]}, "Item 1 has an annotation without a result."),
    ],
)
def test_a_wrong_task_is_a_fault(row: dict[str, object], fault: str) -> None:
    assert read("label-studio", [row]).faults == (fault,)


@pytest.mark.parametrize(
    ("out", "back"),
    [
        ("trl-preference", "preference-pairs"),
        ("argilla-preference", "preference-pairs"),
        ("lmsys-battles", "lmsys-battles"),
        ("alpaca-eval", "alpaca-eval"),
        ("label-studio", "label-studio"),
    ],
)
def test_who_beat_whom_survives_the_way_out_and_back(out: str, back: str, extract: Extract) -> None:
    data = "".join(str(piece) for piece in EXPORTERS[out].write(extract)).encode()
    name = f"f.{EXPORTERS[out].suffix}"
    batch = IMPORTERS[back].read(Upload(name, data), EMPTY, Choices(), NOW).checked()
    assert wins(batch) == [
        ("Why?", "Terse", "Because.", "=Warm"),
        ('How, "then"?\nTell.', "=Warm", "Straße – ☀", "Terse"),
    ]


def test_mt_bench_survives_the_way_out_and_back(extract: Extract) -> None:
    data = "".join(str(piece) for piece in EXPORTERS["mt-bench"].write(extract)).encode()
    batch = IMPORTERS["mt-bench"].read(Upload("f.jsonl", data), EMPTY, Choices(), NOW).checked()
    assert [(winner, loser) for _, winner, _, loser in wins(batch)] == [("=Warm", "Terse")]
    assert sorted(vote.outcome for vote in batch.votes) == [
        Outcome.BOTH_GOOD,
        Outcome.BOTH_GOOD,
        Outcome.SECOND,
    ]

"""Scripted and recorded models, server embeddings, and the identity of a request."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.domain import Connection, InputId, Output, OutputId, PromptId, StudyId
from optimizer.errors import BadInput, ProviderError
from optimizer.llm import errors, open_model, provider
from optimizer.llm.base import Completion, FinishReason, LanguageModel, Message, Request, Role, request_hash
from optimizer.llm.embedding import BATCH
from optimizer.llm.recorded import Recorded
from optimizer.llm.scripted import Scripted, table
from tests.fakes.openai_server import FakeServer

ASK = Request((Message(Role.USER, "What is a duel?"),))
SCRIPTED = Connection("try", "scripted:words", "any")


def recorded(text: str = "As recorded.", sample: int = 0, **changed: str) -> Recorded:
    output = Output(
        OutputId("o"), StudyId("s"), PromptId("p"), InputId("i"), text, sample, "gpt-x",
        finish_reason=changed.get("finish_reason", "stop"), error=changed.get("error", ""),
    )  # fmt: skip
    return Recorded([(ASK.messages, output)])


@pytest.mark.parametrize(
    "model",
    [Scripted(lambda _: "A duel is a question."), open_model(SCRIPTED, None), recorded()],
    ids=["function", "words", "recorded"],
)
def test_stand_ins_answer_the_same_each_time_whole_or_in_pieces(model: LanguageModel) -> None:
    whole = model.complete(ASK)
    *pieces, last = model.stream(ASK)
    assert isinstance(last, Completion)
    assert last.text == whole.text == "".join(str(piece) for piece in pieces) == model.complete(ASK).text
    assert whole.text.strip()


def test_no_screen_can_take_a_script_for_a_model() -> None:
    model = open_model(SCRIPTED, None)
    assert model.name == "scripted (words)"
    assert model.complete(ASK).model == "scripted (words)"
    assert recorded().name == "recorded"


def test_words_differ_between_samples_and_prompts() -> None:
    model = open_model(SCRIPTED, None)
    other = Request((Message(Role.SYSTEM, "Be brief."), *ASK.messages))
    texts = {model.complete(request).text for request in (ASK, replace(ASK, sample=1), other)}
    assert len(texts) == 3


def test_a_table_knows_what_it_knows() -> None:
    model = table({"What is a duel?": "A question."})
    assert model.complete(ASK).text == "A question."
    with pytest.raises(errors.NotRecorded, match="has no reply to 'Why"):
        model.complete(Request((Message(Role.USER, "Why?"),)))


def test_an_unknown_script_lists_the_known_ones() -> None:
    with pytest.raises(BadInput, match="Known are words"):
        open_model(Connection("x", "scripted:wrods", "m"), None)
    assert provider(SCRIPTED).models(SCRIPTED, None) == ("words",)


def test_a_record_is_never_made_up() -> None:
    assert recorded(finish_reason="length").complete(ASK).finish_reason is FinishReason.LENGTH
    for model in (recorded(sample=1), recorded(error="held back"), Recorded([])):
        with pytest.raises(errors.NotRecorded):
            model.complete(ASK)


def test_a_request_is_known_by_everything_that_could_change_its_answer() -> None:
    connection = Connection("a", "http://x/v1", "m", temperature=0.5, max_tokens=10)
    different = {
        request_hash(connection, ASK),
        request_hash(connection, replace(ASK, sample=1)),
        request_hash(connection, replace(ASK, seed=1)),
        request_hash(connection, replace(ASK, temperature=0.7)),
        request_hash(connection, replace(ASK, schema={"type": "object"})),
        request_hash(connection, Request((Message(Role.SYSTEM, "What is a duel?"),))),
        request_hash(replace(connection, model="n"), ASK),
        request_hash(replace(connection, server="http://y/v1"), ASK),
        request_hash(replace(connection, max_tokens=11), ASK),
    }
    assert len(different) == 9
    same = {
        request_hash(connection, ASK),
        request_hash(
            replace(connection, name="b", server="http://x/v1/", concurrency=2, input_price=1.0), ASK
        ),
        request_hash(connection, replace(ASK, temperature=0.5)),
    }
    assert len(same) == 1


def test_embeddings_come_as_unit_rows_in_the_order_of_the_texts() -> None:
    with FakeServer() as server:
        connection = Connection("e", server.url, "embed")
        embedder = provider(connection).open_embedder(connection, None)
        texts = [f"text {n}" for n in range(BATCH + 3)]
        rows = embedder.embed(texts)
        assert rows.shape == (BATCH + 3, 8)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0)
        np.testing.assert_allclose(embedder.embed([texts[BATCH + 1]])[0], rows[BATCH + 1])
        assert embedder.embed([]).shape[0] == 0


def test_a_server_without_embeddings_is_an_error_of_ours() -> None:
    with FakeServer() as server:
        connection = Connection("e", server.url.removesuffix("/v1"), "embed")
        with pytest.raises(ProviderError):
            provider(connection).open_embedder(connection, None).embed(["x"])

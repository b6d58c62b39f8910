"""What the server does to the messages of a page before Streamlit hears them."""

import asyncio
from collections.abc import Sequence

from starlette.types import Message
from streamlit.proto.BackMsg_pb2 import BackMsg

from app import whole_first


def heard(messages: Sequence[Message]) -> list[Message]:
    """What comes out of the other end."""
    sent = iter(messages)

    async def receive() -> Message:
        return next(sent)

    receiving = whole_first(receive)

    async def all_of_them() -> list[Message]:
        return [await receiving() for _ in messages]

    return asyncio.run(all_of_them())


def run_of(fragment: str) -> Message:
    asked = BackMsg()
    asked.rerun_script.query_string = "study=s"
    asked.rerun_script.fragment_id = fragment
    asked.rerun_script.is_auto_rerun = bool(fragment)
    return {"type": "websocket.receive", "bytes": asked.SerializeToString()}


def fragment_of(message: Message) -> str:
    return str(BackMsg.FromString(message["bytes"]).rerun_script.fragment_id)


def test_a_page_that_connects_again_first_has_all_of_it_drawn() -> None:
    """A new process knows none of the fragments that the old one drew: a run of one would do nothing."""
    other = BackMsg(load_git_info=True).SerializeToString()
    connect: Message = {"type": "websocket.connect"}
    told: Message = {"type": "websocket.receive", "bytes": other}
    found = heard([connect, told, run_of("screen"), run_of("screen")])
    assert found[:2] == [connect, told]
    first = BackMsg.FromString(found[2]["bytes"]).rerun_script
    assert (first.fragment_id, first.is_auto_rerun, first.query_string) == ("", False, "study=s")
    assert found[3] == run_of("screen")


def test_a_page_that_was_loaded_is_heard_word_by_word() -> None:
    messages = [run_of(""), run_of("screen")]
    assert heard(messages) == messages
    assert fragment_of(messages[1]) == "screen"

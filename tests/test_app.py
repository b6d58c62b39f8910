"""What the server does to the messages of a page before Streamlit hears them."""

import asyncio
import gzip
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message
from streamlit.proto.BackMsg_pb2 import BackMsg

from app import Packed, whole_first


def heard(messages: Sequence[Message]) -> list[Message]:
    """What comes out of the other end."""
    sent = iter(messages)

    async def receive() -> Message:
        return next(sent)

    receiving = whole_first(receive)

    async def all_of_them() -> list[Message]:
        return [await receiving() for _ in messages]

    with ThreadPoolExecutor(1) as thread:  # in this one a browser of other tests may keep a loop
        return thread.submit(asyncio.run, all_of_them()).result()


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


def test_scripts_are_packed_once_and_all_else_is_sent_as_it_is() -> None:
    asked: list[str] = []
    script = "let x = 1;\n" * 500

    def answer(request: Request) -> Response:
        asked.append(request.url.path)
        found = "gone" not in request.url.path
        return Response(script if found else "", 200 if found else 404, {"ETag": "e"}, "text/javascript")

    client = TestClient(
        Starlette(routes=[Route("/{rest:path}", answer)], middleware=[Middleware(Packed)]),
        headers={"Accept-Encoding": "gzip"},
    )
    for _ in range(2):
        found = client.get("/static/js/a.js")
        assert found.text == script
        assert found.headers["content-encoding"] == "gzip"
        assert int(found.headers["content-length"]) == len(gzip.compress(script.encode()))
    assert asked == ["/static/js/a.js"]
    for path, headers in (
        ("/static/js/a.js", {"Accept-Encoding": "identity"}),
        ("/static/js/a.js", {"If-None-Match": "e"}),
        ("/static/js/a.js", {"Host": "localhost:8501"}),
        ("/static/media/a.woff2", {}),
        ("/media/a.js", {}),
        ("/static/js/gone.js", {}),
    ):
        answered = client.get(path, headers=headers)
        assert "content-encoding" not in answered.headers
        assert answered.status_code == (404 if "gone" in path else 200)

"""The server: ``streamlit run app.py``.

The screens are under pages/ and start in pages/menu.py; this file adds what a script cannot: security
headers, a cookie that lets a reloaded page find its rater again, a health check, and metrics.
"""

import asyncio
import gc
import gzip
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers as Headed
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from optimizer.config import Config
from optimizer.logs import configure
from optimizer.metrics import CONTENT_TYPE, SESSIONS, exposed

PERSON_COOKIE = "prompt_duel_person"
SCRIPT = Path(__file__).parent / "pages/parts/announced.js"
ONE_YEAR = 365 * 24 * 3600
LOCAL = ("localhost:", "127.0.0.1:", "[::1]:")  # how the address of a page on this machine begins

# Model outputs are drawn in the page, so nothing but our own origin may run, load or be sent to.
# (Streamlit's page has one inline script, a flag for crawlers, which is blocked and not missed.)
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "frame-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Headers:
    """Adds the security headers to every answer, and the cookie where a browser has none yet."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # a page, for as long as it is open
            with SESSIONS.track_inprogress():
                await self._app(scope, whole_first(receive), send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        newcomer = PERSON_COOKIE not in HTTPConnection(scope).cookies

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if newcomer and "text/html" in headers.get("content-type", ""):
                    secure = "; Secure" if scope.get("scheme") == "https" else ""
                    headers.append(
                        "Set-Cookie",
                        f"{PERSON_COOKIE}={secrets.token_urlsafe(18)}; Max-Age={ONE_YEAR}; "
                        f"Path=/; HttpOnly; SameSite=Lax{secure}",
                    )
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Packed:
    """Sends scripts and styles compressed, each packed once: a phone on a slow line waits a third as long.

    They are the files of Streamlit's page, few and never changed while the server runs; what people write is
    sent as it is, and so is everything to this machine's own browser, which would wait for the packing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._packed: dict[str, tuple[Message, bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_packable(scope):
            await self._app(scope, receive, send)
            return
        if scope["path"] not in self._packed:
            start, body = await self._whole(scope, receive)
            if start["status"] != 200:
                await send(start)
                await send({"type": "http.response.body", "body": body})
                return
            body = await asyncio.to_thread(gzip.compress, body)
            headers = MutableHeaders(scope=start)
            del headers["accept-ranges"]
            headers["Content-Encoding"], headers["Content-Length"] = "gzip", str(len(body))
            headers.add_vary_header("Accept-Encoding")
            self._packed[scope["path"]] = start, body
        start, body = self._packed[scope["path"]]
        await send({**start, "headers": list(start["headers"])})  # others add theirs
        await send({"type": "http.response.body", "body": body})

    async def _whole(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """The answer as the app gives it."""
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, keep)
        return sent[0], b"".join(message.get("body", b"") for message in sent[1:])

    def _is_packable(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET" or "/static/" not in scope["path"]:
            return False
        headers = Headed(scope=scope)
        if headers.get("host", "").startswith(LOCAL):
            return False
        wants_part = "range" in headers or "if-none-match" in headers or "if-modified-since" in headers
        takes = "gzip" in headers.get("accept-encoding", "") and not wants_part
        return takes and scope["path"].endswith((".js", ".css"))


def whole_first(receive: Receive) -> Receive:
    """The messages of a page, the first run that it asks for being one of the whole page.

    A page that was open when the server was restarted connects again by itself and asks, at the next press,
    for a run of the fragment that was pressed, which this process has never drawn: nothing would ever
    happen. A page that is loaded asks for the whole anyway.
    """
    begun = False

    async def received() -> Message:
        nonlocal begun
        message = await receive()
        if not begun and message.get("bytes"):
            told = BackMsg.FromString(message["bytes"])
            begun = told.HasField("rerun_script")
            if begun and told.rerun_script.fragment_id:
                told.rerun_script.fragment_id = ""
                told.rerun_script.is_auto_rerun = False
                return {**message, "bytes": told.SerializeToString()}
        return message

    return received


def read_database() -> None:
    """Build the services if need be and read. Imported late: the browser loads the page meanwhile."""
    from optimizer.assemble import services

    services().store.studies()


def open_services() -> None:
    """What a server does once when it starts."""
    from optimizer.assemble import services

    read_database()
    if services().sharing is not None:  # there may be other servers on this database
        services().elsewhere.start()


def healthz(_request: Request) -> PlainTextResponse:
    """Answers 200 when the database can be read."""
    read_database()
    return PlainTextResponse("ok")


def metrics(_request: Request) -> Response:
    """What Prometheus asks for. The proxy keeps the world from it."""
    return Response(exposed(), media_type=CONTENT_TYPE)


def script(_request: Request) -> Response:
    """The one script of our own that runs in the voting screen."""
    return FileResponse(SCRIPT, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


def keep_imported(_opening: asyncio.Task[None]) -> None:
    """Let the garbage collector look at what comes from now on."""
    gc.freeze()
    gc.enable()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Check the settings, open the database while the browser loads the page, close it at the end."""
    configure(Config.load().json_logs)
    # What is imported now stays. To look through it for garbage takes a fifth of the start, and later up to a
    # tenth of a second now and then, in the middle of somebody's vote.
    gc.disable()
    opening = asyncio.create_task(asyncio.to_thread(open_services))
    opening.add_done_callback(keep_imported)
    yield
    await opening

    from optimizer.assemble import forget_services

    forget_services()


app = st.App(
    "pages/menu.py",
    routes=[Route("/healthz", healthz), Route("/metrics", metrics), Route(f"/{SCRIPT.name}", script)],
    middleware=[Middleware(Headers), Middleware(Packed)],
    lifespan=lifespan,
)

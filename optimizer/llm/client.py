"""The ``openai`` library's client for one connection: no retries, no redirects, our headers only.

The key is put on the wire by a hook of ours, on requests to the connection's own host; the library
never holds it, and nothing that it reads from the environment (organisation, extra headers, keys of
other accounts) leaves for another server.
"""

import logging
import re

import httpx2
import openai

from optimizer.domain import Connection
from optimizer.errors import BadInput
from optimizer.llm.keys import OPENAI_ORIGIN, Key, origin

CONNECT_TIMEOUT_S = 10.0
RAW_HEADER = "x-stainless-raw-response"  # the library reads back from the request how to hand out the answer
SENT_HEADERS = frozenset(
    {"host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length"}
    | {RAW_HEADER}
)
OPENAI_HEADERS = frozenset({"openai-organization", "openai-project"})

# At DEBUG these log whole requests: prompts would end up in the logs.
for _name in ("openai", "httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def open_client(connection: Connection, key: Key | None) -> openai.OpenAI:
    """A client that is safe to share between threads. ``BadInput`` when the address is none."""
    here = web_origin(connection.server)
    allowed = SENT_HEADERS | (OPENAI_HEADERS if here == OPENAI_ORIGIN else frozenset())

    def sign(request: httpx2.Request) -> None:
        for name in [name for name in request.headers if name.lower() not in allowed]:
            del request.headers[name]
        if key is not None and origin(str(request.url)) == here:
            request.headers["authorization"] = f"Bearer {key.secret}"

    timeout = httpx2.Timeout(connection.timeout_s, connect=min(CONNECT_TIMEOUT_S, connection.timeout_s))
    return openai.OpenAI(
        api_key="set-by-hook",
        admin_api_key="",
        base_url=connection.server,
        timeout=timeout,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(
            event_hooks={"request": [sign]}, follow_redirects=False, timeout=timeout
        ),
    )


def web_origin(server: str) -> str:
    """The origin of a web address. ``BadInput`` when it is not one."""
    here = origin(server)
    if not re.fullmatch(r"https?://[^/]+", here):
        raise BadInput(f"'{server}' is not the address of a server. It looks like https://api.openai.com/v1.")
    return here

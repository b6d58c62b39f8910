"""A real HTTP server that plays an OpenAI-compatible one, with its faults.

In a test:

    with FakeServer(latency_s=0.05, reply=lambda body: "Yes.") as server:
        server.faults.extend([Fault.RATE_LIMITED, Fault.CUT])     # for the next two calls
        ... Connection("fake", server.url, "fake-model") ...
        assert server.answered == 3

As a process of its own, for browser tests and benchmarks; it prints its address, then serves:

    python tests/fakes/openai_server.py --port 0 --latency 0.2 --limit 50 --replies replies.json

``replies.json`` maps a part of the last message to the reply; other messages get one made of their
words. A model named ``fault-html`` always plays that fault. ``GET /_fake/counts`` tells what was
called, ``POST /_fake/faults`` with a JSON list of names sets the faults of the next calls.
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # when it is a process of its own

from tests.fakes.batches import FakeBatches

Body = dict[str, Any]
MODELS = ("fake-large", "fake-model", "fake-small")


class Fault(StrEnum):
    KEY_REFUSED = "key_refused"  # 401, quoting the key
    FORBIDDEN = "forbidden"  # 403
    NO_MODEL = "no_model"  # 404, naming the model
    NO_PATH = "no_path"  # 404, a web page
    RATE_LIMITED = "rate_limited"  # 429, Retry-After: 1
    RATE_LIMITED_SOON = "rate_limited_soon"  # 429, retry-after-ms: 50
    RATE_LIMITED_LONG = "rate_limited_long"  # 429, Retry-After: 3600
    RATE_LIMITED_SILENT = "rate_limited_silent"  # 429, no Retry-After
    QUOTA = "quota"  # 429 insufficient_quota
    BROKEN = "broken"  # 500
    BUSY = "busy"  # 503
    HANG = "hang"  # no answer until the client gives up
    CUT = "cut"  # the connection ends in mid-answer
    DROP = "drop"  # the connection ends before the answer
    MALFORMED = "malformed"  # 200, broken JSON
    HTML = "html"  # 200, a web page
    NO_CHOICES = "no_choices"
    NO_USAGE = "no_usage"
    NO_FINISH = "no_finish"  # finish_reason null
    FILTERED = "filtered"  # finish_reason content_filter
    REFUSED = "refused"  # message.refusal
    EMPTY = "empty"
    LENGTH = "length"  # finish_reason length
    ENDLESS = "endless"  # an answer of many megabytes
    DRIP = "drip"  # a byte now and then, for ever
    TOO_LONG = "too_long"  # 400 context_length_exceeded
    NO_SCHEMA = "no_schema"  # 400 on response_format
    REDIRECT = "redirect"  # 307 to another host


class FakeServer:
    """Started by ``with``; every attribute may be changed while it runs."""

    def __init__(
        self,
        *,
        latency_s: float = 0.0,
        reply: Callable[[Body], str] | None = None,
        limit_per_s: int | None = None,
        key: str | None = None,
        port: int = 0,
    ) -> None:
        self.latency_s = latency_s
        self.reply = reply or wordy
        self.limit_per_s = limit_per_s  # more calls in any second get a 429 with Retry-After: 1
        self.key = key  # where set, every other key is refused
        self.new_dialect = False  # refuses max_tokens and stream_options, as some models do
        self.drip_s = 0.02
        self.piece_s = 0.0  # pause between pieces of a stream
        self.faults: deque[Fault] = deque()
        self.requests: deque[Body] = deque(maxlen=20_000)  # bodies of chat calls
        self.headers: deque[dict[str, str]] = deque(maxlen=20_000)
        self.statuses: Counter[int] = Counter()  # of chat calls
        self.answers: Counter[str] = Counter()  # whole answers sent, by the body's digest
        self.times: list[float] = []  # when chat calls were admitted
        self.most_at_once = 0
        self._at_once = 0
        self._window: deque[float] = deque()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.batches = FakeBatches(self._answer_one)
        self._http = _Server(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def _answer_one(self, body: Body) -> Body:
        self.note(200)
        self.note_answer(body)
        return completion(self.reply(body), body, None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def calls(self) -> int:
        """Chat calls of any outcome."""
        return sum(self.statuses.values())

    @property
    def answered(self) -> int:
        """Whole answers sent: what a real server would bill."""
        return self.answers.total()

    def __enter__(self) -> "FakeServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def serve_forever(self) -> None:
        self._http.serve_forever()

    def admit(self) -> bool:
        """Is a call within the limit of the last second?"""
        now = time.monotonic()
        with self.lock:
            while self._window and self._window[0] <= now - 1.0:
                self._window.popleft()
            if self.limit_per_s is not None and len(self._window) >= self.limit_per_s:
                return False
            self._window.append(now)
            self.times.append(now)
            return True

    def count(self, step: int) -> None:
        with self.lock:
            self._at_once += step
            self.most_at_once = max(self.most_at_once, self._at_once)

    def next_fault(self, model: str) -> Fault | None:
        if model.startswith("fault-"):
            return Fault(model.removeprefix("fault-").replace("-", "_"))
        with self.lock:
            return self.faults.popleft() if self.faults else None

    def note(self, status: int) -> None:
        with self.lock:
            self.statuses[status] += 1

    def note_answer(self, body: Body) -> None:
        digest = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        with self.lock:
            self.answers[digest] += 1

    def counts(self) -> Body:
        with self.lock:
            return {
                "calls": sum(self.statuses.values()),
                "answered": self.answers.total(),
                "most_of_one_request": max(self.answers.values(), default=0),
                "most_at_once": self.most_at_once,
                "statuses": {str(status): n for status, n in self.statuses.items()},
            }


def wordy(body: Body) -> str:
    """A reply that depends on the request alone and quotes nothing of it at length."""
    digest = sha256(json.dumps(body["messages"]).encode()).hexdigest()
    last = str(body["messages"][-1]["content"]).split()
    return f"Answer {digest[:8]} on {len(last)} words, first of them '{last[0] if last else ''}'."


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are part of the game."""


def _handler(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path == "/_fake/counts":
                self.send_json(200, server.counts())
            elif self.path == "/v1/models":
                if not self.key_fits():
                    return
                rows = [{"id": name, "object": "model"} for name in MODELS]
                self.send_json(200, {"object": "list", "data": rows})
            elif self.path.startswith(("/v1/batches", "/v1/files")) and self.key_fits():
                self.get_batch()
            else:
                self.send_page(404)

        def get_batch(self) -> None:
            batches, parts = server.batches, self.path.partition("?")[0].split("/")
            if len(parts) == 3:
                rows = list(batches.batches.values())
                self.send_json(200, {"object": "list", "data": rows, "has_more": False})
            elif parts[2] == "batches" and parts[3] in batches.batches:
                self.send_json(200, batches.look(parts[3]))
            elif parts[2] == "files" and parts[3] in batches.files:
                self.send_raw(200, batches.files[parts[3]], {"Content-Type": "application/jsonl"})
            else:
                self.send_error_json(404, "No such thing.")

        def post_batch(self, raw: bytes) -> None:
            batches, parts = server.batches, self.path.split("/")
            if parts[2] == "files":
                self.send_json(200, batches.upload(raw, self.headers["content-type"]))
            elif len(parts) == 3:
                made = batches.create(json.loads(raw))
                if batches.silent:
                    self.close_connection = True
                    return
                self.send_json(200, made)
            else:
                self.send_json(200, batches.cancel(parts[3]))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path.startswith(("/v1/batches", "/v1/files")):
                if self.key_fits():
                    self.post_batch(raw)
                return
            body = json.loads(raw) if raw else {}
            if self.path == "/_fake/faults":
                server.faults.extend(Fault(name) for name in body)
                self.send_json(200, {})
            elif self.path == "/v1/embeddings":
                self.embed(body)
            elif self.path == "/v1/chat/completions":
                server.count(1)
                try:
                    self.chat(body)
                finally:
                    server.count(-1)
            else:
                self.send_page(404)

        # -- answers ------------------------------------------------------------------------
        def chat(self, body: Body) -> None:
            server.requests.append(body)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            if not self.key_fits():
                return
            if not server.admit():
                server.note(429)
                self.send_error_json(429, "Too fast.", {"Retry-After": "1"})
                return
            fault = server.next_fault(str(body.get("model", "")))
            if server.latency_s:
                server.stopping.wait(server.latency_s)
            if fault is not None and self.play_status(fault, body):
                return
            if server.new_dialect and self.refuse_old_dialect(body):
                return
            server.note(200)
            if fault is not None and self.play_wire(fault, body):
                return
            answer = completion(server.reply(body), body, fault)
            if fault is not Fault.CUT:
                server.note_answer(body)  # before the client can look at the count
            if body.get("stream"):
                self.stream(answer, fault)
            else:
                self.send_json(200, answer)

        def refuse_old_dialect(self, body: Body) -> bool:
            for old, new in (("max_tokens", "max_completion_tokens"), ("stream_options", "nothing")):
                if old in body:
                    server.note(400)
                    self.send_error_json(400, f"Unsupported parameter: '{old}'. Use '{new}' instead.")
                    return True
            return False

        def play_status(self, fault: Fault, body: Body) -> bool:
            """Play a fault that is a status; False when the fault is another kind."""
            key = self.headers.get("authorization", "")
            model = body.get("model")
            known: dict[Fault, tuple[int, str, dict[str, str], str]] = {
                Fault.KEY_REFUSED: (401, f"Incorrect API key provided: {key}.", {}, "invalid_api_key"),
                Fault.FORBIDDEN: (403, f"Not allowed with {key}.", {}, ""),
                Fault.NO_MODEL: (404, f"The model `{model}` does not exist.", {}, "model_not_found"),
                Fault.RATE_LIMITED: (429, "Slow down.", {"Retry-After": "1"}, ""),
                Fault.RATE_LIMITED_SOON: (429, "Slow down.", {"retry-after-ms": "50"}, ""),
                Fault.RATE_LIMITED_LONG: (429, "Come back later.", {"Retry-After": "3600"}, ""),
                Fault.RATE_LIMITED_SILENT: (429, "Slow down.", {}, ""),
                Fault.QUOTA: (429, "You exceeded your current quota.", {}, "insufficient_quota"),
                Fault.BROKEN: (500, "Something broke.", {}, ""),
                Fault.BUSY: (503, "Overloaded.", {}, ""),
                Fault.TOO_LONG: (400, "Maximum context length exceeded.", {}, "context_length_exceeded"),
                Fault.NO_SCHEMA: (400, "response_format json_schema is not supported.", {}, ""),
            }
            if fault is Fault.NO_PATH:
                server.note(404)
                self.send_page(404)
                return True
            if fault is Fault.REDIRECT:
                server.note(307)
                self.send_raw(307, b"", {"Location": "http://elsewhere.invalid/v1/chat/completions"})
                return True
            if fault not in known:
                return False
            status, message, headers, code = known[fault]
            server.note(status)
            self.send_error_json(status, message, headers, code)
            return True

        def play_wire(self, fault: Fault, body: Body) -> bool:
            """Play a fault of the wire; False when the fault is in the answer, or none."""
            if fault is Fault.HANG:
                server.stopping.wait(30.0)
            elif fault is Fault.HTML:
                self.send_page(200)
            elif fault is Fault.MALFORMED:
                self.send_raw(200, b'{"id": "x", "choices": [{"mess', {"Content-Type": "application/json"})
            elif fault is Fault.DRIP:
                self.open_chunked("application/json")
                while not server.stopping.wait(server.drip_s):
                    self.chunk(b" ")
            elif fault is Fault.CUT and not body.get("stream"):
                self.write_head(200, {"Content-Type": "application/json", "Content-Length": "500"})
                self.wfile.write(b'{"id": "x", "choices": [')
            elif fault is Fault.ENDLESS:
                self.open_chunked("application/json")
                self.chunk(b'{"choices": [{"message": {"content": "')
                for _ in range(80):
                    self.chunk(b"words " * 16_000)
                self.chunk(b'"}, "finish_reason": "stop"}]}')
                self.chunk(b"")
                return True
            elif fault is not Fault.DROP:
                return False
            if fault in (Fault.HANG, Fault.DRIP, Fault.CUT, Fault.DROP):
                self.close_connection = True
            return True

        def stream(self, answer: Body, fault: Fault | None) -> None:
            choice = answer["choices"][0] if answer["choices"] else {}
            text = choice.get("message", {}).get("content") or ""
            self.open_chunked("text/event-stream")
            pieces = [text[start : start + 12] for start in range(0, len(text), 12)]
            for n, piece in enumerate(pieces):
                if fault is Fault.CUT and n >= len(pieces) // 2:
                    self.chunk(b"")
                    return
                self.event(answer, {"delta": {"content": piece}, "index": 0, "finish_reason": None})
                if server.piece_s:
                    server.stopping.wait(server.piece_s)
            end = {"delta": {}, "index": 0, "finish_reason": choice.get("finish_reason")}
            self.event(answer, end)
            if "usage" in answer:
                self.event(answer | {"usage": answer["usage"]}, None)
            self.chunk(b"data: [DONE]\n\n")
            self.chunk(b"")

        def event(self, answer: Body, choice: Body | None) -> None:
            data = {
                "id": answer["id"],
                "object": "chat.completion.chunk",
                "model": answer["model"],
                "choices": [] if choice is None else [choice],
            }
            if choice is None:
                data["usage"] = answer["usage"]
            self.chunk(f"data: {json.dumps(data)}\n\n".encode())

        def embed(self, body: Body) -> None:
            rows = []
            for index, text in enumerate(body["input"]):
                digest = sha256(text.encode()).digest()
                rows.append({"index": index, "embedding": [byte - 127.5 for byte in digest[:8]]})
            rows.reverse()  # the order is not promised
            self.send_json(200, {"object": "list", "data": rows, "model": body["model"]})

        # -- the wire -----------------------------------------------------------------------
        def key_fits(self) -> bool:
            if server.key is None or self.headers.get("authorization") == f"Bearer {server.key}":
                return True
            server.note(401)
            self.send_error_json(401, f"Incorrect API key: {self.headers.get('authorization')}")
            return False

        def send_json(self, status: int, data: object, headers: dict[str, str] | None = None) -> None:
            self.send_raw(
                status, json.dumps(data).encode(), {"Content-Type": "application/json"} | (headers or {})
            )

        def send_error_json(
            self, status: int, message: str, headers: dict[str, str] | None = None, code: str = ""
        ) -> None:
            error = {"message": message, "type": "error", "code": code or None}
            self.send_json(status, {"error": error}, headers)

        def send_page(self, status: int) -> None:
            self.send_raw(status, b"<html><body>Not here</body></html>", {"Content-Type": "text/html"})

        def send_raw(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.write_head(status, headers | {"Content-Length": str(len(content))}, content)

        def write_head(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
            lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
            self.wfile.write("\r\n".join([*lines, "", ""]).encode() + content)

        def open_chunked(self, content_type: str) -> None:
            self.write_head(200, {"Content-Type": content_type, "Transfer-Encoding": "chunked"})

        def chunk(self, content: bytes) -> None:
            """One chunk; an empty one ends the answer."""
            self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")

    return Handler


def completion(text: str, body: Body, fault: Fault | None) -> Body:
    """A ``chat.completion`` object, with a fault in it if asked."""
    message: Body = {"role": "assistant", "content": text}
    finish: str | None = "stop"
    if fault is Fault.FILTERED:
        message["content"], finish = "", "content_filter"
    elif fault is Fault.REFUSED:
        message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    elif fault is Fault.EMPTY:
        message["content"] = "  "
    elif fault is Fault.LENGTH:
        finish = "length"
    elif fault is Fault.NO_FINISH:
        finish = None
    sent = sum(len(str(m["content"]).split()) for m in body["messages"])
    received = len(str(message["content"] or "").split())
    answer: Body = {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 0,
        "model": f"{body['model']}-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": sent,
            "completion_tokens": received,
            "total_tokens": sent + received,
        },
    }
    if body.get("logprobs"):
        tokens = [
            {"token": word, "logprob": -0.5, "top_logprobs": [{"token": word, "logprob": -0.5}]}
            for word in text.split()
        ]
        answer["choices"][0]["logprobs"] = {"content": tokens}
    if fault is Fault.NO_CHOICES:
        answer["choices"] = []
    if fault is Fault.NO_USAGE:
        del answer["usage"]
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description="Play an OpenAI-compatible server.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--limit", type=int, help="calls a second; more get 429")
    parser.add_argument("--size", type=int, help="make every reply so many characters")
    parser.add_argument("--replies", type=Path, help="JSON: part of the last message -> reply")
    parser.add_argument("--piece", type=float, default=0.0, help="seconds between pieces of a stream")
    options = parser.parse_args()
    replies: dict[str, str] = json.loads(options.replies.read_text()) if options.replies else {}

    def reply(body: Body) -> str:
        last = str(body["messages"][-1]["content"])
        found = next((text for part, text in replies.items() if part in last), wordy(body))
        return (found * (options.size // len(found) + 1))[: options.size] if options.size else found

    server = FakeServer(latency_s=options.latency, reply=reply, limit_per_s=options.limit, port=options.port)
    server.piece_s = options.piece
    print(server.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

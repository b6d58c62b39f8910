"""A connection to write or to change: its fields, a trial, and the service call behind Save."""

import streamlit as st

from optimizer.domain import Connection
from optimizer.errors import PromptDuelError
from pages.parts import keys, labels, notices
from pages.parts.access import Visit

EDITING = "editing_connection"  # the name of the one that is open; NEW for a new one
NEW = ":new"
EMPTY = Connection("", "", "")
ADDRESSES = """
Any server that speaks OpenAI's chat completions. Its address mostly ends in /v1:
`https://api.openai.com/v1`; on your own machine `http://localhost:11434/v1` (Ollama),
`http://localhost:8000/v1` (vLLM), `http://localhost:1234/v1` (LM Studio).
"""


def open_form(name: str) -> None:
    """Open the form for this connection, or ``NEW``. For callbacks."""
    st.session_state[EDITING] = name


def close() -> None:
    st.session_state[EDITING] = ""


def draw(visit: Visit, old: Connection | None) -> None:
    """The form for a connection that exists, or for a new one."""
    prefix = f"connection_{old.name}" if old else "connection:new"
    before = old or EMPTY
    with st.container(border=True, key="connection_form"):
        st.subheader(f"Edit {labels.plain(before.name)}" if old else "New connection", anchor=False)
        left, right = st.columns(2, gap="large")
        with left:
            _who(visit, prefix, before)
        with right:
            _how(prefix, before)
            said = st.container()  # in sight beside the fields, also on a small screen
        with st.container(horizontal=True):
            st.button("Save", type="primary", key=f"{prefix}_save", on_click=_save, args=(visit, prefix, old))
            tried = st.button(
                "Test the connection",
                icon=":material/network_check:",
                key=f"{prefix}_test",
                on_click=_take,
                args=(prefix,),
            )
            st.button("Close", key=f"{prefix}_close", on_click=close)
        if tried:
            with said:
                trial(visit, typed_in(prefix, before))


def trial(visit: Visit, connection: Connection) -> None:
    """One short call: the reply, how long it took, or what went wrong."""
    try:
        with st.spinner("Waiting for an answer…", show_time=True):
            came = visit.services.connections.test(connection, keys.typed(visit))
    except PromptDuelError as error:
        st.error(labels.plain(str(error)), icon=":material/error:")
        return
    model, text = labels.plain(came.model), labels.plain(came.text)
    st.success(f"{model} answered in {came.latency_ms:,.0f} ms: {text}", icon=":material/check_circle:")


def typed_in(prefix: str, old: Connection) -> Connection:
    """The connection as the form says; a connection keeps its name."""

    def text(name: str) -> str:
        return str(st.session_state.get(f"{prefix}_{name}") or "").strip()

    def number(name: str) -> float | None:
        value = st.session_state.get(f"{prefix}_{name}")
        return None if value is None else float(value)

    def whole(name: str) -> int | None:
        value = number(name)
        return None if value is None else int(value)

    return Connection(
        old.name or text("name"),
        text("server"),
        text("model"),
        number("temperature"),
        whole("max_tokens"),
        number("input_price"),
        number("output_price"),
        whole("concurrency") or EMPTY.concurrency,
        whole("requests_per_minute"),
        whole("tokens_per_minute"),
        number("timeout_s") or EMPTY.timeout_s,
        old.created_at,
    )


def _who(visit: Visit, prefix: str, old: Connection) -> None:
    st.text_input(
        "Name", old.name, key=f"{prefix}_name", disabled=bool(old.name), max_chars=60, placeholder="My model"
    )
    st.text_input(
        "Server",
        old.server,
        key=f"{prefix}_server",
        placeholder="https://api.openai.com/v1",
        help=ADDRESSES,
    )
    keys.field(prefix, _take, prefix)
    st.markdown(keys.badge(visit, typed_in(prefix, old)))
    st.text_input("Model", old.model, key=f"{prefix}_model", placeholder="As the server calls it")
    listing = st.button(
        "List the models", icon=":material/list:", key=f"{prefix}_list", on_click=_take, args=(prefix,)
    )
    if listing:
        _list_models(visit, prefix, old)
    offered = st.session_state.get(f"{prefix}_offered", [])
    if offered:
        st.selectbox(
            f"The server offers {labels.counted(len(offered), 'model')}",
            offered,
            None,
            key=f"{prefix}_pick",
            placeholder="Choose one",
            on_change=_pick,
            args=(prefix,),
        )


def _how(prefix: str, old: Connection) -> None:
    left, right = st.columns(2)
    left.number_input(
        "Temperature",
        0.0,
        2.0,
        old.temperature,
        0.1,
        "%g",
        key=f"{prefix}_temperature",
        placeholder="Its own",
    )
    right.number_input(
        "Longest answer, tokens",
        1,
        1_000_000,
        old.max_tokens,
        key=f"{prefix}_max_tokens",
        placeholder="No limit",
        help="An answer that is cut off here is held back. Budgets in tokens and money need a limit.",
    )
    for column, name, value, label in (
        (left, "input_price", old.input_price, "Price in, per million tokens"),
        (right, "output_price", old.output_price, "Price out, per million tokens"),
    ):
        column.number_input(
            label, 0.0, 1e6, value, 0.1, "%g", key=f"{prefix}_{name}", placeholder="Not known"
        )
    left.number_input(
        "Calls at once",
        1,
        256,
        old.concurrency,
        key=f"{prefix}_concurrency",
        help="Over everything that uses this connection.",
    )
    right.number_input(
        "Give a call up after, seconds", 1.0, 3600.0, old.timeout_s, 10.0, "%g", key=f"{prefix}_timeout_s"
    )
    for column, name, limit, label in (
        (left, "requests_per_minute", old.requests_per_minute, "Calls per minute"),
        (right, "tokens_per_minute", old.tokens_per_minute, "Tokens per minute"),
    ):
        column.number_input(label, 1, 1_000_000_000, limit, key=f"{prefix}_{name}", placeholder="No limit")


def _list_models(visit: Visit, prefix: str, old: Connection) -> None:
    try:
        with st.spinner("Asking the server…"):
            found = visit.services.connections.models(typed_in(prefix, old), keys.typed(visit))
    except PromptDuelError as error:
        st.error(labels.plain(str(error)), icon=":material/error:")
        return
    st.session_state[f"{prefix}_offered"] = list(found)
    if not found:
        st.info("The server lists no models. Type the name of one.")


def _pick(prefix: str) -> None:
    st.session_state[f"{prefix}_model"] = st.session_state[f"{prefix}_pick"] or ""


def _take(prefix: str) -> None:
    _taken(prefix)


def _taken(prefix: str) -> bool:
    return keys.take(prefix, str(st.session_state.get(f"{prefix}_server") or ""))


def _save(visit: Visit, prefix: str, old: Connection | None) -> None:
    connection, known = typed_in(prefix, old or EMPTY), visit.services.connections
    keep = known.put if old else known.add
    if _taken(prefix) and notices.attempt(lambda: keep(connection), f"'{connection.name}' is saved."):
        close()

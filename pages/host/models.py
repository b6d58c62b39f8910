"""The connections to model servers: who answers, at what price, within which limits, and whether it works."""

import streamlit as st

from optimizer.domain import Connection
from pages.parts import access, connection_form, frame, keys, labels, notices


def limits(connection: Connection) -> str:
    """How it is called, in a line."""
    facts = [
        None if connection.temperature is None else f"temperature {connection.temperature:g}",
        None if connection.max_tokens is None else f"answers up to {connection.max_tokens:,} tokens",
        f"{connection.concurrency} at once",
        None if connection.requests_per_minute is None else f"{connection.requests_per_minute:,} calls/min",
        None if connection.tokens_per_minute is None else f"{connection.tokens_per_minute:,} tokens/min",
    ]
    prices = connection.input_price, connection.output_price
    facts.append(
        "no prices" if None in prices else "per million tokens ${:,.2f} in, ${:,.2f} out".format(*prices)
    )
    return labels.plain(" · ".join(fact for fact in facts if fact))


def remove(name: str) -> None:
    notices.attempt(
        lambda: visit.services.connections.remove(name), f"'{name}' is removed. Its outputs stay."
    )


def take_key(prefix: str, connection: Connection) -> None:
    keys.take(prefix, connection.server)


def draw_key(connection: Connection) -> None:
    prefix = f"card_{connection.name}"
    with st.popover("Key", icon=":material/key:"):
        keys.field(prefix, take_key, prefix, connection)
        with st.container(horizontal=True):
            st.button(
                "Use this key",
                type="primary",
                key=f"{prefix}_use",
                on_click=take_key,
                args=(prefix, connection),
            )
            st.button("Forget it", key=f"{prefix}_forget", on_click=keys.forget, args=(connection.server,))
        st.caption(keys.places(connection))


def draw_connection(connection: Connection) -> None:
    name = connection.name
    with st.container(border=True, key=f"card_{name}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"**{labels.plain(name)}** {keys.badge(visit, connection)}", width="stretch")
            tried = st.button("Test the connection", key=f"test_{name}", icon=":material/network_check:")
            if not connection.server.startswith("scripted:"):
                draw_key(connection)
            st.button("Edit", key=f"edit_{name}", on_click=connection_form.open_form, args=(name,))
            with st.popover("Remove"):
                st.markdown("Studies that use it cannot generate until they get another one.")
                st.button("Remove it", key=f"remove_{name}", on_click=remove, args=(name,), type="primary")
        st.markdown(labels.plain(f"{connection.model} at {connection.server}").replace("://", ":/\u2060/"))
        st.caption(limits(connection))
        if tried:
            connection_form.trial(visit, connection)


visit = access.host()
frame.style()
notices.draw()
known = visit.services.connections.all()

st.header("Models", anchor=False)
st.caption(
    "Connections to models that answer prompts and judge duels: any server that speaks OpenAI's chat "
    "completions, on the web or on your own machine. Keys are never stored with them."
)
editing = st.session_state.get(connection_form.EDITING)
opened = next((connection for connection in known if connection.name == editing), None)
if editing == connection_form.NEW or opened is not None:
    connection_form.draw(visit, opened)
else:
    st.button(
        "New connection",
        type="primary",
        icon=":material/add:",
        key="new_connection",
        on_click=connection_form.open_form,
        args=(connection_form.NEW,),
    )
if not known and editing != connection_form.NEW:
    st.info(
        "There is no connection yet. Without one, outputs come from files: see Outputs.",
        icon=":material/hub:",
    )
for connection in known:
    if connection != opened:
        draw_connection(connection)

"""Keys of model servers: typed by a person, and then in this session's memory alone; or in the secrets file.

A typed key passes through its field once: a callback takes it out of there, so that neither the page nor
a widget's state holds it any longer. No key is ever drawn.
"""

from collections.abc import Callable, Mapping

import streamlit as st

from optimizer.domain import Connection
from optimizer.errors import BadInput
from optimizer.llm.keys import Key, key_variable, origin
from pages.parts import labels, notices
from pages.parts.access import Visit

TYPED = "typed_keys"


def typed(visit: Visit) -> Mapping[str, str]:
    """This session's keys by server, for every call of a service that calls models; the services get to
    know those of the secrets file here, too."""
    visit.services.connections.use_secrets(_secrets_file())
    return dict(st.session_state.get(TYPED, {}))


def field(prefix: str, taken: Callable[..., None], *args: object) -> None:
    """Where a key is typed; ``taken`` is the caller's callback that calls ``take``."""
    st.text_input(
        "Key",
        key=f"{prefix}_key",
        type="password",
        autocomplete="off",
        placeholder="Only if the server wants one",
        help="Kept in the memory of this session until you close the page; written down nowhere.",
        on_change=taken,
        args=args,
    )


def take(prefix: str, server: str) -> bool:
    """Remember what was typed for this server, and empty the field; without a server it waits for one.
    For callbacks; False when it cannot be a key."""
    secret = (st.session_state.get(f"{prefix}_key") or "").strip()
    if not secret or not server.strip():
        return True
    st.session_state[f"{prefix}_key"] = ""

    def remember() -> None:
        known = st.session_state.setdefault(TYPED, {})
        known[origin(server)] = Key(secret).secret

    return notices.attempt(remember, "The key is kept in memory until you close the page.")


def forget(server: str) -> None:
    """Forget the key that was typed for this server. For callbacks."""
    st.session_state.get(TYPED, {}).pop(origin(server), None)


def badge(visit: Visit, connection: Connection) -> str:
    """Where the key of a connection comes from, as Markdown; never the key."""
    if connection.server.startswith("scripted:"):
        return ":orange-badge[scripted: no model answers]"
    try:
        source = visit.services.connections.key_source(connection, typed(visit))
    except BadInput:  # an address that is not one yet
        source = None
    return f":green-badge[key: {labels.plain(source)}]" if source else ":gray-badge[no key]"


def places(connection: Connection) -> str:
    """Where a key can be put so that it outlives the session."""
    return (
        f"To keep a key beyond this session, set `{key_variable(connection.name)}` in the environment, or "
        "put it under `[keys]` in `.streamlit/secrets.toml` by the connection's name."
    )


def _secrets_file() -> dict[str, str]:
    """The table ``keys`` of .streamlit/secrets.toml; empty without one."""
    if not st.secrets.load_if_toml_exists():
        return {}
    table = st.secrets.get("keys")
    return {str(name): str(key) for name, key in table.items()} if isinstance(table, Mapping) else {}

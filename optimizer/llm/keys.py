"""Keys: found where a person put them, sent to the one server they are for, shown nowhere.

Looked for in this order: typed in this session; the environment; the app's secrets file. A key
typed for a server is remembered by the server's origin, so editing a connection's address never
sends the key elsewhere; ``OPENAI_API_KEY`` goes to api.openai.com alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from optimizer.domain import Connection
from optimizer.errors import BadInput

KEY_PREFIX = "PROMPT_DUEL_KEY_"
OPENAI_KEY = "OPENAI_API_KEY"
OPENAI_ORIGIN = "https://api.openai.com"
MIN_LENGTH = 4  # shorter strings would be blotted out of ordinary words


@dataclass(frozen=True, slots=True)
class Key:
    """A secret that neither ``str`` nor ``repr`` shows. ``BadInput`` when no server could accept it."""

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < MIN_LENGTH:
            raise BadInput(f"The key is too short: {MIN_LENGTH} characters at least.")
        if not re.fullmatch(r"[\x21-\x7e]+", self.secret):
            raise BadInput("The key holds a blank, a line break or a letter that no key has. Copy it again.")

    def redact(self, text: str) -> str:
        """The text without the key, in case a server quoted it."""
        return text.replace(self.secret, "[key]")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of an installation: its environment, and the ``keys`` table of its secrets file."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def find(self, connection: Connection, typed: Mapping[str, str] | None = None) -> Key | None:
        """The key for a connection, or None. ``typed`` holds this session's keys by ``origin``."""
        found = self._look(connection, typed or {})
        return None if found is None else Key(found[1])

    def source(self, connection: Connection, typed: Mapping[str, str] | None = None) -> str | None:
        """Where the key for a connection comes from, in words; None without one."""
        found = self._look(connection, typed or {})
        return None if found is None else found[0]

    def _look(self, connection: Connection, typed: Mapping[str, str]) -> tuple[str, str] | None:
        here, variable = origin(connection.server), key_variable(connection.name)
        openai = self.environment.get(OPENAI_KEY) if here == OPENAI_ORIGIN else None
        places = (
            ("typed in this session", typed.get(here)),
            (f"{variable} in the environment", self.environment.get(variable)),
            (f"{OPENAI_KEY} in the environment", openai),
            ("the secrets file", self.secrets.get(connection.name)),
        )
        return next(((where, key.strip()) for where, key in places if key and key.strip()), None)


def origin(server: str) -> str:
    """Scheme, host and port of a server's address, in lower case, a scheme's usual port left out.

    ``BadInput`` for what cannot be an address.
    """
    try:
        parts = urlsplit(server.strip())
        number = parts.port
    except ValueError as error:
        raise BadInput(f"'{server}' is not the address of a server: {error}.") from error
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if number is None or number == usual else f":{number}"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def key_variable(name: str) -> str:
    """The environment variable that holds a connection's key: its name in capitals, the rest as _."""
    return KEY_PREFIX + re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")

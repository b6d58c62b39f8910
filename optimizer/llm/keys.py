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
        here = origin(connection.server)
        found = (
            (typed or {}).get(here)
            or self.environment.get(key_variable(connection.name))
            or (self.environment.get("OPENAI_API_KEY") if here == OPENAI_ORIGIN else None)
            or self.secrets.get(connection.name)
        )
        return Key(found.strip()) if found and found.strip() else None


def origin(server: str) -> str:
    """Scheme, host and port of a server's address, in lower case, a scheme's usual port left out."""
    parts = urlsplit(server.strip())
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port is None or parts.port == usual else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def key_variable(name: str) -> str:
    """The environment variable that holds a connection's key: its name in capitals, the rest as _."""
    return KEY_PREFIX + re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")

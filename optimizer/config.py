"""The settings of an installation: environment variables that start with PROMPT_DUEL_.

``SETTINGS`` is the whole list, but for keys of model servers: PROMPT_DUEL_KEY_<NAME> is that of the
connection <name>, and OPENAI_API_KEY that of api.openai.com. Nothing else in the project reads the
environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from optimizer.errors import BadInput

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "PROMPT_DUEL_"
KEY_PREFIX = f"{PREFIX}KEY_"
OPENAI_KEY = "OPENAI_API_KEY"


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable, without its prefix; relative paths start at the project's folder."""

    name: str
    default: str
    about: str


SETTINGS: tuple[Setting, ...] = (
    Setting("DATA_DIR", "data/local", "Folder that holds the database; made if it does not exist."),
    Setting("DATABASE_URL", "", "Where studies are kept; empty means a SQLite file in DATA_DIR."),
    Setting("SAMPLES_DIR", "data/samples", "Folder of the sample studies."),
    Setting("MIN_VIEW_MS", "700", "A vote counts only when the pair has been on screen for this long."),
    Setting("AHEAD_MS", "50", "The next pair is drawn ahead while a vote takes the server less; 0: never."),
    Setting("MAX_UPLOAD_MB", "64", "Largest file that may be imported, in megabytes."),
    Setting("HOST_PASSWORD", "", "Needed for all but rating: a password, or its argon2 hash."),
    Setting("HOSTS", "", "Who hosts of those who log in by OpenID Connect: e-mail addresses, by commas."),
    Setting("WORK", "here", "Who generates, judges and evolves: here, or queue (for workers; PostgreSQL)."),
    Setting("LOG_FORMAT", "text", "How events are logged: text, or json (one object to a line)."),
    Setting("PUBLIC_URL", "", "The address by which raters reach this server, for links to sessions."),
)


@dataclass(frozen=True, slots=True)
class Config:
    """What ``assemble`` needs to know."""

    data_dir: Path
    database_url: str = field(repr=False)  # may hold a password
    samples_dir: Path
    min_view_ms: int
    ahead_ms: int
    max_upload_bytes: int
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)  # by variable; secret
    host_password: str = field(default="", repr=False)
    hosts: frozenset[str] = frozenset()  # e-mail addresses, casefolded
    public_url: str = ""
    queued: bool = False  # background work is for workers
    json_logs: bool = False

    @classmethod
    def load(cls, env: Mapping[str, str] | None = None) -> "Config":
        """From the environment. ``BadInput`` names a variable that is unknown, or whose value is wrong."""
        env = os.environ if env is None else env
        values = _values(env)
        data_dir = ROOT / values["DATA_DIR"]
        database_url = values["DATABASE_URL"] or f"sqlite:///{data_dir / 'prompt-duel.db'}"
        return cls(
            data_dir=data_dir,
            database_url=database_url,
            samples_dir=ROOT / values["SAMPLES_DIR"],
            min_view_ms=_whole("MIN_VIEW_MS", values, 0),
            ahead_ms=_whole("AHEAD_MS", values, 0),
            max_upload_bytes=_whole("MAX_UPLOAD_MB", values, 1) * 1024 * 1024,
            keys={
                name: key for name, key in env.items() if name.startswith(KEY_PREFIX) or name == OPENAI_KEY
            },
            host_password=values["HOST_PASSWORD"],
            hosts=frozenset(host.strip().casefold() for host in values["HOSTS"].split(",") if host.strip()),
            public_url=_address("PUBLIC_URL", values),
            queued=_queued(values, database_url),
            json_logs=_one_of("LOG_FORMAT", values, ("text", "json")) == "json",
        )


def _values(env: Mapping[str, str]) -> dict[str, str]:
    values = {setting.name: setting.default for setting in SETTINGS}
    for variable, value in env.items():
        if not variable.startswith(PREFIX) or variable.startswith(KEY_PREFIX):
            continue
        name = variable.removeprefix(PREFIX)
        if name not in values:
            near = get_close_matches(name, values, n=1, cutoff=0.5)
            hint = f"Did you mean {PREFIX}{near[0]}?" if near else f"Known are {', '.join(values)}."
            raise BadInput(f"There is no setting {variable}. {hint}")
        if value.strip():
            values[name] = value.strip()
    return values


def _one_of(name: str, values: Mapping[str, str], known: tuple[str, ...]) -> str:
    if values[name] not in known:
        raise BadInput(f"{PREFIX}{name} is one of {', '.join(known)}, not '{values[name]}'.")
    return values[name]


def _queued(values: Mapping[str, str], database_url: str) -> bool:
    """Is work for workers? The database must be able to keep their queue."""
    asked = _one_of("WORK", values, ("here", "queue"))
    if asked == "queue" and not database_url.startswith(("postgresql://", "postgres://")):
        raise BadInput(
            f"{PREFIX}WORK=queue needs {PREFIX}DATABASE_URL=postgresql://..., which keeps the queue."
        )
    return asked == "queue"


def _whole(name: str, values: Mapping[str, str], least: int) -> int:
    value = values[name]
    if not (value.isascii() and value.isdigit() and int(value) >= least):
        raise BadInput(f"{PREFIX}{name} must be a whole number from {least}, not '{value}'.")
    return int(value)


def _address(name: str, values: Mapping[str, str]) -> str:
    value = values[name].rstrip("/")
    if value and not value.startswith(("http://", "https://")):
        raise BadInput(f"{PREFIX}{name} must begin with https:// or http://, not '{value}'.")
    return value

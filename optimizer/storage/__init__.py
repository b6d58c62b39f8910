"""Where studies live. A new kind of store is one file and one line in ``STORES``."""

from collections.abc import Callable, Mapping

from optimizer.errors import BadInput
from optimizer.storage.base import Store
from optimizer.storage.memory import MemoryStore
from optimizer.storage.sqlite import SqliteStore


def _open_postgres(address: str) -> Store:
    """Imported late: the driver is needed by installations on PostgreSQL only."""
    try:
        from optimizer.storage.postgres import PostgresStore
    except ModuleNotFoundError as error:
        raise BadInput(
            f"PostgreSQL needs a driver that is not installed ({error.name}). Install it with "
            "'pip install -r requirements-postgres.txt'."
        ) from error
    return PostgresStore(address)


# Each makes a store from an address, and what follows "scheme:///" in it.
STORES: Mapping[str, Callable[[str, str], Store]] = {
    "memory": lambda address, rest: MemoryStore(),
    "sqlite": lambda address, rest: SqliteStore(rest),
    "postgresql": lambda address, rest: _open_postgres(address),
}


def open_store(address: str) -> Store:
    """The store at ``memory://``, ``sqlite:///relative/or//absolute/path``, a plain path to a file, or
    ``postgresql://user@host:port/database``.

    As elsewhere, an absolute path has four slashes: ``sqlite:////srv/duels.db``.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return SqliteStore(address)
    scheme = "postgresql" if scheme == "postgres" else scheme
    if scheme not in STORES:
        raise BadInput(f"No store is called {scheme!r}: choose one of {', '.join(STORES)}.")
    return STORES[scheme](address, rest.removeprefix("/"))

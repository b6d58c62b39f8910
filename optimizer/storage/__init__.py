"""Where studies live. A new kind of store is one file and one line in ``STORES``."""

from collections.abc import Callable, Mapping

from optimizer.errors import BadInput
from optimizer.storage.base import Store
from optimizer.storage.memory import MemoryStore
from optimizer.storage.sqlite import SqliteStore

# Each makes a store from what follows "scheme:///" in an address.
STORES: Mapping[str, Callable[[str], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": SqliteStore,
}


def open_store(address: str) -> Store:
    """The store at ``memory://``, ``sqlite:///relative/or//absolute/path``, or a plain path to a file.

    As elsewhere, an absolute path has four slashes: ``sqlite:////srv/duels.db``.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return SqliteStore(address)
    if scheme not in STORES:
        raise BadInput(f"No store is called {scheme!r}: choose one of {', '.join(STORES)}.")
    return STORES[scheme](rest.removeprefix("/"))

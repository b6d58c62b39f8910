"""From settings to running services: the only file that names concrete classes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from threading import Lock

from optimizer.config import Config
from optimizer.connections import Connections
from optimizer.domain import Study, utc_now
from optimizer.errors import StorageError
from optimizer.evolution import Evolution
from optimizer.exchange import Exchange
from optimizer.generation import Generation
from optimizer.generation.ahead import Ahead
from optimizer.inputs import Inputs
from optimizer.judging import Judging
from optimizer.lab import Lab
from optimizer.llm.keys import KeyRing
from optimizer.llm.sharing import Sharing
from optimizer.pairing import Pairing
from optimizer.prompts import Prompts
from optimizer.reports import Reports
from optimizer.results import Results
from optimizer.sessions import Sessions
from optimizer.sessions.admission import Admission
from optimizer.sessions.board import Board
from optimizer.sessions.gate import Gate
from optimizer.sessions.groups import Groups
from optimizer.sessions.quality import Quality
from optimizer.sessions.room import Room
from optimizer.stats.stopping import AdviceKind
from optimizer.storage import open_store
from optimizer.storage.base import Counters, Store
from optimizer.studies import Studies
from optimizer.work.base import Here, Work
from optimizer.work.elsewhere import Elsewhere
from optimizer.work.foreman import Foreman
from optimizer.work.tasks import Tasks
from optimizer.workshop import Workshop

STOPS = (AdviceKind.STOP, AdviceKind.PRACTICALLY_EQUAL)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a page or a command may call. Safe to share between threads."""

    config: Config
    store: Store
    studies: Studies
    prompts: Prompts
    inputs: Inputs
    workshop: Workshop
    results: Results
    exchange: Exchange
    connections: Connections
    generation: Generation
    ahead: Ahead
    judging: Judging
    evolution: Evolution
    sessions: Sessions
    admission: Admission
    gate: Gate
    room: Room
    board: Board
    quality: Quality
    groups: Groups
    reports: Reports
    lab: Lab
    work: Work
    foreman: Foreman
    elsewhere: Elsewhere
    sharing: Sharing | None

    def close(self) -> None:
        """End background work and let go of the database. The services are of no use afterwards."""
        self.elsewhere.close()
        self.work.close()
        self.lab.close()
        self.evolution.close()
        self.results.close()
        self.judging.close()
        self.ahead.close()
        self.generation.close()
        if self.sharing is not None:
            self.sharing.close()
        self.store.close()


def build(config: Config, clock: Callable[[], datetime] = utc_now) -> Services:
    """Services of their own. A database without any study is given the samples."""
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The folder '{config.data_dir}' cannot be made: {error.strerror}.") from error
    store = open_store(config.database_url)
    studies = Studies(store, config.samples_dir, clock)
    if not store.studies():
        studies.restore_samples()
    gate = Gate(store, clock)
    gate.adopt(config.host_password)
    results = Results(store)
    pairing = Pairing(store)
    sharing = _sharing(config)
    connections = Connections(store, KeyRing(config.keys), sharing=sharing)
    generation = Generation(store, connections, sharing=sharing)
    ahead = Ahead(store, pairing, generation, clock)
    prompts = Prompts(store, clock)
    judging = Judging(store, pairing, results, connections, generation, clock)
    evolution = Evolution(store, results, prompts, judging, generation, connections, None, clock, sharing)
    tasks = Tasks(store)
    admission = Admission(store, partial(_advises_to_stop, results))
    return Services(
        config,
        store,
        studies,
        prompts,
        Inputs(store, clock),
        Workshop(store, pairing, clock, admission),
        results,
        Exchange(store, results, config.max_upload_bytes, clock),
        connections,
        generation,
        ahead,
        judging,
        evolution,
        Sessions(store, clock),
        admission,
        gate,
        Room(store, pairing, clock),
        Board(store, clock),
        Quality(store, clock),
        Groups(store, results),
        Reports(store, results, clock),
        Lab(store, results),
        _work(config, tasks, Here(generation, judging, evolution), connections),
        Foreman(tasks, generation, judging, evolution, sharing),
        Elsewhere(store, generation, judging, evolution, clock),
        sharing,
    )


def _sharing(config: Config) -> Sharing | None:
    """Where the limits of calls are kept for several processes; a file is used by one that calls models."""
    if not config.database_url.startswith(("postgresql://", "postgres://")):
        return None
    from optimizer.work.postgres_calls import PostgresCalls

    return PostgresCalls(config.database_url)


def _work(config: Config, tasks: Tasks, here: Here, connections: Connections) -> Work:
    if not config.queued:
        return here
    from optimizer.work.postgres_queue import PostgresQueue

    return PostgresQueue(config.database_url, tasks, here, connections)


def _advises_to_stop(results: Results, study: Study, counters: Counters) -> bool:
    """As far as is known without waiting."""
    latest = results.latest(study, counters)
    return latest is not None and latest.advice is not None and latest.advice.kind in STOPS


def services() -> Services:
    """The services of this process, built on the first call from the environment."""
    with _LOCK:  # two first visitors at once get the same ones
        return _services()


def forget_services() -> None:
    """Close them; the next call builds new ones. For tests, and for a server that stops."""
    with _LOCK:
        if _services.cache_info().currsize:
            _services().close()
        _services.cache_clear()


_LOCK = Lock()


@cache
def _services() -> Services:
    return build(Config.load())

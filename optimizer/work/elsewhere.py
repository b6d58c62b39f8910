"""What other servers on the same database are at work on, so that a host sees it, and can stop it, anywhere.

A server tells of its own runs every ``TOLD_EVERY_S``; one that is killed stops telling, and after
``SILENT_S`` nobody speaks of its runs any more. A run is stopped from elsewhere by taking away what was
told of it: its server notices, and cancels. Workers do not tell: their tasks are known to all.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from optimizer.domain import StudyId, utc_now
from optimizer.errors import Conflict, PromptDuelError, StorageError
from optimizer.evolution import Evolution
from optimizer.generation import Generation
from optimizer.generation.job import State
from optimizer.judging import Judging
from optimizer.storage.base import Store
from optimizer.storage.documents import Document
from optimizer.work.nouns import Kind

KIND = "at_work"
TOLD_EVERY_S = 2.0
SILENT_S = 15.0  # clocks of servers may differ by some seconds

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AtWork:
    """A run of one server. ``done`` of ``total`` outputs, votes or rounds."""

    id: str
    study: StudyId
    kind: Kind
    done: int
    total: int
    since: datetime


class Elsewhere:
    """Tells of this server's runs and knows those of the others. Safe to share between threads."""

    def __init__(
        self,
        store: Store,
        generation: Generation,
        judging: Judging,
        evolution: Evolution,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._documents = store.documents
        self._generation = generation
        self._judging = judging
        self._evolution = evolution
        self._clock = clock
        self._told: dict[str, Document] = {}
        self._own: set[str] = set()  # ids of runs that were ever told from here
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def runs(self, study: StudyId, kind: Kind) -> list[AtWork]:
        """Of other servers, as far as they told lately."""
        return [one for one in map(_read, self._lately(study)) if one.kind is kind]

    def stop(self, one: AtWork) -> None:
        """Its server stops it within ``TOLD_EVERY_S``."""
        while known := self._documents.get(KIND, one.id, fresh=True):
            with suppress(Conflict):  # told again meanwhile
                self._documents.remove(known)

    def start(self) -> None:
        """Tell from now on, until ``close``."""
        self._thread = threading.Thread(target=self._work, name="tell-runs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread is not None:
            self._thread.join(2 * TOLD_EVERY_S)

    def tell(self) -> None:
        """Say how far this server's runs are, and stop those that were stopped elsewhere."""
        going = {one.id: (one, cancel) for one, cancel in self._going()}
        for id in self._told.keys() - going.keys():
            with suppress(Conflict):
                self._documents.remove(self._told.pop(id))
        self._own &= going.keys()
        for id, (one, cancel) in going.items():
            body = {**asdict(one), "since": one.since.isoformat()}
            before = self._told.get(id)
            if before is not None:
                body["since"] = before.body["since"]
            elif id in self._own:
                continue  # it was stopped, and its last calls end
            else:  # perhaps a run that another server was at before this one
                before = self._documents.get(KIND, id, fresh=True)
            self._own.add(id)
            version = before.version if before else 0
            said = Document(KIND, id, body, one.study, version, self._clock())
            try:
                self._told[id] = self._documents.put(said)
            except Conflict:
                log.info("run stopped from another server run=%s kind=%s", id, one.kind)
                self._told.pop(id, None)
                cancel()

    def _work(self) -> None:
        while not self._closed.wait(TOLD_EVERY_S):
            with suppress(PromptDuelError):  # the database is away: the next time will do
                self.tell()
        with suppress(StorageError):  # what goes on now ends with this server
            for told in self._told.values():
                with suppress(Conflict):
                    self._documents.remove(told)

    def _lately(self, study: StudyId) -> list[Document]:
        """What others told of a study; what was told too long ago is forgotten."""
        since = self._clock() - timedelta(seconds=SILENT_S)
        found = [one for one in self._documents.all(KIND, study) if one.id not in self._own]
        for old in found:
            if old.changed_at < since:
                with suppress(Conflict):
                    self._documents.remove(old)
        return [one for one in found if one.changed_at >= since]

    def _going(self) -> list[tuple[AtWork, Callable[[], None]]]:
        """This server's runs, but for what is generated ahead of need."""
        now = self._clock()
        found: list[tuple[AtWork, Callable[[], None]]] = []
        for job in self._generation.jobs():
            far = job.progress()
            if far.state is State.RUNNING and job.order.cells is None:
                done = far.done + far.failed
                found.append(
                    (AtWork(job.id, job.order.study, Kind.GENERATE, done, far.total, now), job.cancel)
                )
        for run in self._judging.runs():
            if not run.ended:
                judges = run.progress().judges
                done, total = sum(j.before + j.votes for j in judges), sum(j.wanted for j in judges)
                if not run.plan.follow:  # a challenge
                    done, total = sum(j.votes for j in judges), len(run.plan.matches)
                found.append((AtWork(run.id, run.plan.study, Kind.JUDGE, done, total, now), run.cancel))
        for record in self._evolution.at_work():
            plan = record.plan
            one = AtWork(record.id, plan.study, Kind.EVOLVE, record.round, plan.rounds, record.began)
            found.append((one, lambda id=record.id: self._evolution.cancel(id)))  # type: ignore[misc]
        return found


def _read(document: Document) -> AtWork:
    body = document.body
    assert document.study is not None  # every run has one
    since = datetime.fromisoformat(body["since"])
    return AtWork(document.id, document.study, Kind(body["kind"]), body["done"], body["total"], since)

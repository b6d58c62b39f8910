"""The kept tasks. Several processes change them: each change reads the latest version and tries again."""

from collections.abc import Callable
from dataclasses import replace

from optimizer.domain import StudyId, new_id
from optimizer.errors import Conflict, NotFound
from optimizer.storage.base import Store
from optimizer.work.codec import KIND, document_of, task_of
from optimizer.work.nouns import State, Status, Task, What

KEPT = 50  # of a study; older ones that are over are forgotten


class Tasks:
    """Safe to share between threads and processes."""

    def __init__(self, store: Store) -> None:
        self._documents = store.documents

    def add(self, what: What) -> Task:
        """A new task, queued."""
        for old in [task for task in self.all(what.study) if task.status.state.over][KEPT:]:
            self._documents.remove(document_of(old))
        task = Task(new_id(), what)
        return replace(task, version=self._documents.put(document_of(task)).version)

    def get(self, id: str) -> Task:
        document = self._documents.get(KIND, id, fresh=True)
        if document is None:
            raise NotFound("This task is not here any more.")
        return task_of(document)

    def all(self, study: StudyId) -> list[Task]:
        """Of a study, newest first."""
        return [task_of(document) for document in reversed(self._documents.all(KIND, study))]

    def claim(self, id: str, worker: str) -> Task | None:
        """The task, now this worker's; None when there is nothing to do. Another worker that still had it
        is told so when it notes how far it is."""

        def take(task: Task) -> Task | None:
            if task.status.state.over:
                return None
            if task.cancel:
                return replace(task, status=replace(task.status, state=State.CANCELLED))
            return replace(task, worker=worker, status=replace(task.status, state=State.RUNNING))

        taken = self.change(id, take)
        return None if taken is None or taken.status.state is State.CANCELLED else taken

    def note(self, id: str, worker: str, status: Status, run: str = "") -> Task | None:
        """How far the task is; None when it is another worker's by now."""
        return self.change(
            id,
            lambda task: replace(task, status=status, run=run or task.run) if task.worker == worker else None,
        )

    def cancel(self, id: str) -> None:
        """Ask for its end. One that nobody has begun ends here and now."""

        def ask(task: Task) -> Task | None:
            if task.status.state.over:
                return None
            ended = task.status.state is State.QUEUED
            status = replace(task.status, state=State.CANCELLED) if ended else task.status
            return replace(task, cancel=True, status=status)

        self.change(id, ask)

    def change(self, id: str, changed: Callable[[Task], Task | None]) -> Task | None:
        """Store what ``changed`` makes of the latest version; None leaves it as it is."""
        while True:
            task = self.get(id)
            wanted = changed(task)
            if wanted is None or wanted == task:
                return wanted
            try:
                return replace(wanted, version=self._documents.put(document_of(wanted)).version)
            except Conflict:
                continue

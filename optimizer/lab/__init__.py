"""The lab: a study's situation, simulated many times over, to compare selectors and to plan votes.

Nobody votes here and nothing is stored. Worlds are drawn like the study: so many prompts, as far apart, so
many inputs, raters as noisy. In each, the best prompt is known, so it can be counted how often a selector
finds it.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from optimizer.domain import Study, StudyId, new_id
from optimizer.errors import Conflict, PromptDuelError
from optimizer.lab.aside import GivenUp, aside
from optimizer.lab.situation import Situation, situation_of
from optimizer.results import Results
from optimizer.simulate import Result, passes
from optimizer.storage.base import Store

log = logging.getLogger(__name__)

KEPT = 20
Simulator = Callable[[Situation, Callable[[int], None], threading.Event], list[Result]]


class State(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class Experiment:
    """A simulation under way, or done."""

    study: StudyId
    situation: Situation
    id: str = field(default_factory=new_id)
    total: int = 0
    done: int = 0
    state: State = State.RUNNING
    error: str = ""
    results: Sequence[Result] = ()
    given_up: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Give it up; what was counted so far is thrown away."""
        self.given_up.set()


class Lab:
    """Runs experiments, one at a time. Safe to share between threads."""

    def __init__(self, store: Store, results: Results, simulator: Simulator = aside) -> None:
        self._store = store
        self._results = results
        self._simulator = simulator
        self._experiments: dict[str, Experiment] = {}
        self._lock = threading.Lock()

    def suggested(self, study: Study) -> Situation:
        """The situation of a study, for a form to start with."""
        return situation_of(study, self._store, self._results)

    def start(self, study: StudyId, situation: Situation) -> Experiment:
        """Begin in the background. ``Conflict`` while another one runs."""
        situation.check()
        with self._lock:
            if any(not known.ended.is_set() for known in self._experiments.values()):
                raise Conflict("A simulation is running already. Wait for it, or cancel it.")
            total = situation.runs * passes(situation.selectors, situation.terms)
            experiment = Experiment(study, situation, total=total)
            self._experiments[experiment.id] = experiment
            for old in list(self._experiments)[:-KEPT]:
                del self._experiments[old]
        threading.Thread(target=self._work, args=(experiment,), name="lab", daemon=True).start()
        return experiment

    def experiments(self, study: StudyId) -> list[Experiment]:
        """Those of a study, newest first."""
        with self._lock:
            return [known for known in reversed(self._experiments.values()) if known.study == study]

    def close(self) -> None:
        """Give up what runs."""
        with self._lock:
            for known in self._experiments.values():
                known.cancel()

    def _work(self, experiment: Experiment) -> None:
        def tick(more: int) -> None:
            experiment.done += more

        state = State.FAILED
        try:
            experiment.results = self._simulator(experiment.situation, tick, experiment.given_up)
            state = State.DONE
        except GivenUp:
            state = State.CANCELLED
        except PromptDuelError as error:
            experiment.error = str(error)
        finally:
            experiment.state = state
            experiment.ended.set()
            log.info("simulated runs=%d of=%d state=%s", experiment.done, experiment.total, state)

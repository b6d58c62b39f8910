"""What the phases of a run work with."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from optimizer.connections import Connections
from optimizer.evolution.offers import Offers
from optimizer.evolution.plan import Order
from optimizer.evolution.proposing import Proposing
from optimizer.generation import Generation
from optimizer.judging import Judging
from optimizer.llm.budget import Ledger
from optimizer.prompts import Prompts
from optimizer.results import Results
from optimizer.storage.base import Store

PATIENCE_S = 10.0  # for work that is told to stop


@dataclass(frozen=True, slots=True)
class Tools:
    """The services, the run's account, and how it hears that it was cancelled. ``typed`` are keys."""

    store: Store
    results: Results
    prompts: Prompts
    judging: Judging
    generation: Generation
    connections: Connections
    offers: Offers
    propose: Callable[[Order, Ledger, threading.Event], Proposing]
    ledger: Ledger
    cancelled: threading.Event
    typed: Mapping[str, str] | None
    clock: Callable[[], datetime]

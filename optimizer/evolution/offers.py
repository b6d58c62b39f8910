"""Proposals as they are kept: offered, then accepted, edited or rejected; nothing is lost on reload.

An accepted offer becomes a prompt of the same id, so accepting twice, or from two windows, makes one prompt,
and a process that dies between the two writes leaves nothing half done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from optimizer.checks import check_text, free_name
from optimizer.domain import Batch, Origin, Prompt, PromptId, StudyId, new_id, utc_now
from optimizer.errors import BadInput, Conflict, NotFound
from optimizer.evolution.checks import Check, acceptable, check
from optimizer.evolution.plan import Order
from optimizer.llm.base import Embedder
from optimizer.storage.base import Store
from optimizer.storage.documents import Document

KIND = "proposal"
EDITED = " (edited by hand)"


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"  # the model gave no prompt; ``error`` says why


@dataclass(frozen=True, slots=True)
class Offer:
    """A proposal, and what became of it. ``calls`` and ``tokens`` were spent on it, whatever came of it."""

    id: str
    study: StudyId
    proposer: str
    text: str
    parents: tuple[PromptId, ...]
    change: str
    why: str
    at: datetime
    connection: str = ""
    model: str = ""
    state: OfferState = OfferState.OPEN
    error: str = ""
    calls: int = 0
    tokens: int = 0
    run: str = ""
    round: int = 0

    @property
    def prompt(self) -> PromptId:
        """The prompt that it becomes."""
        return PromptId(self.id)


class Offers:
    """Keeps offers and lets people decide on them. Safe to share between threads."""

    def __init__(self, store: Store, embedder: Embedder, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._embedder = embedder
        self._clock = clock

    def add(self, offer: Offer) -> Offer:
        self._store.documents.put(Document(KIND, offer.id, _body(offer), offer.study))
        return offer

    def made(self, study: StudyId, proposer: str, **known: Any) -> Offer:
        """A new offer, kept."""
        return self.add(Offer(new_id(), study, proposer, at=self._clock(), **known))

    def failed(self, order: Order, parents: Sequence[PromptId], error: str, calls: int, tokens: int) -> Offer:
        """That nothing came of a question, and what it took."""
        return self.made(
            order.study, order.proposer, text="", parents=tuple(parents), change="", why="",
            connection=order.connection, state=OfferState.FAILED, error=error, calls=calls, tokens=tokens,
            run=order.run, round=order.round,
        )  # fmt: skip

    def all(self, study: StudyId, run: str | None = None, round: int | None = None) -> list[Offer]:
        """In the order in which they came."""
        there = {prompt.id for prompt in self._store.prompts(study)}
        found = [_offer(document, there) for document in self._store.documents.all(KIND, study)]
        return [one for one in found if run in (None, one.run) and (round is None or round == one.round)]

    def checks(self, offer: Offer, text: str | None = None) -> tuple[Check, ...]:
        """Of the offer's text, or of another one in its place."""
        prompts = self._store.prompts(offer.study)
        others = [prompt for prompt in prompts if prompt.id != offer.prompt]
        others += [_as_prompt(one) for one in open_ones(self.all(offer.study)) if one.at < offer.at]
        parents = [prompt for prompt in prompts if prompt.id in offer.parents]
        inputs = self._store.inputs(offer.study)
        text = offer.text if text is None else text
        return check(text, parents, others, inputs, self._embedder, offer.proposer == "control")

    def accept(self, offer_id: str, text: str | None = None, name: str = "") -> Prompt:
        """The prompt that enters the pool, perhaps with an edited text. ``BadInput`` says what is wrong with
        it, ``Conflict`` that it was decided already."""
        document, offer = self._open(offer_id)
        text = offer.text if text is None else text
        edited = text != offer.text
        checks = self.checks(offer, text)
        if not acceptable(checks):
            raise BadInput(" ".join(one.told for one in checks if one.must and not one.passed))
        prompts = self._store.prompts(offer.study)
        parent = next((prompt for prompt in prompts if prompt.id in offer.parents[:1]), None)
        wanted = name.strip() or (parent.name if parent else offer.proposer.replace("_", " ").capitalize())
        prompt = Prompt(
            offer.prompt,
            offer.study,
            free_name(wanted, [other.name for other in prompts]),
            check_text("prompt", text),
            parent.id if parent else None,
            Origin.PROPOSED,
            check_text("note", offer.change + (EDITED if edited else "")),
            self._clock(),
        )
        self._store.add(Batch(prompts=[prompt]))
        self._decide(document, offer, OfferState.ACCEPTED)
        return prompt

    def reject(self, offer_id: str) -> None:
        """It does not enter the pool; it is kept, and may be taken up again."""
        document, offer = self._open(offer_id)
        self._decide(document, offer, OfferState.REJECTED)

    def reopen(self, offer_id: str) -> None:
        """A rejected offer is to be decided on again."""
        document, offer = self._read(offer_id)
        if offer.state is not OfferState.REJECTED:
            raise Conflict("Only a rejected proposal can be taken up again.")
        self._decide(document, offer, OfferState.OPEN)

    def _open(self, offer_id: str) -> tuple[Document, Offer]:
        document, offer = self._read(offer_id)
        if offer.state is not OfferState.OPEN:
            raise Conflict(f"This proposal is {offer.state} already.")
        return document, offer

    def _read(self, offer_id: str) -> tuple[Document, Offer]:
        document = self._store.documents.get(KIND, offer_id)
        if document is None or document.study is None:
            raise NotFound("This proposal is not here any more.")
        there = {prompt.id for prompt in self._store.prompts(document.study)}
        return document, _offer(document, there)

    def _decide(self, document: Document, offer: Offer, state: OfferState) -> None:
        self._store.documents.put(replace(document, body=_body(replace(offer, state=state))))


def open_ones(offers: Sequence[Offer]) -> list[Offer]:
    return [offer for offer in offers if offer.state is OfferState.OPEN]


def _as_prompt(offer: Offer) -> Prompt:
    """An offer that nobody has decided on yet, for another one to be compared with."""
    return Prompt(offer.prompt, offer.study, "an earlier proposal", offer.text)


def _body(offer: Offer) -> dict[str, Any]:
    return {**asdict(offer), "at": offer.at.isoformat(), "study": None}


def _offer(document: Document, prompts: set[PromptId]) -> Offer:
    body: Mapping[str, Any] = document.body
    assert document.study is not None
    state = OfferState(body["state"])
    if PromptId(document.id) in prompts:  # the prompt was stored, whatever came after
        state = OfferState.ACCEPTED
    return Offer(
        **{
            **body,
            "study": document.study,
            "parents": tuple(PromptId(parent) for parent in body["parents"]),
            "at": datetime.fromisoformat(body["at"]),
            "state": state,
        }
    )

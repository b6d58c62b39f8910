"""Writes one cell: what is there already, what is known already, else one call, stored at once."""

import logging
import threading
from dataclasses import dataclass, replace

from optimizer.domain import Connection, Output, OutputId, Prompt, StudyId, new_id, utc_now
from optimizer.errors import Conflict, PromptDuelError
from optimizer.generation.admission import admit, hold
from optimizer.generation.cells import Cell, Material
from optimizer.generation.drafts import Draft
from optimizer.generation.keeper import Keeper
from optimizer.llm.base import Completion, LanguageModel, Request, request_hash
from optimizer.llm.errors import CallCancelled, NoAnswer
from optimizer.llm.sharing import Sharing
from optimizer.storage.base import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes cells of one study through one model. Shared between threads."""

    store: Store
    study: StudyId
    connection: Connection
    model: LanguageModel
    material: Material
    accept_truncated: bool
    closed: threading.Event
    keeper: Keeper
    sharing: Sharing | None = None  # where other processes write for the same studies

    def write(self, draft: Draft, streamed: bool) -> None:
        """See to it that the draft ends. Returns when the call is over; the output may still be on its
        way to the store, which ends the draft when it has it."""
        sound = False
        try:
            self._write(draft, streamed)
            sound = True
        except PromptDuelError as error:
            draft.fail(error)
        finally:
            if not sound and not draft.done:
                draft.fail(PromptDuelError("Writing this output broke off. Try again."))

    def _write(self, draft: Draft, streamed: bool) -> None:
        there = self.existing(draft.cell) if streamed else None
        if there is not None:  # nobody has looked what is missing
            draft.finish(there, called=False)
            return
        request = self.material.request(draft.cell)
        known = self.store.output_by_request(request_hash(self.connection, request))
        if known is not None and Cell(known.prompt, known.input, known.sample) == draft.cell:
            draft.finish(known, called=False)  # written since it was found missing
        elif known is not None and known.usable:
            self._keep(draft, self._reused(known, draft.cell), called=False)
        elif not self._written_elsewhere(draft):
            self._keep(draft, self._call(request, draft, streamed), called=True)

    def _written_elsewhere(self, draft: Draft) -> bool:
        """Has another process written the cell by the time that none is at it any more? Otherwise it is ours
        until the draft has ended."""
        if self.sharing is None:
            return False
        draft_ends = self.sharing.alone(f"{self.study}/{'/'.join(map(str, draft.cell))}", self.closed)
        draft.then(lambda _: draft_ends())
        there = self.existing(draft.cell)
        if there is not None:
            draft.finish(there, called=False)
        return there is not None

    def existing(self, cell: Cell) -> Output | None:
        """The cell's output as stored."""
        outputs = self.store.outputs(self.study, cell.prompt, cell.input)
        return next((output for output in outputs if output.sample == cell.sample), None)

    def _call(self, request: Request, draft: Draft, streamed: bool) -> Output:
        try:
            completion = self._stream(request, draft) if streamed else self.model.complete(request)
        except NoAnswer as error:
            return hold(error, request, draft.cell, self.study, self.connection)
        prompt: Prompt = self.material.prompts[draft.cell.prompt]
        return admit(
            completion, request, draft.cell, self.study, prompt, self.connection, self.accept_truncated
        )

    def _stream(self, request: Request, draft: Draft) -> Completion:
        for piece in self.model.stream(request):
            if isinstance(piece, Completion):
                return piece
            draft.add(piece)
        raise AssertionError("a stream that ends without a completion must raise")

    def _reused(self, known: Output, cell: Cell) -> Output:
        """A copy of an output that answered the very same request; it took no call."""
        return replace(
            known,
            id=OutputId(new_id()),
            study=self.study,
            prompt=cell.prompt,
            input=cell.input,
            sample=cell.sample,
            settings={**known.settings, "reused": known.id},
            usage={},
            created_at=utc_now(),
        )

    def _keep(self, draft: Draft, output: Output, called: bool) -> None:
        if self.closed.is_set():
            raise CallCancelled("The app stopped before this output was stored.")
        self.keeper.submit(output, lambda fault: self._kept(draft, output, called, fault))

    def _kept(self, draft: Draft, output: Output, called: bool, fault: PromptDuelError | None) -> None:
        """End the draft. Where another process was quicker, its output is the one that counts."""
        stored = output
        if isinstance(fault, Conflict):
            stored, fault = self._theirs(output, fault)
        if fault is not None:
            draft.fail(fault)
            return
        log.info(
            "output %s prompt=%s input=%s sample=%d called=%s ms=%.0f tokens=%d usable=%s",
            stored.id,
            *draft.cell,
            called,
            stored.latency_ms or 0.0,
            stored.usage.get("total_tokens", 0),
            stored.usable,
        )
        draft.finish(stored, called)

    def _theirs(self, output: Output, fault: Conflict) -> tuple[Output, PromptDuelError | None]:
        """The output that is stored in place of ours, or ours and why it is not stored."""
        try:
            there = self.existing(Cell(output.prompt, output.input, output.sample))
        except PromptDuelError as error:
            return output, error
        return (output, fault) if there is None else (there, None)

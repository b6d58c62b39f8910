"""Writes one cell: what is there already, what is known already, else one call, stored at once."""

import logging
import threading
from dataclasses import dataclass, replace

from optimizer.domain import Connection, Output, OutputId, Prompt, StudyId, new_id, utc_now
from optimizer.errors import Conflict
from optimizer.generation.admission import admit, hold
from optimizer.generation.cells import Cell, Material
from optimizer.generation.drafts import Draft
from optimizer.generation.keeper import Keeper
from optimizer.llm.base import Completion, LanguageModel, Request, request_hash
from optimizer.llm.errors import CallCancelled, NoAnswer
from optimizer.storage.base import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """An output that is stored, and whether it took a call."""

    output: Output
    called: bool


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

    def write(self, draft: Draft, streamed: bool) -> Written:
        """The output of the draft's cell, stored. Raises ``ProviderError`` when there is none to store."""
        cell = draft.cell
        there = self.existing(cell)
        if there is not None:
            return Written(there, False)
        request = self.material.request(cell)
        known = self.store.output_by_request(request_hash(self.connection, request))
        if known is not None:
            return Written(self._keep(self._reused(known, cell)), False)
        output = self._call(request, draft, streamed)
        log.info(
            "output %s prompt=%s input=%s sample=%d ms=%.0f tokens=%d held=%s",
            output.id,
            cell.prompt,
            cell.input,
            cell.sample,
            output.latency_ms or 0.0,
            output.usage.get("total_tokens", 0),
            not output.usable,
        )
        return Written(self._keep(output), True)

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

    def _keep(self, output: Output) -> Output:
        """Store it. Where another process was quicker, its output is the one that counts."""
        if self.closed.is_set():
            raise CallCancelled("The app stopped before this output was stored.")
        try:
            self.keeper.keep(output)
        except Conflict:
            there = self.existing(Cell(output.prompt, output.input, output.sample))
            if there is None:
                raise
            return there
        return output

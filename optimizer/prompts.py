"""The prompts of a study: write, fork, rename, retire, restore.

A prompt's text is fixed, so that the votes on it keep their meaning: an edit is a fork.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from optimizer.checks import check_template, check_text, clean_name, free_name
from optimizer.domain import Batch, Origin, Prompt, PromptId, StudyId, new_id, utc_now
from optimizer.errors import BadInput, NotFound
from optimizer.storage.base import Store


class Prompts:
    """Changes the prompts in a store."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock

    def write(self, study_id: StudyId, name: str, text: str, note: str = "") -> Prompt:
        """A new prompt. ``BadInput`` when it uses a variable that an input in use does not have,
        ``Conflict`` of the store when another prompt of the study, retired or not, has this name."""
        prompt = self._made(study_id, name, text, note)
        self._store.add(Batch(prompts=[prompt]))
        return prompt

    def fork(
        self,
        study_id: StudyId,
        parent: PromptId,
        text: str,
        name: str | None = None,
        note: str = "",
        retire_parent: bool = False,
    ) -> Prompt:
        """A child with another text; without a name it gets the parent's with the next free number."""
        old = self.get(study_id, parent)
        if text == old.text:
            raise BadInput(f"The text is the same as that of '{old.name}'. Change it first.")
        name = self.suggest_name(study_id, old.name) if name is None else name
        child = replace(self._made(study_id, name, text, note), parent=parent, origin=Origin.FORKED)
        retired = [replace(old, retired_at=self._clock())] if retire_parent else []
        self._store.add(Batch(prompts=[child], changes=retired))
        return child

    def suggest_name(self, study_id: StudyId, name: str) -> str:
        """The name itself or, if a prompt of the study has it, with the next free number."""
        return free_name(name.strip(), [prompt.name for prompt in self._store.prompts(study_id)])

    def rename(self, study_id: StudyId, prompt_id: PromptId, name: str) -> Prompt:
        old = self.get(study_id, prompt_id)
        renamed = replace(old, name=clean_name("prompt", name))
        self._store.replace(renamed)
        return renamed

    def retire(self, study_id: StudyId, prompt_id: PromptId, note: str | None = None) -> Prompt:
        """Out of further duels; its votes, outputs and text stay."""
        old = self.get(study_id, prompt_id)
        note = old.note if note is None else check_text("note", note.strip())
        retired = replace(old, retired_at=self._clock(), note=note)
        self._store.replace(retired)
        return retired

    def restore(self, study_id: StudyId, prompt_id: PromptId) -> Prompt:
        """Back into duels. ``BadInput`` when an input in use lacks one of its variables."""
        old = self.get(study_id, prompt_id)
        check_template(old.text, self._store.inputs(study_id))
        restored = replace(old, retired_at=None)
        self._store.replace(restored)
        return restored

    def get(self, study_id: StudyId, prompt_id: PromptId) -> Prompt:
        """The prompt; ``NotFound`` when this study has none of this id."""
        for prompt in self._store.prompts(study_id):
            if prompt.id == prompt_id:
                return prompt
        raise NotFound(f"This study has no prompt '{prompt_id}'.")

    def _made(self, study_id: StudyId, name: str, text: str, note: str) -> Prompt:
        name = clean_name("prompt", name)
        if not text.strip():
            raise BadInput(f"The prompt '{name}' has no text.")
        check_template(check_text("prompt", text), self._store.inputs(study_id))
        note = check_text("note", note.strip())
        return Prompt(PromptId(new_id()), study_id, name, text, note=note, created_at=self._clock())

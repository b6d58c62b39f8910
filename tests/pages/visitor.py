"""A person at the screens, for tests: opens them, clicks, types, reads; and studies to look at."""

from collections.abc import Sequence
from dataclasses import replace

from streamlit.testing.v1 import AppTest

from optimizer.assemble import Services
from optimizer.domain import (
    Batch,
    Duel,
    DuelId,
    Input,
    InputId,
    Outcome,
    Output,
    OutputId,
    Prompt,
    Rater,
    RaterId,
    Study,
    Vote,
    VoteId,
    new_id,
    utc_now,
)
from pages.parts import access
from pages.parts.keyguard import ON_SCREEN


class Visitor:
    """Someone at the screens; ``services`` is what stands behind them."""

    def __init__(self, app: AppTest, services: Services) -> None:
        self.at = app
        self.services = services

    def go(self, screen: str, study: Study | None = None) -> AppTest:
        """Open a screen, e.g. "host/prompts.py", on a study."""
        if study is not None:
            self.run()  # the menu of studies as it is now
            self.at.selectbox(key="study").set_value(study.id)
        self.at.switch_page(screen)
        return self.run()

    def link(self, screen: str, study: Study, **query: str) -> AppTest:
        """Open a screen by a link with these parameters, in a browser window of its own."""
        self.at = AppTest.from_file(self.at._script_path, default_timeout=30)
        for name, value in {"study": study.id, **query}.items():
            self.at.query_params[name] = value
        self.at.switch_page(screen)
        return self.run()

    def run(self) -> AppTest:
        """The next run; a bug in a screen fails the test."""
        self.at.run()
        assert not self.at.exception, [(bug.message, *bug.stack_trace) for bug in self.at.exception]
        return self.at

    def click(self, key: str) -> AppTest:
        """Press the button of this key."""
        self.at.button(key=key).click()
        return self.run()

    def pair(self) -> DuelId | None:
        """The duel on the screen, to be voted on; None if there is none."""
        told = [field.value for field in self.at.text_area if field.key == ON_SCREEN]
        return DuelId(told[0] or "") if told else None

    def fill(self, **fields: str) -> None:
        """Type into text fields, by their keys."""
        for key, text in fields.items():
            everywhere = [*self.at.text_input, *self.at.text_area]
            next(field for field in everywhere if field.key == key).set_value(text)

    def shown(self) -> str:
        """Every text of the screen but tables: what a test may look for."""
        at = self.at
        parts = [*at.markdown, *at.caption, *at.info, *at.error, *at.success, *at.code, *at.subheader]
        return "\n".join(str(part.value).replace("\\", "") for part in [*parts, *at.toast])

    def study(self, prompts: Sequence[str] = (), inputs: Sequence[str] = (), outputs: bool = False) -> Study:
        """A study with prompts of these names, an input {{text}} for each text, and outputs if wanted."""
        made = self.services.studies.create(f"Study {new_id()[:4]}", "Do something well.")
        for name in prompts:
            self.services.prompts.write(made.id, name, f"{name}: {{{{text}}}}")
        rows = [Input(InputId(new_id()), made.id, {"text": text}) for text in inputs]
        self.services.store.add(Batch(inputs=rows))
        if outputs:
            written = self.services.store.prompts(made.id)
            self.services.store.add(
                Batch(outputs=[output(prompt, row) for prompt in written for row in rows])
            )
        return made

    def voted(self, study: Study, outcomes: Sequence[Outcome], rater: str = "") -> list[Duel]:
        """Duels of the first two prompts on the first input, each with a vote; "" is the visitor."""
        store = self.services.store
        first, second = store.prompts(study.id)[:2]
        row = store.inputs(study.id)[0]
        one, other = (store.outputs(study.id, prompt.id, row.id)[0] for prompt in (first, second))
        who = self.rater(study, rater)
        now = utc_now()
        asked = Duel(
            DuelId(""), study.id, row.id, one.id, other.id, first.id, second.id, who.id, "random", "drawn",
            False, now, now,
        )  # fmt: skip
        duels = [replace(asked, id=DuelId(new_id())) for _ in outcomes]
        votes = [
            Vote(VoteId(new_id()), study.id, duel.id, who.id, outcome, now)
            for duel, outcome in zip(duels, outcomes, strict=True)
        ]
        store.add(Batch(duels=duels, votes=votes))
        return duels

    def rater(self, study: Study, name: str = "") -> Rater:
        """The visitor, or somebody of this name."""
        me = access.Visit(self.services, access.person(), ()).rater_id(study.id)
        rater = Rater(RaterId(f"{study.id}-{name}") if name else me, study.id, name or access.NAMELESS)
        return self.services.workshop.join(study.id, rater)


def output(prompt: Prompt, row: Input, text: str | None = None, sample: int = 0, error: str = "") -> Output:
    """What the prompt made of the input: "Terse on one"."""
    said = f"{prompt.name} on {row.variables['text']}" if text is None else text
    return Output(OutputId(new_id()), prompt.study, prompt.id, row.id, said, sample, error=error)

"""What a person does in the app, as small steps."""

from playwright.sync_api import Page, expect

from optimizer.domain import (
    Batch,
    Duel,
    DuelId,
    Input,
    InputId,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Settings,
    Study,
    StudyId,
)
from optimizer.sessions import Sessions
from optimizer.sessions.nouns import SessionId
from optimizer.storage.base import Store

IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
FIRST, SECOND = ".st-key-pane_first", ".st-key-pane_second"
DUEL = ".st-key-vote_A button:enabled"
ON_SCREEN = ".st-key-pair_on_screen textarea"  # what the page sends with every press: its duel's id
ANOTHER_PAIR = f"""before => {{
  const named = document.querySelector('{ON_SCREEN}')?.value;
  return named && named !== before;
}}"""
PERSON_COOKIE = "prompt_duel_person"
QUIET = Settings(audit_share=0.0, replay_share=0.0)


# Nothing has run nor changed for a moment, in which the server would have begun with what was last done.
STILL = """idle => new Promise(done => {
  let timer;
  const wait = () => { clearTimeout(timer); timer = setTimeout(look, 150); };
  const look = () => { if (!document.querySelector(idle)) return wait(); changes.disconnect(); done(true); };
  const changes = new MutationObserver(wait);
  changes.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  wait();
})"""
PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"


def settled(page: Page) -> None:
    """The script has run and the page stands still."""
    page.wait_for_function(STILL, arg=IDLE)


def drawn(page: Page) -> None:
    """The script that is known to have begun has run, and what it drew is on the screen."""
    page.wait_for_selector(IDLE)
    page.evaluate(PAINTED)


def open_duel(page: Page, address: str, study: str | None = None) -> None:
    page.goto(f"{address}/duel" + (f"?study={study}" if study else ""))
    page.wait_for_selector(SECOND)
    page.wait_for_load_state("networkidle")  # a page just loaded hears keys 0.2 s after it is drawn
    settled(page)


def take_a_seat(
    page: Page, store: Store, session: SessionId, name: str, address: str, arrived: str = DUEL
) -> None:
    """A rater who has joined the session and practised, at the first duel or whatever comes first."""
    person = f"person-{session}-{name}"
    sessions = Sessions(store)
    sessions.practised(sessions.join(session, person, name))
    page.context.add_cookies([{"name": PERSON_COOKIE, "value": person, "url": address}])
    page.goto(f"{address}/duel")
    page.wait_for_selector(arrived)
    settled(page)


def duel_id(page: Page) -> str:
    """The duel on the screen."""
    return page.locator(ON_SCREEN).input_value()


def shown_duel(page: Page, store: Store) -> Duel:
    return store.duel(DuelId(duel_id(page)))


def press(page: Page, key: str) -> None:
    """One key on the duel page; returns when another pair stands."""
    before = duel_id(page)
    page.keyboard.press(key)
    page.wait_for_function(ANOTHER_PAIR, arg=before)
    drawn(page)


def add_study(
    store: Store, name: str, texts: dict[str, str], inputs: int = 3, settings: Settings = QUIET
) -> Study:
    """A study whose prompts give these texts on every input."""
    study = Study(StudyId(name), name, f"Task of {name}", settings=settings)
    prompts = [
        Prompt(PromptId(f"{name}-{key}"), study.id, key, f"Write {key} on {{{{topic}}}}") for key in texts
    ]
    rows = [
        Input(InputId(f"{name}-{x}"), study.id, {"topic": f"topic {x}"}, (f"tag{x}",)) for x in range(inputs)
    ]
    outputs = [
        Output(
            OutputId(f"{name}-{key}-{x}"), study.id, PromptId(f"{name}-{key}"), InputId(f"{name}-{x}"), text
        )
        for key, text in texts.items()
        for x in range(inputs)
    ]
    store.add(Batch([study], prompts, rows, outputs))
    return study


def expect_text(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()

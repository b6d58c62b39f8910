"""The pool: who is in use, who is almost surely not best, and who may come back."""

import pandas as pd
import streamlit as st

from optimizer.domain import Prompt, Study
from optimizer.evolution.pool import Leaving
from optimizer.newcomers import FIRST_DUELS
from optimizer.results import VoteFilter
from pages.parts import evolve_choice, labels, notices
from pages.parts.access import Visit
from pages.parts.evolve_plan import USUAL

MARK = "Retired by the evolution"


def draw(visit: Visit, study: Study, chosen: VoteFilter) -> None:
    """The prompts by strength, the hopeless to retire, the retired to bring back."""
    standings = visit.services.results.standings(study, chosen)
    in_use = sum(row.prompt.retired_at is None for row in standings.rows)
    st.caption(
        f"{labels.counted(in_use, 'prompt')} in use. A new one begins at its parent's strength, in more "
        f"doubt than its parent, and gets {FIRST_DUELS} first duels whatever the selector thinks."
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Prompt": [row.prompt.name for row in standings.rows],
                "State": ["Retired" if row.prompt.retired_at else "In use" for row in standings.rows],
                "From": [row.prompt.origin.value for row in standings.rows],
                "Probably best": [100 * row.p_best for row in standings.rows],
                "Strength": [row.strength for row in standings.rows],
                "Duels": [row.duels for row in standings.rows],
                "Note": [labels.one_line(row.prompt.note, 120) for row in standings.rows],
            }
        ),
        hide_index=True,
        height=min(38 + 35 * len(standings.rows), 420),
        column_config={
            "Probably best": st.column_config.ProgressColumn(
                min_value=0.0, max_value=100.0, format="%.0f %%", width=130
            ),
            "Strength": st.column_config.NumberColumn(format="%+.2f"),
        },
    )
    most = int(
        st.number_input("Prompts in use, at most", 3, 1000, USUAL["most_prompts"], key="pool_most", width=220)
    )
    gone = visit.services.evolution.leaving(study, most, chosen)
    names = {row.prompt.id: row.prompt.name for row in standings.rows}
    if gone:
        st.button(
            labels.plain(f"Retire {labels.counted(len(gone), 'prompt')}"),
            key="pool_retire",
            icon=":material/do_not_disturb_on:",
            on_click=_retire,
            args=(visit, study, gone),
        )
        listed = evolve_choice.listed([names[one.prompt] for one in gone])
        st.caption(f"Their chance to be the best is smallest: {listed}. Votes, outputs and texts stay.")
    else:
        st.caption("By the votes, nobody has to leave.")
    back = [row.prompt for row in standings.rows if row.prompt.retired_at and MARK in row.prompt.note]
    if back:
        _restorable(visit, study, back)


def _restorable(visit: Visit, study: Study, back: list[Prompt]) -> None:
    by_id = {prompt.id: prompt for prompt in back}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Retired by the evolution", list(by_id), format_func=lambda key: by_id[key].name, key="pool_back"
        )
        st.button(
            "Bring it back",
            key="pool_restore",
            icon=":material/undo:",
            on_click=_restore,
            args=(visit, study, by_id[chosen]),
        )


def _retire(visit: Visit, study: Study, gone: tuple[Leaving, ...]) -> None:
    def act() -> None:
        for one in gone:
            visit.services.evolution.retire(study.id, one)

    notices.attempt(act, f"{labels.counted(len(gone), 'prompt')} retired. Each can be brought back.")


def _restore(visit: Visit, study: Study, prompt: Prompt) -> None:
    notices.attempt(
        lambda: visit.services.prompts.restore(study.id, prompt.id), f"'{prompt.name}' competes again."
    )

"""Which screens exist, for whom, and in what order: the script that every visit runs first."""

import streamlit as st

from pages.parts import access, frame

st.set_page_config(page_title="Prompt Duel", page_icon="⚖️", layout="wide")

screens = {
    "Vote": [
        st.Page(
            "rater/duel.py",
            title="Duel",
            icon=":material/compare_arrows:",
            url_path="vote",
            default=True,
            help="Two outputs on the same input, side by side and unnamed: say which is better.",
        ),
        # The default screen has the address "/" only; this is the one that people write down.
        st.Page("rater/duel.py", title="Duel", url_path="duel", visibility="hidden"),
        st.Page(
            "rater/history.py",
            title="History",
            icon=":material/history:",
            url_path="history",
            help="Every vote, with its duel; withdraw one, or restore it.",
        ),
    ],
    "Result": [
        st.Page(
            "host/standings.py",
            title="Standings",
            icon=":material/leaderboard:",
            url_path="standings",
            help="How the prompts compare so far, how sure that is, and whether to stop.",
        ),
        st.Page(
            "host/judge.py",
            title="Judge",
            icon=":material/gavel:",
            url_path="judge",
            help="Models that vote within a budget, and how far they may be trusted.",
        ),
        st.Page(
            "host/export.py",
            title="Export",
            icon=":material/download:",
            url_path="export",
            help="Votes and the winning prompt as files for other tools.",
        ),
    ],
    "Study": [
        st.Page(
            "host/prompts.py",
            title="Prompts",
            icon=":material/edit_note:",
            url_path="prompts",
            help="The templates that compete: write, fork, retire.",
        ),
        st.Page(
            "host/inputs.py",
            title="Inputs",
            icon=":material/table_rows:",
            url_path="inputs",
            help="The rows of variables that every prompt is tried on.",
        ),
        st.Page(
            "host/outputs.py",
            title="Outputs",
            icon=":material/grid_view:",
            url_path="outputs",
            help="What each prompt produced on each input, and what is missing.",
        ),
        st.Page(
            "host/models.py",
            title="Models",
            icon=":material/hub:",
            url_path="models",
            help="Connections to model servers: add, test, set prices and limits.",
        ),
        st.Page(
            "host/studies.py",
            title="Studies",
            icon=":material/folder_open:",
            url_path="studies",
            help="Create, rename, duplicate and archive studies; restore the samples.",
        ),
    ],
}

with frame.errors_shown():  # what no screen caught: above all a database that cannot be used
    visit = access.visitor()
    page = st.navigation(screens)
    frame.sidebar(visit)
    page.run()

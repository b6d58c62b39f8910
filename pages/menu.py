"""Which screens exist, for whom, and in what order: the script that every visit runs first."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.parts import access, frame

st.set_page_config(page_title="Prompt Duel", page_icon="⚖️", layout="wide")

# The default screen answers at "/" only, whatever path it takes. These are what people write down.
TAKEN, WRITTEN = "start", ("duel", "vote")

HOST = {
    "Vote": [
        st.Page(
            "rater/duel.py",
            title="Duel",
            icon=":material/compare_arrows:",
            url_path=TAKEN,
            default=True,
            help="Two outputs on the same input, side by side and unnamed: say which is better.",
        ),
        *(st.Page("rater/duel.py", title="Duel", url_path=path, visibility="hidden") for path in WRITTEN),
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
            "host/evolve.py",
            title="Evolve",
            icon=":material/genetics:",
            url_path="evolve",
            help="New prompts from what the voters liked, their duels, and who descends from whom.",
        ),
        st.Page(
            "host/report.py",
            title="Report",
            icon=":material/summarize:",
            url_path="report",
            help="The decision in one page: the winner, how sure and why, and what speaks against it.",
        ),
        st.Page(
            "host/present.py",
            title="Present",
            icon=":material/slideshow:",
            url_path="present",
            help="The decision as slides, with a duel for those in the room.",
        ),
        st.Page(
            "host/lab.py",
            title="Lab",
            icon=":material/science:",
            url_path="lab",
            help="This study simulated: which selector finds the best prompt, and with how many votes.",
        ),
        st.Page(
            "host/export.py",
            title="Export",
            icon=":material/download:",
            url_path="export",
            help="Votes and the winning prompt as files for other tools.",
        ),
    ],
    "Session": [
        st.Page(
            "host/sessions.py",
            title="Sessions",
            icon=":material/groups:",
            url_path="sessions",
            help="Let many people vote: a link to join, a goal, what raters may see.",
        ),
        st.Page(
            "host/board.py",
            title="Board",
            icon=":material/monitoring:",
            url_path="board",
            help="A session live, for a big screen; the pairs of a room are shown here.",
        ),
        st.Page(
            "host/raters.py",
            title="Raters",
            icon=":material/person_search:",
            url_path="raters",
            help="How careful raters are and how far they agree; set one's votes aside.",
        ),
        st.Page(
            "host/groups.py",
            title="Groups",
            icon=":material/diversity_3:",
            url_path="groups",
            help="What each group of raters prefers, and whether groups disagree.",
        ),
        st.Page("rater/join.py", title="Join", url_path="join", visibility="hidden"),
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
        st.Page(
            "host/login.py",
            title="Access",
            icon=":material/key:",
            url_path="host",
            help="The host's password: set it, change it, log out.",
        ),
    ],
}


def rater(room: bool) -> list[StreamlitPage]:
    """What whoever joined a session may see: their duels and their own votes."""
    duel = "rater/room.py" if room else "rater/duel.py"
    return [
        st.Page(duel, title="Duel", icon=":material/compare_arrows:", url_path=TAKEN, default=True),
        *(st.Page(duel, title="Duel", url_path=path, visibility="hidden") for path in WRITTEN),
        st.Page("rater/history.py", title="My votes", icon=":material/history:", url_path="history"),
        st.Page("rater/join.py", title="Session", icon=":material/info:", url_path="join"),
    ]


def guest() -> list[StreamlitPage]:
    """What anybody may see. At the address of any other screen they are asked who they are, and find the
    screen there once they may see it."""
    asked = {page.url_path: "host/login.py" for pages in HOST.values() for page in pages}
    asked |= dict.fromkeys((*WRITTEN, "history", "join"), "rater/join.py")
    return [
        st.Page("rater/join.py", title="Join", icon=":material/login:", url_path=TAKEN, default=True),
        st.Page("host/login.py", title="Host", icon=":material/key:", url_path="host"),
        *(
            st.Page(screen, title="Who are you?", url_path=path, visibility="hidden")
            for path, screen in asked.items()
            if path not in ("", "host")
        ),
    ]


# Screens that are not offered cannot be reached by their address either.
with frame.errors_shown():  # what no screen caught: above all a database that cannot be used
    visit = access.visitor()
    access.remember(visit)
    if visit.role is access.Role.HOST:
        page = st.navigation(HOST, position="hidden")
        frame.for_host(visit, HOST)
    else:
        page = st.navigation(guest() if visit.session is None else rater(visit.session.room))
        frame.for_rater(visit)
    page.run()

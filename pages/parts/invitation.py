"""How people get in: the link, its code in large letters, and a QR picture of it."""

from io import BytesIO
from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st

from optimizer.sessions import Session
from pages.parts import labels
from pages.parts.access import LOOPBACK, Visit

QUIET_ZONE = 3  # light modules around the picture


def link(visit: Visit, session: Session) -> str:
    """The address that opens the session: on the public one of the server, or as this page was reached."""
    here = urlsplit(st.context.url or "http://localhost:8501")
    base = visit.services.config.public_url or f"{here.scheme}://{here.netloc}"
    return f"{base}/join?{urlencode({'code': session.id})}"


def code(session: Session) -> str:
    """Three letters at a time: easier to read from a wall and to type."""
    return f"{session.id[:3]} {session.id[3:]}"


def picture(address: str, size: int = 4) -> str:
    """The QR picture as SVG, dark on light whatever the theme."""
    drawn = BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", scale=size, border=QUIET_ZONE, light="#ffffff", dark="#10191d", xmldecl=False
    )
    return drawn.getvalue().decode()


def draw_large(visit: Visit, session: Session) -> None:
    """The same for a wall, to be read from the last row."""
    address = link(visit, session)
    left, right = st.columns([2, 3], vertical_alignment="center")
    left.image(picture(address, 8), width=360)
    with right:
        st.markdown("Join with a camera, or at")
        st.markdown(f"#### {labels.plain(address.partition('?')[0])}")
        with st.container(key="wall_code"):
            st.markdown(f"# {code(session)}")
        _warn(address)


def draw(visit: Visit, session: Session, size: int = 4) -> None:
    """Everything that somebody needs to join."""
    address = link(visit, session)
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.image(picture(address, size), width=30 * size + 30)
    with right:
        st.markdown(f"Code **{code(session)}**")
        st.code(address, language=None, wrap_lines=True)
        _warn(address)


def _warn(address: str) -> None:
    """A link that others cannot follow must not go on a wall unnoticed."""
    if urlsplit(address).hostname in LOOPBACK:
        st.caption(
            ":material/warning: This address works on this machine only. Open the app by its network "
            "address, or set `PROMPT_DUEL_PUBLIC_URL`."
        )

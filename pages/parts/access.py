"""Who is here and what they may see. Every screen calls one of the guards first, whatever led to it.

A host runs studies: whoever gave the password or logged in as one, and as long as no password is set,
everybody on the machine itself. A rater took a seat in a session and sees their duels and nothing else,
also on the host's machine, until they leave. Anybody else is a guest, who may join or log in.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, wraps
from ipaddress import ip_address
from typing import ParamSpec
from urllib.parse import urlsplit

import streamlit as st

from optimizer.assemble import Services, services
from optimizer.domain import Rater, RaterId, RaterKind, Study, StudyId, utc_now
from optimizer.sessions.nouns import Seat, Session

PERSON_COOKIE = "prompt_duel_person"
NO_COOKIE = "local"
DRAWN_FOR = "drawn_for"
P = ParamSpec("P")
NAMELESS = "Person"  # a rater who has not said who they are
STUDY = "study"  # both the widget key and the query parameter, so that a link restores the view
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
FORWARDED = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"}


def names_of(raters: Iterable[Rater]) -> dict[RaterId, str]:
    """What a study's raters are called on every screen: who never said a name goes by a number."""
    return {
        rater.id: f"Rater {number}" if rater.name == NAMELESS else rater.name
        for number, rater in enumerate(raters, start=1)
    }


class Role(StrEnum):
    HOST = "host"
    RATER = "rater"
    GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Visit:
    """One script run: the services, the person's secret token, their role, the studies that they may see."""

    services: Services
    person: str
    studies: tuple[Study, ...]
    role: Role = Role.HOST
    seat: Seat | None = None
    session: Session | None = None

    def study(self) -> Study | None:
        """The chosen study, or None while there is none; for a rater that of the session."""
        if self.role is not Role.HOST:
            return next(iter(self.studies), None)
        chosen = st.session_state.get(STUDY)
        return next((study for study in self.studies if study.id == chosen), None)

    def rater(self, study: StudyId) -> Rater:
        """This person as a rater of a study; stored on the first vote screen."""
        rater = Rater(self.rater_id(study), study, NAMELESS, RaterKind.HUMAN)
        return self.services.workshop.join(study, rater)

    def rater_id(self, study: StudyId) -> RaterId:
        """The same for every visit of this browser; does not give the cookie away."""
        if self.seat is not None:
            return self.seat.rater
        return RaterId(hashlib.sha256(f"{study}/{self.person}".encode()).hexdigest()[:16])


def person() -> str:
    """The secret token of this browser; without a cookie (a script) everybody is one and the same."""
    return st.context.cookies.get(PERSON_COOKIE, NO_COOKIE)


def address() -> str:
    """Where this person calls from, as far as wrong guesses are counted by it. Behind a proxy in the same
    network all calls come from the proxy, so what it notes last, itself, belongs to the address; what a
    caller from elsewhere writes there is not believed."""
    peer = st.context.ip_address or ""
    noted = st.context.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return f"{peer} {noted}".strip() if _is_near(peer) else peer


def _is_near(peer: str) -> bool:
    try:
        return not peer or ip_address(peer).is_private
    except ValueError:
        return False


def is_local() -> bool:
    """Is the browser on this machine, by all that it and any proxy say?"""
    headers = {name.lower(): value for name, value in st.context.headers.items()}
    if FORWARDED & headers.keys() or not _is_loopback(st.context.ip_address):
        return False
    named = (headers.get("host", "localhost"), urlsplit(headers.get("origin", "http://localhost")).netloc)
    return all(urlsplit(f"//{name}").hostname in LOOPBACK for name in named)


def _is_loopback(address: str | None) -> bool:
    """Streamlit says None for 127.0.0.1 and ::1, but not where a socket for IPv6 took a call over IPv4."""
    if address is None:
        return True
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


@cache
def login_offered() -> bool:
    """Is a provider of OpenID Connect configured in the secrets file? Looked up once: every run asks."""
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets


def e_mail() -> str:
    """Of whoever logged in through the provider, which vouches for it; "" for anybody else."""
    known = st.user.to_dict() if login_offered() else {}
    if not known.get("is_logged_in") or known.get("email_verified") is False:
        return ""
    return str(known.get("email") or "").casefold()


def given_name() -> str:
    """Of whoever logged in through the provider; "" for anybody else."""
    return str(st.user.get("name") or e_mail()) if e_mail() else ""


def may_host(running: Services, who: str) -> bool:
    """Logged in as a host; or nothing is locked yet, and they sit at this machine."""
    if e_mail() in running.config.hosts or (who != NO_COOKIE and running.gate.is_host(who)):
        return True
    return is_open(running) and is_local()


def is_open(running: Services) -> bool:
    """Is there nothing yet by which a host could log in?"""
    return not (running.gate.has_password() or (login_offered() and running.config.hosts))


def visitor() -> Visit:
    """Whoever is looking, and what there is to look at."""
    running, who = services(), person()
    seat = None if who == NO_COOKIE else running.sessions.seat(who)
    if seat is not None:
        session = running.sessions.session(seat.session)
        return Visit(running, who, (running.store.study(seat.study),), Role.RATER, seat, session)
    if not may_host(running, who):
        return Visit(running, who, (), Role.GUEST)
    studies = tuple(study for study in running.store.studies() if study.archived_at is None)
    return Visit(running, who, studies)


def remember(visit: Visit) -> None:
    """Whom this run of the page is drawn for; see ``is_as_drawn``."""
    st.session_state[DRAWN_FOR] = _who(visit)


def is_as_drawn() -> bool:
    """Is it still the one that the page was drawn for? A page may lie open while its person logs out, takes
    a seat or leaves it elsewhere, and what it calls back runs before any screen has asked who is there."""
    drawn = st.session_state.get(DRAWN_FOR)
    return drawn is None or drawn == _who(visitor())


def while_host(draw: Callable[P, None]) -> Callable[P, None]:
    """A part of a host's screen that is drawn again by itself, and no longer when they host no more."""

    @wraps(draw)
    def drawn(*given: P.args, **named: P.kwargs) -> None:
        if visitor().role is not Role.HOST:
            st.rerun()
        draw(*given, **named)

    return drawn


def _who(visit: Visit) -> str:
    return f"{visit.role} {visit.seat.rater if visit.seat else ''}"


def host() -> Visit:
    """For screens of the host: stops the run for everybody else."""
    visit = visitor()
    if visit.role is not Role.HOST:
        st.error("This screen is for the host of the study.", icon=":material/lock:")
        st.stop()
    return visit


def enter() -> tuple[Visit, Study]:
    """For the host's screens about one study: stops the run with a way out when there is none."""
    visit = host()
    return visit, _chosen(visit)


def rating() -> tuple[Visit, Study]:
    """For the screens that raters see too: the study on the terms of their session."""
    visit = visitor()
    study = _to_rate(visit)
    if study is not None:
        return visit, study
    if visit.role is Role.GUEST:
        st.error("Join a session, or log in, to see this screen.", icon=":material/lock:")
        st.stop()
    if visit.seat is not None:
        st.switch_page("rater/join.py")
    return visit, _chosen(visit)


def still_rating() -> tuple[Visit, Study] | None:
    """As ``rating``, for callbacks: None where that would draw or lead elsewhere."""
    visit = visitor()
    study = _to_rate(visit)
    return None if study is None else (visit, study)


def _to_rate(visit: Visit) -> Study | None:
    if visit.role is Role.GUEST:
        return None
    if visit.seat is None or visit.session is None:
        return visit.study()
    if not visit.seat.practised:
        return None
    (study,) = visit.studies
    return visit.session.terms(study, utc_now())


def _chosen(visit: Visit) -> Study:
    study = visit.study()
    if study is None:
        st.info("There is no study yet.", icon=":material/folder_open:")
        if st.button("Restore the sample study", type="primary"):
            visit.services.studies.restore_samples()
            st.rerun()
        st.stop()
    return study

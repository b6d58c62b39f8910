"""Sessions and seats as the bodies of documents, and back.

A minor version may add a field: what is missing in an older document has its default.
"""

from datetime import datetime
from typing import Any

from optimizer.domain import RaterId, StudyId
from optimizer.errors import StorageError
from optimizer.sessions.nouns import Goal, Reveal, Seat, Session, SessionId
from optimizer.storage.documents import Document

SESSION, SEAT, PLACE, ROOM, ROUND = "session", "seat", "place", "room", "round"  # kinds of documents


def session_body(session: Session) -> dict[str, Any]:
    return {
        "name": session.name,
        "instructions": session.instructions,
        "room": session.room,
        "goal": session.goal.value,
        "goal_votes": session.goal_votes,
        "overlap": session.overlap,
        "overlap_share": session.overlap_share,
        "reasons": session.reasons,
        "reveal": session.reveal.value,
        "names_hidden": session.names_hidden,
        "selector": session.selector,
        "groups": list(session.groups),
        "lease_minutes": session.lease_minutes,
        "closes_at": told(session.closes_at),
        "opened_at": told(session.opened_at),
        "closed_at": told(session.closed_at),
        "archived_at": told(session.archived_at),
    }


def read_session(document: Document) -> Session:
    body, id, study = document.body, SessionId(document.id), study_of(document)
    plain = Session(id, study, str(body["name"]))
    return Session(
        id,
        study,
        plain.name,
        str(body.get("instructions", plain.instructions)),
        bool(body.get("room", plain.room)),
        Goal(body.get("goal", plain.goal)),
        int(body.get("goal_votes", plain.goal_votes)),
        int(body.get("overlap", plain.overlap)),
        float(body.get("overlap_share", plain.overlap_share)),
        bool(body.get("reasons", plain.reasons)),
        Reveal(body.get("reveal", plain.reveal)),
        bool(body.get("names_hidden", plain.names_hidden)),
        str(body.get("selector", plain.selector)),
        tuple(str(group) for group in body.get("groups", plain.groups)),
        float(body.get("lease_minutes", plain.lease_minutes)),
        moment(body.get("closes_at")),
        datetime.fromisoformat(body["opened_at"]),
        moment(body.get("closed_at")),
        moment(body.get("archived_at")),
    )


def seat_body(seat: Seat) -> dict[str, Any]:
    return {
        "session": seat.session,
        "name": seat.name,
        "group": seat.group,
        "practised": seat.practised,
        "joined_at": told(seat.joined_at),
    }


def read_seat(document: Document) -> Seat:
    body = document.body
    return Seat(
        RaterId(document.id),
        SessionId(str(body["session"])),
        study_of(document),
        str(body["name"]),
        str(body.get("group", "")),
        bool(body.get("practised", False)),
        datetime.fromisoformat(body["joined_at"]),
    )


def study_of(document: Document) -> StudyId:
    if document.study is None:
        raise StorageError(f"The {document.kind} '{document.id}' belongs to no study.")
    return document.study


def told(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)

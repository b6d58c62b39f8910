"""Sessions: a host asks many people to vote on one study, each at their own pace or all in one room.

``Sessions`` opens and closes them and lets people join; ``Admission`` is what the workshop asks before it
hands out a duel or takes a vote; ``Room`` shows everybody the same pair; ``Board``, ``Quality`` and
``Groups`` read the votes; ``Gate`` knows who may host.
"""

from optimizer.sessions.nouns import Goal, Reveal, Seat, Session
from optimizer.sessions.service import Sessions

__all__ = ["Goal", "Reveal", "Seat", "Session", "Sessions"]

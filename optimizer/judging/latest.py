"""The newest plan of a study, kept beside the votes: what a run that ended with its process had in mind."""

from contextlib import suppress
from dataclasses import asdict

from optimizer.domain import StudyId
from optimizer.errors import Conflict
from optimizer.judges import JudgeSettings
from optimizer.judging.plan import Plan, Seat
from optimizer.llm.budget import Budget
from optimizer.storage.base import Store
from optimizer.storage.documents import Document

KIND = "judge_plan"


def keep(store: Store, plan: Plan) -> None:
    """In place of the study's last one. Duels that were wanted by name are not kept."""
    body = {
        "panel": [{"connection": seat.connection, "settings": asdict(seat.settings)} for seat in plan.panel],
        "duels": plan.duels,
        "calibrate": plan.calibrate,
        "until_advised": plan.until_advised,
        "budget": asdict(plan.budget),
        "outputs": plan.outputs,
    }
    known = store.documents.get(KIND, plan.study)
    with suppress(Conflict):  # another run began at the same moment: either may be the last one
        store.documents.put(Document(KIND, plan.study, body, plan.study, known.version if known else 0))


def latest(store: Store, study: StudyId) -> Plan | None:
    """The plan as it was started; None before the first."""
    known = store.documents.get(KIND, study)
    if known is None:
        return None
    body = known.body
    panel = tuple(Seat(seat["connection"], JudgeSettings(**seat["settings"])) for seat in body["panel"])
    return Plan(
        study,
        panel,
        body["duels"],
        body["calibrate"],
        until_advised=body["until_advised"],
        budget=Budget(**body["budget"]),
        outputs=body["outputs"],
    )

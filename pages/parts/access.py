"""Who is here and what they may see. Every screen calls ``enter`` first, whatever led to it."""

import hashlib
from dataclasses import dataclass

import streamlit as st

from optimizer.assemble import Services, services
from optimizer.domain import Rater, RaterId, RaterKind, Study, StudyId

PERSON_COOKIE = "prompt_duel_person"
NAMELESS = "Person"  # a rater who has not said who they are
STUDY = "study"  # both the widget key and the query parameter, so that a link restores the view


@dataclass(frozen=True, slots=True)
class Visit:
    """One script run: the services, the person's secret token, and the studies not archived."""

    services: Services
    person: str
    studies: tuple[Study, ...]

    def study(self) -> Study | None:
        """The chosen study, or None while there is none."""
        chosen = st.session_state.get(STUDY)
        return next((study for study in self.studies if study.id == chosen), None)

    def rater(self, study: StudyId) -> Rater:
        """This person as a rater of a study; stored on the first vote screen."""
        rater = Rater(self.rater_id(study), study, NAMELESS, RaterKind.HUMAN)
        return self.services.workshop.join(study, rater)

    def rater_id(self, study: StudyId) -> RaterId:
        """The same for every visit of this browser; does not give the cookie away."""
        return RaterId(hashlib.sha256(f"{study}/{self.person}".encode()).hexdigest()[:16])


def person() -> str:
    """The secret token of this browser; without a cookie (a script) everybody is one and the same."""
    return st.context.cookies.get(PERSON_COOKIE, "local")


def visitor() -> Visit:
    """Whoever is looking, and what there is to look at."""
    running = services()
    studies = tuple(study for study in running.store.studies() if study.archived_at is None)
    return Visit(running, person(), studies)


def enter() -> tuple[Visit, Study]:
    """For screens about one study: stops the run with a way out when there is none."""
    visit = visitor()
    study = visit.study()
    if study is None:
        st.info("There is no study yet.", icon=":material/folder_open:")
        if st.button("Restore the sample study", type="primary"):
            visit.services.studies.restore_samples()
            st.rerun()
        st.stop()
    return visit, study

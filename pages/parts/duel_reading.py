"""A duel to read again: its input, both outputs, every vote on it, and the link to it."""

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from optimizer.domain import Ballot, Duel, DuelId, Outcome, Prompt, PromptId, RaterId, Study, VoteId
from pages.parts import access, cards, diff, judge_ruling, labels, notices, output_text
from pages.parts.access import Visit

DUEL = "duel"  # query parameter
TIES = {Outcome.BOTH_GOOD: "Both good", Outcome.BOTH_BAD: "Both bad", Outcome.SKIP: "Skipped"}


def open_duel(duel: DuelId) -> None:
    """Show this duel, and name it in the URL. For callbacks."""
    st.query_params[DUEL] = duel


def close_duel() -> None:
    st.query_params.pop(DUEL, None)


def vote_in_words(ballot: Ballot, names: Mapping[PromptId, str]) -> str:
    """'Terse better, clearly'; 'A better, clearly' where the prompts are not to be named."""
    vote, duel = ballot.vote, ballot.duel
    if vote.outcome in TIES:
        return TIES[vote.outcome]
    first = vote.outcome is Outcome.FIRST
    winner = names.get(duel.first_prompt if first else duel.second_prompt, "A" if first else "B")
    return f"{winner} better, {vote.grade}" if vote.grade else f"{winner} better"


def draw(visit: Visit, study: Study, duel: Duel, raters: Mapping[RaterId, str], named: bool) -> None:
    """The duel. The prompts are named only on request, and never before a vote was cast."""
    store = visit.services.store
    ballots = store.ballots(study.id, duel=duel.id)
    prompts = {prompt.id: prompt for prompt in store.prompts(study.id)} if named and ballots else {}
    names = {prompt.id: prompt.name for prompt in prompts.values()}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("One duel", anchor=False, width="stretch")
        st.button("Close", key="close_duel", icon=":material/close:", on_click=close_duel)
    if not ballots:
        st.info(
            "Nobody has voted on this duel, so the prompts stay unnamed.", icon=":material/visibility_off:"
        )
    for ballot in ballots:
        _draw_ballot(visit, ballot, raters, names)
    shown = visit.services.workshop.show(duel)
    cards.input_card(shown.variables, whole=False)
    mode = output_text.fitting_mode((shown.first.text, shown.second.text))
    for column, side, prompt, output in zip(
        st.columns(2, gap="medium"),
        ("A", "B"),
        (duel.first_prompt, duel.second_prompt),
        (shown.first, shown.second),
        strict=True,
    ):
        with column:
            if prompt in names:
                st.markdown(f"**{labels.plain(names[prompt])}**")
            cards.output(output.text, mode, "pane_first" if side == "A" else "pane_second")
    with st.expander("Copy the outputs", key="outputs_to_copy", on_change="rerun") as opened:
        if opened.open:
            cards.copies(shown.first.text, shown.second.text)
    if prompts:
        _draw_difference(prompts[duel.first_prompt], prompts[duel.second_prompt])
    if visit.session is None:  # why tells a little of how the prompts stand
        st.caption(f":material/psychology_alt: {labels.plain(cards.why(duel))}")
    st.caption("Link to this duel:")
    st.code(link(study, duel), language=None, wrap_lines=True)


def link(study: Study, duel: Duel) -> str:
    """The address that opens this duel."""
    address = (st.context.url or "/history").split("?")[0].split("#")[0]
    return f"{address}?{urlencode({access.STUDY: study.id, DUEL: duel.id})}"


def _draw_ballot(
    visit: Visit, ballot: Ballot, raters: Mapping[RaterId, str], names: Mapping[PromptId, str]
) -> None:
    """What was said, by whom, why; and the button that takes it back."""
    vote = ballot.vote
    withdrawn = vote.withdrawn_at is not None
    with st.container(border=True, key=f"ballot_{vote.id}", gap="xxsmall"):
        badge = " :orange-badge[withdrawn]" if withdrawn else ""
        replay = " :gray-badge[replay]" if ballot.duel.replay else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{labels.plain(vote_in_words(ballot, names))}**{badge}{replay}", width="stretch")
            if withdrawn:
                st.button(
                    "Restore the vote", key=f"restore_{vote.id}", on_click=_restore, args=(visit, vote.id)
                )
            else:
                st.button(
                    "Withdraw the vote", key=f"withdraw_{vote.id}", on_click=_withdraw, args=(visit, vote.id)
                )
        facts = [raters.get(vote.rater, "Somebody"), f"{labels.local_time(vote.at):%Y-%m-%d %H:%M}"]
        if vote.view_ms is not None:
            facts.append(f"after {vote.view_ms / 1000:.0f} s")
        st.caption(labels.plain(" · ".join(facts)))
        for side, reasons in (("A", vote.first_reasons), ("B", vote.second_reasons)):
            if reasons:
                st.caption(labels.plain(f"{side} was {', '.join(reasons)}."))
        if vote.comment:
            output_text.draw(vote.comment, output_text.MARKDOWN)
        judge_ruling.draw(vote)


def _draw_difference(first: Prompt, second: Prompt) -> None:
    with st.expander("The two prompts compared", key="prompts_compared", on_change="rerun") as opened:
        if opened.open:
            diff.draw(first.text, second.text, first.name, second.name)


def _withdraw(visit: Visit, vote: VoteId) -> None:
    by = visit.seat.rater if visit.seat else None
    notices.attempt(
        lambda: visit.services.workshop.withdraw(vote, by), "Withdrawn: the vote no longer counts."
    )


def _restore(visit: Visit, vote: VoteId) -> None:
    by = visit.seat.rater if visit.seat else None
    notices.attempt(lambda: visit.services.workshop.restore(vote, by), "Restored: the vote counts again.")

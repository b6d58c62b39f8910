"""The history screen."""

from dataclasses import replace

from optimizer.domain import Outcome, RaterId, Study
from tests.pages.visitor import Visitor

SCREEN = "rater/history.py"
FIRST, SECOND = Outcome.FIRST, Outcome.SECOND


def voted_study(visitor: Visitor) -> Study:
    return visitor.study(["Terse", "Warm"], ["one"], outputs=True)


def listed(visitor: Visitor) -> list[str]:
    tables = visitor.at.dataframe
    return list(tables[0].value["Vote"]) if tables else []


def test_before_the_first_vote_there_is_a_sentence(visitor: Visitor) -> None:
    visitor.go(SCREEN, voted_study(visitor))
    assert "No votes yet" in visitor.shown()


def test_votes_are_listed_newest_first_in_words(visitor: Visitor) -> None:
    study = voted_study(visitor)
    visitor.voted(study, [FIRST, SECOND, Outcome.BOTH_GOOD, Outcome.BOTH_BAD, Outcome.SKIP])
    at = visitor.go(SCREEN, study)
    assert listed(visitor) == ["Skipped", "Both bad", "Both good", "Warm better", "Terse better"]
    assert list(at.dataframe[0].value["Input"]) == ["one"] * 5


def test_a_rater_sees_their_own_votes_and_everyones_on_request(visitor: Visitor) -> None:
    study = voted_study(visitor)
    visitor.voted(study, [FIRST])
    visitor.voted(study, [SECOND], "Anna")
    at = visitor.go(SCREEN, study)
    assert listed(visitor) == ["Terse better"]
    at.selectbox(key="whose").set_value("everyone")
    visitor.run()
    assert listed(visitor) == ["Warm better", "Terse better"]
    assert list(at.dataframe[0].value["Rater"]) == ["Anna", "You"]
    at.selectbox(key="whose").set_value(visitor.rater(study, "Anna").id)
    visitor.run()
    assert listed(visitor) == ["Warm better"]


def test_a_host_who_did_not_vote_is_told_where_the_votes_are(visitor: Visitor) -> None:
    study = voted_study(visitor)
    visitor.voted(study, [SECOND], "Anna")
    visitor.go(SCREEN, study)
    assert "No vote of yours yet. Choose Everyone" in visitor.shown()


def test_raters_without_a_name_are_numbered(visitor: Visitor) -> None:
    study = voted_study(visitor)
    visitor.voted(study, [FIRST])
    for number in (2, 3):
        other = replace(visitor.rater(study), id=RaterId(f"other {number}"))
        visitor.services.workshop.join(study.id, other)
    at = visitor.go(SCREEN, study)
    assert list(at.selectbox(key="whose").options) == ["You", "Everyone", "Rater 2", "Rater 3"]


def test_filters(visitor: Visitor) -> None:
    study = voted_study(visitor)
    duels = visitor.voted(study, [FIRST, SECOND, Outcome.BOTH_BAD])
    vote = visitor.services.store.ballots(study.id, duel=duels[0].id)[0].vote
    visitor.services.workshop.withdraw(vote.id)
    at = visitor.go(SCREEN, study)
    at.segmented_control(key="state").set_value("Withdrawn")
    visitor.run()
    assert listed(visitor) == ["Terse better"]
    at.segmented_control(key="state").set_value("Standing")
    at.multiselect(key="outcomes").set_value([SECOND.value])
    visitor.run()
    assert listed(visitor) == ["Warm better"]
    at.multiselect(key="outcomes").set_value([FIRST.value])
    visitor.run()
    assert listed(visitor) == []
    assert "No vote passes this filter." in visitor.shown()


def test_a_pair_of_prompts_can_be_looked_at(visitor: Visitor) -> None:
    study = voted_study(visitor)
    visitor.voted(study, [FIRST])
    third = visitor.services.prompts.write(study.id, "Third", "{{text}}")
    terse = visitor.services.store.prompts(study.id)[0]
    at = visitor.go(SCREEN, study)
    at.multiselect(key="pair").set_value([terse.id])
    visitor.run()
    assert listed(visitor) == ["Terse better"]
    at.multiselect(key="pair").set_value([terse.id, third.id])
    visitor.run()
    assert listed(visitor) == []


def test_the_link_to_a_duel_opens_it_and_its_vote_is_withdrawn_and_restored(visitor: Visitor) -> None:
    study = voted_study(visitor)
    duel = visitor.voted(study, [FIRST, SECOND])[0]
    vote = visitor.services.store.ballots(study.id, duel=duel.id)[0].vote
    visitor.services.workshop.note(vote.id, vote.rater, ("useful",), ("too long",), "B rambles.")
    visitor.link(SCREEN, study, duel=duel.id)
    for said in (
        "Terse on one",
        "Warm on one",
        "Terse better",
        "A was useful.",
        "B was too long.",
        "B rambles.",
    ):
        assert said in visitor.shown()
    assert f"&duel={duel.id}" in visitor.shown()
    assert {"**Terse**", "**Warm**"} <= {text.value for text in visitor.at.markdown}
    visitor.click(f"withdraw_{vote.id}")
    assert visitor.services.store.vote(vote.id).withdrawn_at is not None
    assert "withdrawn" in visitor.shown()
    visitor.click(f"restore_{vote.id}")
    assert visitor.services.store.vote(vote.id).withdrawn_at is None


def test_a_vote_that_another_one_replaced_cannot_come_back(visitor: Visitor) -> None:
    study = voted_study(visitor)
    me = visitor.rater(study)
    duel = visitor.services.workshop.next_duel(study.id, me.id).duel
    old = visitor.services.workshop.record_vote(duel.id, me.id, FIRST)
    visitor.services.workshop.undo(study.id, me.id)
    visitor.services.workshop.record_vote(duel.id, me.id, SECOND)
    at = visitor.link(SCREEN, study, duel=duel.id)
    visitor.click(f"restore_{old.id}")
    assert at.error
    assert visitor.services.store.vote(old.id).withdrawn_at is not None


def test_a_duel_that_nobody_answered_stays_blind(visitor: Visitor) -> None:
    study = voted_study(visitor)
    visitor.voted(study, [FIRST])
    duel = visitor.services.workshop.next_duel(study.id, visitor.rater(study, "Anna").id).duel
    at = visitor.link(SCREEN, study, duel=duel.id)
    assert "the prompts stay unnamed" in visitor.shown()
    assert "**Terse**" not in [text.value for text in at.markdown]
    assert "Terse on one" in visitor.shown()


def test_a_blind_study_names_no_prompt_to_its_raters(visitor: Visitor) -> None:
    study = voted_study(visitor)
    settings = replace(study.settings, reveal=False)
    visitor.services.studies.edit(study.id, settings=settings)
    duel = visitor.voted(study, [FIRST])[0]
    at = visitor.link(SCREEN, study, duel=duel.id)
    assert listed(visitor) == ["A better"]
    assert "A" not in at.dataframe[0].value.columns
    assert "Terse better" not in visitor.shown()
    assert "A better" in visitor.shown()


def test_a_link_to_nowhere_says_so_and_the_list_is_there(visitor: Visitor) -> None:
    study = voted_study(visitor)
    visitor.voted(study, [FIRST])
    at = visitor.link(SCREEN, study, duel="0123456789abcdef")
    assert "0123456789abcdef" in at.error[0].value
    assert listed(visitor) == ["Terse better"]


def test_a_link_to_a_duel_of_another_study_opens_it(visitor: Visitor) -> None:
    study, other = voted_study(visitor), voted_study(visitor)
    visitor.voted(study, [FIRST])
    duel = visitor.voted(other, [SECOND])[0]
    visitor.link(SCREEN, study, duel=duel.id)
    assert f"This duel belongs to the study '{other.name}'." in visitor.shown()
    assert "Warm better" in visitor.shown()


def test_long_histories_are_turned_page_by_page(visitor: Visitor) -> None:
    study = voted_study(visitor)
    visitor.voted(study, [FIRST] * 60 + [SECOND])
    at = visitor.go(SCREEN, study)
    assert listed(visitor) == ["Warm better"] + ["Terse better"] * 49
    visitor.click("older")
    assert listed(visitor) == ["Terse better"] * 11
    assert "Votes 51 to 61" in visitor.shown()
    assert "older" not in [button.key for button in at.button]
    visitor.click("newer")
    assert len(listed(visitor)) == 50


def test_names_of_prompts_are_shown_as_they_are_written(visitor: Visitor) -> None:
    study = visitor.study(["**Bold** [go](https://example.com)", "Warm"], ["one"], outputs=True)
    duel = visitor.voted(study, [FIRST])[0]
    at = visitor.link(SCREEN, study, duel=duel.id)
    at.session_state["prompts_compared"] = True
    visitor.run()
    told = [caption.value for caption in at.caption if "struck" in caption.value]
    assert told
    assert r"\*\*Bold\*\* \[go\](https\://example.com)" in told[0]

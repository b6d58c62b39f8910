"""What speaks against taking the result at its word. Each check looks at the report and says a sentence, or
nothing; all are in ``CHECKS``, gravest first. The limits are ours and stand in the sentences."""

from collections.abc import Callable, Mapping

from optimizer.domain import JudgeVotes
from optimizer.reports.facts import Caution, Report
from optimizer.results import VoteFilter
from optimizer.stats.stopping import AdviceKind

FEW_VOTES = 20
FEW_PER_PROMPT = 5.0
FEW_INPUTS = 5
LONGER = 1.2  # times the others' usual length
FEW_SHARED = 10  # before a rate is held against anything
AGREE = 0.6
STEADY = 0.7
BAD_SHARE = 0.3
SURE_SEGMENT = 0.9


def cautions_of(report: Report) -> tuple[Caution, ...]:
    """Every caution that applies; none but the first without votes."""
    if report.winner is None:
        return (Caution("no_votes", "Nobody has voted yet, so nothing can be said."),)
    found = ((kind, check(report)) for kind, check in CHECKS.items())
    return tuple(Caution(kind, told) for kind, told in found if told)


def _few_votes(report: Report) -> str:
    votes, prompts = report.standings.votes, len(report.standings.active)
    if votes >= FEW_VOTES and votes >= FEW_PER_PROMPT * prompts:
        return ""
    return (
        f"Few votes: {votes} on {prompts} prompts. Below {FEW_VOTES} votes, or {FEW_PER_PROMPT:.0f} per "
        "prompt, "
        "the order can turn with the next few."
    )


def _undecided(report: Report) -> str:
    advice = report.standings.advice
    if advice is None or advice.kind is not AdviceKind.KEEP_GOING or report.winner is None:
        return ""
    more = f" About {advice.more_votes:,} more votes should decide it." if advice.more_votes else ""
    wanted = report.study.settings.confidence
    chance = f"{100 * report.standings.p_winner:.1f} %"
    does = "beats every other prompt" if report.standings.cyclic else "is the best"
    return f"Not decided: the winner {does} with {chance}; {100 * wanted:g} % is wanted.{more}"


def _equal(report: Report) -> str:
    advice = report.standings.advice
    if advice is None or advice.kind is not AdviceKind.PRACTICALLY_EQUAL:
        return ""
    names = [prompt.name for prompt in report.standings.active]
    return (
        f"Practically equal: '{names[advice.runner_up]}' is as good as '{names[advice.leader]}' for all "
        f"purposes, within {100 * report.study.settings.margin:g} points. Cost or taste may decide."
    )


def _circle(report: Report) -> str:
    if not report.standings.cyclic:
        return ""
    around = " beats ".join(f"'{name}'" for name in report.standings.around)
    return (
        f"The preferences run in a circle (probability {report.standings.p_cycle:.0%}): "
        f"{around or 'several'}. "
        "No single order is right."
    )


def _length(report: Report) -> str:
    """Merely longer, or merely shorter: is the length of its outputs what the voters liked?"""
    fair, winner = report.fair, report.winner
    if fair is None or winner is None:
        return ""
    ratio = fair.winner_length / fair.pool_length
    longer, moved = ratio > 1.0, fair.leader.id != report.standings.strongest.prompt.id
    liked = fair.longer_wins if longer else fair.shorter_wins
    if 1.0 / LONGER < ratio < LONGER or not (moved or liked):
        return ""
    word = "longer" if longer else "shorter"
    told = f"Perhaps merely {word}: the winner's outputs are {ratio:.1f} times as long as the others'"
    told += f", and voters prefer the {word} of two outputs." if liked else "."
    leads = f"'{fair.leader.name}' leads" if moved else "it still leads"
    return f"{told} At equal length {leads}."


def _disagreement(report: Report) -> str:
    rate, alpha = report.evidence.people_agree, report.evidence.alpha
    if rate.n < FEW_SHARED or rate.value >= AGREE:
        return ""
    beyond = f" (Krippendorff's alpha {alpha.value:.2f})" if alpha.n and alpha.value == alpha.value else ""
    return (
        f"Disagreement: two people prefer the same output in {rate.value:.0%} of {rate.n} cases{beyond}; a "
        "coin "
        "would reach 50 %. The winner is a majority's, not everybody's."
    )


def _one_rater(report: Report) -> str:
    evidence = report.evidence
    if evidence.people + evidence.judges != 1:
        return ""
    return "All votes are by a single rater: it is their taste that won."


def _judges(report: Report) -> str:
    standings = report.standings
    if 2 * standings.judge_votes <= standings.votes:
        return ""
    share = standings.judge_votes / standings.votes
    return f"{share:.0%} of the votes are by models, not people. See how far the judges agree with people."


def _weighed_judges(report: Report) -> str:
    mode = report.chosen.judges or JudgeVotes(report.study.settings.judge_votes)
    if mode is not JudgeVotes.FULL or not report.standings.judge_votes or not report.standings.human_votes:
        return ""
    return "Votes of models count as much as votes of people in these numbers."


def _unsteady(report: Report) -> str:
    rate = report.evidence.steady
    if rate.n < FEW_SHARED or rate.value >= STEADY:
        return ""
    return (
        f"Unsteady: shown an earlier pair with the sides swapped, voters repeated their answer in "
        f"{rate.value:.0%} of {rate.n} cases."
    )


def _one_sided(report: Report) -> str:
    rate = report.evidence.first_side
    if rate.n < 3 * FEW_SHARED or not rate.significant or abs(rate.value - 0.5) < 0.05:
        return ""
    side = "first (left)" if rate.value > 0.5 else "second (right)"
    return (
        f"Voters favour what is shown {side}: what stood first won {rate.value:.0%} of {rate.n} duels. The "
        "strengths correct for it."
    )


def _weak_pool(report: Report) -> str:
    winner = report.winner
    if winner is None or winner.duels < FEW_SHARED or winner.both_bad < BAD_SHARE * winner.duels:
        return ""
    return (
        f"A weak pool: in {winner.both_bad / winner.duels:.0%} of the winner's duels both outputs were "
        "called bad. "
        "The best of these prompts may not be good enough."
    )


def _few_inputs(report: Report) -> str:
    if report.evidence.inputs >= FEW_INPUTS:
        return ""
    voted_on = report.evidence.inputs
    return f"Few inputs: the votes are on {voted_on} of them. On other inputs another prompt may win."


def _segment(report: Report) -> str:
    winner = report.winner
    others = [
        segment
        for segment in report.segments
        if segment.leader is not None
        and winner is not None
        and segment.leader.id != winner.prompt.id
        and segment.p_best >= SURE_SEGMENT
    ]
    if not others or report.standings.cyclic:  # segments go by strengths
        return ""
    told = ", ".join(f"'{s.leader.name}' on {s.slice} '{s.name}'" for s in others[:4] if s.leader is not None)
    return f"Not everywhere: another prompt is very likely the best on some inputs ({told})."


def _imported(report: Report) -> str:
    if not report.evidence.imported:
        return ""
    return "The votes were cast in another tool: whether sides were drawn and raters blind is not known here."


def _filtered(report: Report) -> str:
    if report.chosen == VoteFilter():
        return ""
    return "Filtered: this report is about some of the votes, chosen by rater, kind, tag or audit."


def _no_text(report: Report) -> str:
    if report.winner is None or report.winner.prompt.text:
        return ""
    return "The winner was imported without its text, so it cannot be used from here."


CHECKS: Mapping[str, Callable[[Report], str]] = {
    "few_votes": _few_votes,
    "undecided": _undecided,
    "practically_equal": _equal,
    "circle": _circle,
    "length": _length,
    "disagreement": _disagreement,
    "segment": _segment,
    "one_rater": _one_rater,
    "judges": _judges,
    "weighed_judges": _weighed_judges,
    "unsteady": _unsteady,
    "one_sided": _one_sided,
    "weak_pool": _weak_pool,
    "few_inputs": _few_inputs,
    "imported": _imported,
    "filtered": _filtered,
    "no_text": _no_text,
}

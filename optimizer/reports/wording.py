"""The report in words: which sections there are, and what each says."""

from optimizer.reports.blocks import (
    Beside,
    Block,
    Bullets,
    Chart,
    Heading,
    Quotes,
    Section,
    Table,
    Text,
    Verbatim,
    Warn,
)
from optimizer.reports.facts import Report, ToldDuel
from optimizer.reports.method import how_sure, reproduce
from optimizer.reports.numbers import (
    counted,
    interval,
    minute,
    percent,
    probability,
    ranks,
)
from optimizer.reports.slices import segments
from optimizer.reports.worth import economy, length
from optimizer.stats.stopping import AdviceKind

LONGEST = {"input": 1000, "output": 2500}  # characters shown of a telling duel
DUEL_TITLES = {
    "win": "A clear win",
    "split": "A split",
    "loss": "A loss of the winner",
}


def sections(report: Report) -> tuple[Section, ...]:
    """All sections in order; those that there is nothing to say in are left out."""
    if report.winner is None:
        return (_question(report), Section("Cautions", [Warn(one.told) for one in report.cautions]))
    made = (
        _question(report),
        _winner(report),
        _cautions(report),
        _standings(report),
        how_sure(report),
        _said(report),
        _duels(report),
        segments(report),
        economy(report),
        length(report),
        _text(report),
        reproduce(report),
    )
    return tuple(section for section in made if section.blocks)


def _question(report: Report) -> Section:
    study = report.study
    blocks: list[Block] = [Text(f"Which prompt is best for this task? {study.task or study.name}")]
    if study.criteria:
        blocks.append(Text("What counts:"))
        blocks.append(Bullets([line for line in study.criteria.splitlines() if line.strip()]))
    blocks.append(
        Text(f"{counted(len(report.standings.active), 'prompt')} on {counted(report.inputs, 'input')}.")
    )
    if study.about:
        blocks.append(Text(study.about, note=True))
    return Section("The question", blocks)


def _winner(report: Report) -> Section:
    winner = report.winner
    assert winner is not None
    return Section(
        "The winner",
        [
            Text(
                f"{winner.prompt.name} {'beats every other' if report.standings.cyclic else 'is the best'} "
                f"prompt with a probability of {probability(report.standings.p_winner)}.",
                lead=True,
            ),
            Text(
                f"It beats another prompt of this pool, drawn at random, in {percent(winner.chance)} of "
                "duels "
                f"(90 % interval {percent(winner.chance_low)} to {percent(winner.chance_high)}). Its "
                "strength is "
                f"{winner.strength:+.2f} logits above the average prompt "
                f"({interval(winner.low, winner.high)})."
            ),
            *_advice(report),
            Chart("p_best", "How the probability of being the best developed over the votes."),
        ],
    )


def _advice(report: Report) -> list[Block]:
    """What else the advice says: a sure winner is named above, but not the circle below it."""
    advice = report.standings.advice
    if advice is None:
        return [Text("It is the only prompt in use.")]
    if advice.kind is AdviceKind.STOP and not report.standings.cyclic:
        return []
    return [Text(advice.sentence([f"'{prompt.name}'" for prompt in report.standings.active]))]


def _cautions(report: Report) -> Section:
    if not report.cautions:
        return Section("Cautions", [Text("None of the checks that we know of speaks against this result.")])
    return Section("Cautions", [Warn(one.told) for one in report.cautions])


def _standings(report: Report) -> Section:
    rows = [
        (
            str(place),
            row.prompt.name + (" (retired)" if row.prompt.retired_at else ""),
            probability(row.p_best),
            f"{row.strength:+.2f}",
            interval(row.low, row.high),
            percent(row.chance),
            ranks(row.rank_low, row.rank_high),
            f"{row.duels:,}",
            f"{row.wins:,}",
            f"{row.losses:,}",
            f"{row.both_good:,}",
            f"{row.both_bad:,}",
        )
        for place, row in enumerate(report.standings.rows, start=1)
    ]
    columns = (
        "", "Prompt", "Best", "Strength", "90 %", "Beats pool", "Rank", "Duels", "Won", "Lost", "Both "
        "good", "Both bad",
    )  # fmt: skip
    marked = next(i for i, row in enumerate(report.standings.rows) if row is report.winner)
    return Section(
        "Standings",
        [
            Table(columns, rows, marked, frozenset({0, *range(2, 12)})),
            Text(
                "Best: probability of being the strongest prompt in use. Strength: logits above the average "
                "prompt, with "
                "the interval that holds it with 90 %. Beats pool: chance to win against another prompt "
                "drawn at "
                "random. Rank: the ranks that 90 % of the probability cover.",
                note=True,
            ),
            Chart("strengths", "Strengths with their 90 % intervals."),
            Chart(
                "wins", "Observed share of duels that the prompt of the row won against that of the column."
            ),
        ],
    )


def _said(report: Report) -> Section:
    voices = report.voices
    assert voices is not None
    blocks: list[Block] = []
    for title, ours, theirs in (
        ("Ticked for", voices.for_winner, voices.for_others),
        ("Ticked against", voices.against_winner, voices.against_others),
    ):
        reasons = list(dict.fromkeys([*ours, *theirs]))
        if reasons:
            rows = [(reason, f"{ours.get(reason, 0):,}", f"{theirs.get(reason, 0):,}") for reason in reasons]
            blocks.append(Table((title, "the winner", "the others"), rows, None, frozenset({1, 2})))
    if voices.praise:
        blocks += [Text("Written where it won:"), Quotes(voices.praise)]
    if voices.blame:
        blocks += [Text("Written where it lost:"), Quotes(voices.blame)]
    if not blocks:
        blocks.append(Text("Nobody gave reasons or wrote a comment."))
    if voices.read < voices.votes:
        blocks.append(Text(f"From the newest {voices.read:,} of {voices.votes:,} votes.", note=True))
    return Section("What voters said", blocks)


def _duels(report: Report) -> Section:
    blocks: list[Block] = []
    assert report.winner is not None
    for duel in report.duels:
        blocks += _duel(duel, report.winner.prompt.name)
    return Section("Telling duels", blocks)


def _duel(duel: ToldDuel, winner: str) -> list[Block]:
    votes = f"{counted(duel.won, 'vote')} for {winner}, {duel.lost:,} for {duel.other_prompt.name}"
    votes += f", {duel.tied:,} undecided"
    shown = "\n\n".join(
        value if len(duel.row.variables) == 1 else f"{name}: {value}"
        for name, value in duel.row.variables.items()
    )
    blocks: list[Block] = [
        Heading(DUEL_TITLES[duel.kind]),
        Text(f"{votes}."),
        Verbatim("Input", cut(shown, LONGEST["input"])),
        Beside(
            Verbatim(winner, cut(duel.winner.text, LONGEST["output"])),
            Verbatim(duel.other_prompt.name, cut(duel.other.text, LONGEST["output"])),
        ),
    ]
    return [*blocks, Quotes(duel.comments)] if duel.comments else blocks


def cut(text: str, longest: int) -> str:
    """The beginning of a long text, saying so."""
    return text if len(text) <= longest else f"{text[:longest]}\n[… {len(text) - longest:,} more characters]"


def _text(report: Report) -> Section:
    assert report.winner is not None
    prompt = report.winner.prompt
    return Section("The winning prompt", [Verbatim(prompt.name, prompt.text)] if prompt.text else [])


def title(report: Report) -> str:
    """What stands on top."""
    return report.study.name


def subtitle(report: Report) -> str:
    """The moment, and how much it rests on."""
    votes = counted(report.standings.votes, "vote")
    raters = counted(report.standings.raters, "rater")
    return f"Decision report of {minute(report.at)} UTC, {votes} by {raters}"

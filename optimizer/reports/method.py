"""How sure and why, and how to get the same numbers again."""

from optimizer.domain import JudgeVotes
from optimizer.reports.blocks import Block, Bullets, Facts, Section, Text, Verbatim
from optimizer.reports.facts import Report
from optimizer.reports.numbers import counted, minute, percent, rate
from optimizer.results import VoteFilter

IN_PLAIN_WORDS = (
    "Raters saw two outputs on the same input, side by side and without names, and said which is better, or "
    "that "
    "both are good or both bad. Sides were drawn at random. After each vote a selector chose the next pair "
    "where an "
    "answer would tell most; some pairs were drawn at random instead, as an audit.",
    "From the votes a model (Bradley-Terry, Bayesian) estimates a strength for each prompt, allowing for a "
    "favourite "
    "side, for inputs that suit some prompts better, and for ties. It does not only give an order but how "
    "sure the "
    "order is: the probabilities and intervals in this report are those of the model, given these votes.",
)
JUDGE_WORDS = {
    JudgeVotes.BESIDE: "stand beside the people's and do not count here",
    JudgeVotes.DISCOUNTED: "count as far as they follow the people's",
    JudgeVotes.FULL: "count in full",
}


def how_sure(report: Report) -> Section:
    """The method, how many votes and raters, and how far they agree."""
    standings, evidence = report.standings, report.evidence
    pairs = [
        ("Votes that count", f"{standings.votes:,}; {standings.skips:,} more were skips"),
        (
            "Raters",
            f"{counted(evidence.people, 'person')}, {counted(evidence.judges, 'judge')}".replace(
                "persons", "people"
            ),
        ),
        (
            "Share of votes by judges",
            percent(standings.judge_votes / standings.votes if standings.votes else 0.0),
        ),
        ("Inputs voted on", f"{evidence.inputs:,} of {report.inputs:,}"),
        ("Random audit duels", f"{evidence.audits:,}"),
        (
            "Two people prefer the same output",
            rate(evidence.people_agree)
            if evidence.people_agree.n
            else "not known: no two people saw the same pair",
        ),
    ]
    if evidence.alpha.n and evidence.alpha.value == evidence.alpha.value:
        pairs.append(
            (
                "Agreement beyond chance (Krippendorff's alpha)",
                f"{evidence.alpha.value:.2f} ({evidence.alpha.low:.2f} to {evidence.alpha.high:.2f})",
            )
        )
    if evidence.steady.n:
        pairs.append(("Same answer with the sides swapped", rate(evidence.steady)))
    if evidence.first_side.n:
        pairs.append(("The output shown first won", rate(evidence.first_side)))
    blocks: list[Block] = [Text(paragraph) for paragraph in IN_PLAIN_WORDS]
    blocks += [Facts(pairs), Text("In brackets: 95 % intervals.", note=True)]
    return Section("How sure, and why", blocks)


def reproduce(report: Report) -> Section:
    """Versions, seed, selector: what the numbers depend on."""
    study, settings = report.study, report.study.settings
    mode = report.chosen.judges or JudgeVotes(settings.judge_votes)
    pairs = [
        ("Study", f"{study.name} ({study.id})"),
        ("Seed", str(study.seed)),
        ("Selector", settings.selector),
        ("Audit share, replay share", f"{settings.audit_share:g}, {settings.replay_share:g}"),
        ("Wanted probability, margin", f"{settings.confidence:g}, {settings.margin:g}"),
        ("Judges' votes", JUDGE_WORDS[mode]),
        ("Careless raters", "weigh less" if settings.weigh_raters else "weigh as much as others"),
        ("Votes", _filter_words(report.chosen)),
        ("Models of the outputs", ", ".join(report.models) or "not recorded"),
        ("Versions", ", ".join(f"{name} {number}" for name, number in report.versions.items())),
        ("Made", f"{minute(report.at)} UTC"),
    ]
    return Section(
        "How to reproduce it",
        [
            Facts(pairs),
            Bullets(
                [
                    "Export the study as an archive and import it elsewhere: the same votes give the same "
                    "numbers, "
                    "because every draw comes from the seed and the number of votes.",
                ]
            ),
            Verbatim(
                "Commands",
                f"python -m optimizer export {study.id} --format archive -o study.zip\n"
                f"python -m optimizer import-study study.zip\n"
                f"python -m optimizer report {study.id} -o report.html",
            ),
        ],
    )


def _filter_words(chosen: VoteFilter) -> str:
    if chosen == VoteFilter():
        return "all that count"
    parts = [f"of {counted(len(chosen.raters), 'rater')}"] if chosen.raters else []
    parts += [f"on inputs tagged {', '.join(sorted(chosen.tags))}"] if chosen.tags else []
    parts += [f"by {'people' if chosen.kind == 'human' else 'judges'}"] if chosen.kind else []
    parts += ["on random audit duels"] if chosen.audit_only else []
    return ", ".join(parts) or "all that count"

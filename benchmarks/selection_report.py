"""The targets, judged by the rows that were measured, as text, Markdown and a plot."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from benchmarks.peers import PEERS
from benchmarks.plot import line_plot
from benchmarks.selection_worlds import BUDGETS, CYCLIC, RIVALS, WORLDS

Row = dict[str, Any]
HALVES = ("", " | again")  # how the keys of the two halves of a cell end


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target: met, not met, or None where nothing was measured."""

    target: str
    met: bool | None
    measured: str


class Report:
    """Everything that can be said from the rows, keyed "world | selector"."""

    def __init__(self, rows: dict[str, Row], seed: int) -> None:
        again = HALVES[1]
        self.halves = {
            key: (row, rows.get(key + again)) for key, row in rows.items() if not key.endswith(again)
        }
        self.rows = {
            key: row if other is None else pooled(row, other) for key, (row, other) in self.halves.items()
        }
        self.seed = seed

    def row(self, world: str, selector: str) -> Row | None:
        return self.rows.get(f"{world} | {selector}")

    def worlds(self) -> list[str]:
        """Worlds in which auto met others, in order."""
        names = dict.fromkeys(key.split(" | ")[0] for key in self.rows if key.endswith(("| auto", "| ours")))
        return [name for name in names if len(self.players(name)) > 1]

    def players(self, world: str) -> dict[str, Row]:
        found = {key.split(" | ")[1]: row for key, row in self.rows.items() if key.startswith(f"{world} | ")}
        return {name: row for name, row in found.items() if "genie" not in name}

    def verdicts(self) -> list[Verdict]:
        return [
            *self._level_with_the_best(),
            *self._cycles(),
            *self._fewer_votes(),
            self._against_duelpy(),
            self._graded(),
            self._in_flight(),
            *self._aware(),
            *self._stopping(),
            *self._speed(),
        ]

    def _level_with_the_best(self) -> list[Verdict]:
        verdicts = []
        for world in self.worlds():
            behind, locked, compared = [], False, 0
            for votes, auto, rivals in self._compared(world):
                compared += 1
                ours, our_error = figure(auto, "regret", votes), figure(auto, "se", votes)
                theirs, spread, named = self._best_rival(world, tuple(rivals), votes)
                error = float(np.hypot(our_error, spread))
                wrong = round((1.0 - figure(auto, "found", votes)) * runs_at(auto, votes))
                if wrong > 1 and ours > max(1.1 * theirs, theirs + error):  # a single run is chance
                    behind.append(f"{votes} votes: {ours:.4f} against {theirs:.4f} ± {error:.4f} ({named})")
                if votes == 500 and "random" in rivals:
                    locked = ours > figure(rivals["random"], "regret", votes) + error
            if compared == 0:
                continue
            said = "; ".join(behind) or f"at all of {compared} budgets"
            said += "; worse than random pairs at 500 votes" if locked else ""
            target = f"{world}: auto within 10 % or one standard error of the best selector"
            verdicts.append(Verdict(target, not behind and not locked, said))
        return verdicts

    def _compared(self, world: str) -> list[tuple[int, Row, dict[str, Row]]]:
        """By budget auto's row and those of the selectors that it met there; nothing of cyclic worlds."""
        auto = self.row(world, "auto")
        if auto is None or world in CYCLIC:
            return []
        others = {
            name: row
            for name, row in self.players(world).items()
            if name != "auto" and not name.startswith(PEERS)
        }
        budgets = [votes for votes in auto["votes"] if votes in BUDGETS]
        by_budget = [(n, {name: row for name, row in others.items() if n in row["votes"]}) for n in budgets]
        return [(votes, auto, met) for votes, met in by_budget if met]

    def _best_rival(self, world: str, names: tuple[str, ...], votes: int) -> tuple[float, float, str]:
        """Regret, standard error and name of the best rival: named by each half, met in the other.

        The lowest of several noisy figures is too low; in runs that did not choose it, it is not.
        """
        pairs = {name: self.halves[f"{world} | {name}"] for name in names}
        sides = [
            {name: row for name, half in pairs.items() if (row := half[side]) and votes in row["votes"]}
            for side in (0, 1)
        ]
        regrets, errors, chosen = [], [], []
        for here, there in (sides, sides[::-1]) if sides[1] else (sides[:1] * 2,):  # one half: its own choice
            best = min(here, key=lambda name, here=here: figure(here[name], "regret", votes))
            met = there.get(best, here[best])
            regrets.append((figure(met, "regret", votes), runs_at(met, votes)))
            errors.append(figure(met, "se", votes))
            chosen.append(best)
        total = sum(runs for _, runs in regrets)
        mean = sum(regret * runs for regret, runs in regrets) / total
        spread = float(np.sqrt(sum((e * n / total) ** 2 for e, (_, n) in zip(errors, regrets, strict=True))))
        return mean, spread, " and ".join(dict.fromkeys(chosen))

    def _cycles(self) -> list[Verdict]:
        verdicts = []
        for world in CYCLIC:
            auto, robin = self.row(world, "auto"), self.row(world, "round_robin")
            if auto is None or robin is None:
                continue
            said, met = [], True
            for votes in (100, 200, 500):
                if votes not in auto["votes"] or votes not in robin["votes"]:
                    continue
                at = auto["votes"].index(votes)
                ours, theirs = auto["regret"][at], robin["regret"][at]
                said.append(f"{votes} votes: {ours:.4f} against {theirs:.4f}")
                met = met and (votes == 100 or ours <= 1.1 * theirs + auto["se"][at])
            verdicts.append(Verdict(f"{world}: not worse than round robin by 10 %", met, "; ".join(said)))
            if world == "cyclic4":
                at100 = auto["regret"][auto["votes"].index(100)]
                verdicts.append(
                    Verdict("cyclic4: regret at 100 duels <= .007", at100 <= 0.007, f"{at100:.4f}")
                )
        return verdicts

    def _fewer_votes(self) -> list[Verdict]:
        verdicts = []
        for world in ("btl20", "btl50"):
            for rival, share in (("double_thompson", 1 / 2), ("random", 1 / 4)):
                auto, other = self.row(world, "auto"), self.row(world, rival)
                if auto is None or other is None:
                    continue
                said, met = [], True
                for votes in (100, 200, 500):
                    if votes not in other["votes"] or votes * share < auto["votes"][0]:
                        continue
                    theirs, their_error = figure(other, "regret", votes), figure(other, "se", votes)
                    ours, our_error = (between(auto, field, votes * share) for field in ("regret", "se"))
                    error = float(np.hypot(our_error, their_error))
                    said.append(
                        f"{ours:.3f} at {votes * share:.0f} against {theirs:.3f} ± {error:.3f} at {votes} "
                        f"(level at {votes_for(auto, theirs):.0f})"
                    )
                    met = met and ours <= theirs + error
                target = f"{world}: the regret of {rival} with {share:.0%} of its votes (± SE)"
                verdicts.append(Verdict(target, met, "; ".join(said)))
        return verdicts

    def _against_duelpy(self) -> Verdict:
        target = "btl20: auto at 50 and 100 votes at least level with duelpy's best at 80 and 160 (± SE)"
        auto = self.row("btl20", "auto")
        peers = [row for name, row in self.players("btl20").items() if name.startswith("duelpy")]
        if auto is None or not peers:
            return Verdict(target, None, "not measured")
        said, met = [], True
        for ours_at, theirs_at in ((50, 80), (100, 160)):
            ours = figure(auto, "regret", ours_at)
            best = min(peers, key=lambda row, votes=theirs_at: figure(row, "regret", votes))
            theirs = figure(best, "regret", theirs_at)
            error = float(np.hypot(figure(auto, "se", ours_at), figure(best, "se", theirs_at)))
            said.append(f"{ours:.3f} at {ours_at} against {theirs:.3f} ± {error:.3f} at {theirs_at}")
            met = met and ours <= theirs + error
        return Verdict(target, met, "; ".join(said))

    def _graded(self) -> Verdict:
        target = "btl20: graded votes at 50 level with plain ones at 75"
        graded, plain = self.row("graded20", "auto"), self.row("btl20", "auto")
        if graded is None or plain is None:
            return Verdict(target, None, "not measured")
        ours = graded["regret"][graded["votes"].index(50)]
        at = plain["votes"].index(75)
        theirs, error = plain["regret"][at], float(np.hypot(graded["se"][1], plain["se"][at]))
        said = f"{ours:.3f} graded at 50, {theirs:.3f} plain at 75, ± {error:.3f}"
        return Verdict(target, ours <= theirs + error, said)

    def _in_flight(self) -> Verdict:
        target = "btl20: with 20 duels in flight the best is found at most 10 % less often, from 50 votes"
        one, many = self.row("btl20", "auto"), self.row("in flight: 20", "auto")
        if one is None or many is None:
            return Verdict(target, None, "not measured")
        said, met = [], True
        for at, votes in enumerate(many["votes"]):
            alone = one["votes"].index(votes)
            open_, ours = many["found"][at], one["found"][alone]
            error = float(np.sqrt(open_ * (1 - open_) / many["runs"] + ours * (1 - ours) / one["runs"]))
            regrets = f"regret {many['regret'][at]:.3f} against {one['regret'][alone]:.3f}"
            said.append(f"{votes}: {open_:.2f} against {ours:.2f} ± {error:.2f} ({regrets})")
            met = met and (votes < 50 or open_ >= min(0.9 * ours, ours - error))
        return Verdict(target, met, "; ".join(said))

    def _aware(self) -> list[Verdict]:
        verdicts = []
        for world in ("biased", "inputs", "ties", "btl"):
            plain, full = self.row(f"{world}10, pairs", "random"), self.row(f"{world}10, full", "random")
            if plain is None or full is None:
                continue
            said = "; ".join(
                f"{votes}: {full['regret'][at]:.3f} full, {plain['regret'][at]:.3f} plain "
                f"± {plain['se'][at]:.3f}"
                for at, votes in enumerate(full["votes"])
            )
            slack = 1.05 if world == "btl" else 1.0
            met = full["regret"][-1] <= slack * plain["regret"][-1] + full["se"][-1]
            wanted = "loses at most 5 %" if world == "btl" else "is no worse"
            verdicts.append(Verdict(f"{world}10: the full model {wanted} (same duels)", met, said))
        return verdicts

    def _stopping(self) -> list[Verdict]:
        verdicts = []
        for key, row in self.rows.items():
            if row.get("stopped"):
                stopped, runs = row["stopped"], row["runs"]
                right, rate = stopped["correct"] or 0.0, stopped["rate"]
                error = float(np.sqrt(0.95 * 0.05 / max(1, rate * runs)))
                said = (
                    f"{rate:.0%} stopped, {right:.1%} of them right, median {stopped['median_votes']} votes"
                )
                target = f"{key.split(' | ')[0]}: of the runs that stop at 95 %, 95 % are right (- 2 SE)"
                verdicts.append(Verdict(target, right >= 0.95 - 2 * error, said))
        return verdicts

    def _speed(self) -> list[Verdict]:
        limits = {("", 20): 5.0, ("", 50): 1.0, ("", 100): 30.0, (" with embeddings", 50): 15.0}
        verdicts = []
        for (label, arms), limit in limits.items():
            rows = {
                row["votes"][0]: 1e3 * row["seconds"]
                for key, row in self.rows.items()
                if key.startswith(f"speed{label} | {arms} arms")
            }
            if rows:
                said = ", ".join(f"{took:.2f} ms at {votes:,} votes" for votes, took in rows.items())
                target = f"one decision at {arms} arms{label} in at most {limit:g} ms"
                verdicts.append(Verdict(target, max(rows.values()) <= limit, said))
        batch = self.row("batch", "200 runs of 200 votes")
        if batch is not None:
            target = "200 runs of 200 votes at 20 arms on two cores in under 2 minutes"
            verdicts.append(Verdict(target, batch["seconds"] < 120.0, f"{batch['seconds']:.0f} s"))
        return verdicts

    def overall(self) -> str:
        """One sentence: auto against each rival and the best of them, over all worlds and budgets."""
        ratios: dict[str, list[float]] = {"the best rival": []}
        for world in self.worlds():
            for votes, auto, others in self._compared(world):
                ours = figure(auto, "regret", votes)
                met = [name for name in RIVALS if name in others]
                theirs = {name: figure(others[name], "regret", votes) for name in met}
                if met:
                    theirs["the best rival"] = self._best_rival(world, tuple(met), votes)[0]
                for name, regret in theirs.items():
                    if min(ours, regret) > 0.0:
                        ratios.setdefault(name, []).append(ours / regret)
        cells = len(ratios["the best rival"])
        said = ", ".join(f"{float(np.exp(np.mean(np.log(r)))):.2f} of {name}'s" for name, r in ratios.items())
        return f"Over {cells} cells of world and budget auto's regret is on (geometric) average {said}."

    def gaps(self) -> list[str]:
        """What the targets speak of and this run did not measure, in sentences."""
        seen = self.worlds()
        missing = [world for world in WORLDS if world not in seen]
        short = [
            world for world in seen if world in WORLDS and self.rows[f"{world} | auto"]["votes"][-1] < 500
        ]
        lines = [f"Not measured in this run: {', '.join(missing)}."] if missing else []
        return lines + ([f"Not measured beyond 200 votes: {', '.join(short)}."] if short else [])

    def text(self) -> str:
        lines = []
        for verdict in self.verdicts():
            mark = {True: "met    ", False: "NOT MET", None: "-      "}[verdict.met]
            lines.append(f"{mark}  {verdict.target}\n           {verdict.measured}")
        return "\n".join(lines)

    def tables(self) -> str:
        blocks = []
        for world in self.worlds():
            players = self.players(world)
            genie = self.row(world, "two-arm genie")
            ours = players.get("auto") or players["ours"]
            votes = [v for v in ours["votes"] if v in BUDGETS]
            lines = [f"### {world} ({ours['arms']} arms)", ""]
            lines.append("| selector | runs | " + " | ".join(f"{v} votes" for v in votes) + " |")
            lines.append("|---" * (len(votes) + 2) + "|")
            shown = players if genie is None else players | {"*floor: two-arm genie*": genie}
            for name, row in shown.items():
                cells = []
                for v in votes:
                    if v not in row["votes"]:
                        cells.append("")
                        continue
                    at = row["votes"].index(v)
                    cells.append(f"{row['found'][at]:.2f} / {row['regret'][at]:.4f} ± {row['se'][at]:.4f}")
                bold = "**" if name == "auto" else ""
                runs = ", ".join(
                    [f"{row['runs']:,}", *(f"{n} at {v}" for v, n in row.get("fewer", {}).items())]
                )
                lines.append(f"| {bold}{name}{bold} | {runs} | " + " | ".join(cells) + " |")
            blocks.append("\n".join(lines))
        return "\n\n".join(blocks)


def runs_at(row: Row, votes: int) -> int:
    """How many runs went as far as this budget."""
    return int(row.get("fewer", {}).get(str(votes), row["runs"]))


def pooled(one: Row, other: Row) -> Row:
    """Both halves of a cell as one; at budgets that only one has, that one."""
    row = dict(one)
    longer = one if len(one["votes"]) >= len(other["votes"]) else other
    row["votes"] = longer["votes"]
    for field in ("regret", "found", "se"):
        row[field] = []
    for votes in row["votes"]:
        halves = [(runs_at(half, votes), half) for half in (one, other) if votes in half["votes"]]
        runs = sum(count for count, _ in halves)
        for field in ("regret", "found"):
            row[field].append(sum(count * figure(half, field, votes) for count, half in halves) / runs)
        errors = [count / runs * figure(half, "se", votes) for count, half in halves]
        row["se"].append(float(np.hypot.reduce(errors)))
    row["runs"] = one["runs"] + other["runs"]
    fewer = {
        str(votes): sum(runs_at(half, votes) for half in (one, other) if votes in half["votes"])
        for votes in row["votes"]
    }
    row["fewer"] = {votes: count for votes, count in fewer.items() if count < row["runs"]}
    if one.get("stopped") and other.get("stopped"):
        row["stopped"] = _stopped_in_all(one, other)
    return row


def _stopped_in_all(one: Row, other: Row) -> Row:
    """Of both halves; the median is that of the first."""
    stops = [half["stopped"]["rate"] * half["runs"] for half in (one, other)]
    right = [n * (half["stopped"]["correct"] or 0.0) for n, half in zip(stops, (one, other), strict=True)]
    return {
        "rate": sum(stops) / (one["runs"] + other["runs"]),
        "correct": sum(right) / sum(stops) if sum(stops) else None,
        "median_votes": one["stopped"]["median_votes"],
    }


def figure(row: Row, field: str, votes: int) -> float:
    """A figure of a row at a budget that it has."""
    return float(row[field][row["votes"].index(votes)])


def between(row: Row, field: str, votes: float) -> float:
    """A figure of a row at any budget up to its longest, interpolated in logarithms."""
    return float(np.exp(np.interp(np.log(votes), np.log(row["votes"]), np.log(row[field]))))


def votes_for(row: Row, regret: float) -> float:
    """The votes at which a row reaches a regret: interpolated in logarithms; infinite if it never does."""
    votes, regrets = row["votes"], row["regret"]
    for at, value in enumerate(regrets):
        if value <= regret:
            if at == 0:
                return float(votes[0])
            along = np.log(regrets[at - 1] / regret) / np.log(regrets[at - 1] / max(value, 1e-12))
            return float(votes[at - 1] * (votes[at] / votes[at - 1]) ** along)
    return float("inf")


def write_report(report: Report, folder: Path) -> None:
    """docs/benchmarks.md and docs/benchmarks.svg."""
    verdicts = report.verdicts()
    met = sum(verdict.met is True for verdict in verdicts)
    judged = sum(verdict.met is not None for verdict in verdicts)
    lines = [
        "# Benchmarks",
        "",
        "Simulated raters whose preferences are known; every selector meets the same worlds and plays the",
        f"same number of votes (seed {report.seed}). Cells: share of runs in which the recommended prompt is",
        "the best / simple regret ± its standard error. Regret is in logits of strength for `btl`,",
        "in win probability against the best for matrices, in normalised accuracy for LMentry prompts.",
        "The recommendation is the preference model's; peers (duelpy, BoTorch) have their own word.",
        "Runs are in two halves; the best rival is named by one half and met in the other, as the best of",
        "several is partly the luckiest. Where auto is level, one cell in six still fails by chance.",
        *report.gaps(),
        "Audit duels are off here (a study draws 10 %), so that selectors are compared alone.",
        "`python -m benchmarks.selection --data DIR` repeats it; peers are in `benchmarks/requirements.txt`.",
        "",
        "![Simple regret by number of votes](benchmarks.svg)",
        "",
        f"## Targets: {met} of {judged} met",
        "",
        "| target | | measured |",
        "|---|---|---|",
    ]
    mark = {True: "met", False: "**not met**", None: "not measured"}
    lines += [f"| {v.target} | {mark[v.met]} | {v.measured} |" for v in verdicts]
    lines += ["", *fill(report.overall(), 110).splitlines()]
    lines += ["", "## Worlds", "", report.tables(), ""]
    folder.mkdir(exist_ok=True)
    page = folder / "benchmarks.md"
    known = page.read_text(encoding="utf-8") if page.exists() else ""
    kept = "".join(known.partition("\n## Evolution")[1:])  # measured by another script
    page.write_text("\n".join(lines) + kept, encoding="utf-8")
    worlds = [world for world in ("btl10", "btl20", "sushi16", "cyclic4") if world in report.worlds()]
    panels = {world: report.players(world) for world in worlds}
    (folder / "benchmarks.svg").write_text(line_plot(panels))

"""Who descends from whom: the tree of prompts, what changed along the winning line, and how far it went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimizer.domain import Prompt, PromptId
from optimizer.llm.base import Embedder
from optimizer.standings import Row

UNNAMED = "A change without a note."


@dataclass(frozen=True, slots=True)
class Node:
    """A prompt in the tree. ``depth`` counts steps from its root, ``place`` orders the rows of the drawing.

    ``change`` is what its parent's text became; ``others`` are further parents, of a crossover; ``strength``
    is None while nobody voted on it; ``drift`` is the distance of its text from its root's by embedding, 0
    to 2.
    """

    prompt: Prompt
    depth: int
    place: float
    change: str
    others: tuple[PromptId, ...]
    strength: float | None
    p_best: float
    duels: int
    drift: float


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of a line: the child, what changed, and by how much it is stronger than its parent, logits."""

    parent: Prompt
    child: Prompt
    change: str
    gain: float | None


def change_of(prompt: Prompt) -> str:
    """What changed against its parent: the first line of its note, below which notes of retirement stand."""
    return prompt.note.split("\n")[0].strip() or UNNAMED


def tree(
    prompts: Sequence[Prompt],
    rows: Sequence[Row],
    parents: Mapping[PromptId, Sequence[PromptId]],
    embedder: Embedder,
) -> tuple[Node, ...]:
    """Every prompt once, parents before children; ``parents`` hold all parents of proposed ones.

    A parent that is not there makes its child a root. Votes and retirements move no node.
    """
    known = {prompt.id: prompt for prompt in prompts}
    children: dict[PromptId | None, list[Prompt]] = {}
    for prompt in prompts:
        above = prompt.parent if prompt.parent in known and prompt.parent != prompt.id else None
        children.setdefault(above, []).append(prompt)
    standing = {row.prompt.id: row for row in rows}
    far = _drift(prompts, known, embedder)
    nodes: list[Node] = []
    leaves = 0

    def visit(prompt: Prompt, depth: int) -> float:
        nonlocal leaves
        at = len(nodes)
        nodes.append(_node(prompt, depth, standing.get(prompt.id), parents, far))
        below = [visit(child, depth + 1) for child in children.get(prompt.id, ())]
        if not below:
            leaves += 1
        place = sum(below) / len(below) if below else float(leaves - 1)
        nodes[at] = replace(nodes[at], place=place)
        return place

    for root in children.get(None, ()):
        visit(root, 0)
    return tuple(nodes)


def winning_line(leader: PromptId, prompts: Sequence[Prompt], rows: Sequence[Row]) -> tuple[Step, ...]:
    """The steps from the root to the leader."""
    known = {prompt.id: prompt for prompt in prompts}
    strength = {row.prompt.id: row.strength for row in rows if row.duels}
    steps: list[Step] = []
    here = known.get(leader)
    while here is not None and here.parent in known and len(steps) <= len(prompts):
        parent = known[here.parent]
        both = here.id in strength and parent.id in strength
        gain = strength[here.id] - strength[parent.id] if both else None
        steps.append(Step(parent, here, change_of(here), gain))
        here = parent
    return tuple(reversed(steps))


def _node(
    prompt: Prompt,
    depth: int,
    row: Row | None,
    parents: Mapping[PromptId, Sequence[PromptId]],
    far: Mapping[PromptId, float],
) -> Node:
    others = tuple(other for other in parents.get(prompt.id, ()) if other != prompt.parent)
    seen = row is not None and row.duels > 0
    return Node(
        prompt,
        depth,
        0.0,
        change_of(prompt) if depth else "",
        others,
        row.strength if row is not None and seen else None,
        row.p_best if row is not None else 0.0,
        row.duels if row is not None else 0,
        far[prompt.id],
    )


def _drift(
    prompts: Sequence[Prompt], known: Mapping[PromptId, Prompt], embedder: Embedder
) -> dict[PromptId, float]:
    """One minus the cosine of each prompt's text with its root's."""
    if not prompts:
        return {}
    row = {prompt.id: at for at, prompt in enumerate(prompts)}
    rows = embedder.embed([prompt.text for prompt in prompts])
    roots = [row[_root(prompt, known).id] for prompt in prompts]
    cosines = np.clip((rows * rows[roots]).sum(1), -1.0, 1.0)
    return {prompt.id: float(1.0 - cosines[at]) for at, prompt in enumerate(prompts)}


def _root(prompt: Prompt, known: Mapping[PromptId, Prompt]) -> Prompt:
    here, seen = prompt, {prompt.id}
    while here.parent is not None and here.parent in known and here.parent not in seen:
        here = known[here.parent]
        seen.add(here.id)
    return here

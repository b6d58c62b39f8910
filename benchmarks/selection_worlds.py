"""The worlds of the selection benchmark, and what is played in each."""

from dataclasses import dataclass
from pathlib import Path

from optimizer.simulate import Scene
from optimizer.simulation.files import list_accuracies, read_accuracies, read_matrix
from optimizer.simulation.run import ReadOut, Terms
from optimizer.simulation.worlds import Setting

BUDGETS = (20, 50, 100, 200, 500)
RATIO_BUDGETS = (10, 20, 25, 35, 50, 75, 80, 100, 160, 200, 350, 500)
RIVALS = ("eubo", "top_two", "leader_ucb")  # the best of the registry in earlier tables
MATRICES = {
    "arxiv6": "arxiv6.json",
    "mtbench6": "mtbench_human6.json",
    "wmt9": "wmt_16_tur_eng.json",
    "car10": "car10.json",
    "sushi16": "sushi16.json",
    "tennis10": "tennis10.json",
    "cyclic4": "cyclic4.json",
    "swirl20": "swirl20_06.json",
}
CYCLIC = ("cyclic4", "swirl20")
ACCURACIES = "prompt_accuracies_lmentry.json.gz"
LMENTRY = (
    ("LMentry/more_letters", "flan-t5-xl", "mid"),
    ("LMentry/rhyming_word", "vicuna-13b", "soft"),
)
DRAWN = ("btl5", "btl10", "btl20", "btl50")
WORLDS = (*DRAWN, *MATRICES, *(f"{task.split('/')[1]} ({noise})" for task, _, noise in LMENTRY))


@dataclass(frozen=True, slots=True)
class Cell:
    """One world with those who play in it."""

    name: str
    scene: Scene
    selectors: tuple[str, ...]
    terms: Terms


def selection_cells(data: Path | None, everything: bool) -> list[Cell]:
    """The cells of targets 1 and 2 and the gates; matrices and accuracies only where ``data`` has them."""
    registry = (
        (*RIVALS, "knowledge_gradient", "sequential_halving", "self_sparring") if everything else RIVALS
    )
    pool = ("auto", *registry, "random")
    cells = [
        Cell("btl20", _btl(20), (*pool, "double_thompson"), Terms(RATIO_BUDGETS)),
        Cell("btl5", _btl(5), pool, Terms(BUDGETS)),
        Cell("btl10", _btl(10), pool, Terms(BUDGETS)),
    ]
    if data is not None:
        for name, file in MATRICES.items():
            scene = Scene(name, Setting(), matrix=read_matrix(data / file))
            cells.append(
                Cell(name, scene, ("auto", "round_robin") if name in CYCLIC else pool, Terms(BUDGETS))
            )
        cells += [_lmentry(data / ACCURACIES, *which, pool) for which in _tasks(data / ACCURACIES)]
    cells.append(Cell("btl50", _btl(50), (*pool, "double_thompson"), Terms(RATIO_BUDGETS)))
    return cells


def extra_cells() -> list[Cell]:
    """The cells of graded votes, duels in flight, embeddings, and of models that know more than wins."""
    alone, early = ("auto",), (20, 50, 75, 100)
    many = tuple(sorted({*BUDGETS[:4], 75}))
    cells = [
        Cell("graded20", Scene("graded", Setting(20)), alone, Terms(early, read_out=ReadOut.FULL)),
        Cell("in flight: 20", _btl(20), alone, Terms(many, in_flight=20)),
        features_cell(),
    ]
    for world in ("biased", "inputs", "ties", "btl"):
        for read_out in ReadOut:
            scene = Scene(world, Setting(10))
            cells.append(
                Cell(f"{world}10, {read_out}", scene, ("random",), Terms((50, 100), read_out=read_out))
            )
    return cells


def features_cell() -> Cell:
    """Many prompts whose strengths are linear in embeddings that the selectors are given."""
    selectors = ("auto", "eubo", "gaussian_process", "colstim", "maxinp", "random")
    return Cell("features50", Scene("features", Setting(50)), selectors, Terms((20, 50)))


def stopping_cells() -> list[Cell]:
    """The worlds in which advice to stop has to hold; five arms, so that it is given in time."""
    cells = []
    for world in ("btl", "lapses", "inputs", "ties", "biased"):
        read_out = ReadOut.PAIRS if world in ("btl", "lapses") else ReadOut.FULL
        terms = Terms((150,), read_out=read_out, stop_at=0.95)
        cells.append(Cell(f"{world}5, stopping", Scene(world, Setting(5)), ("auto",), terms))
    return cells


def _btl(arms: int) -> Scene:
    return Scene("btl", Setting(arms, 1.0, BUDGETS[-1]))


def _tasks(path: Path) -> list[tuple[str, str, str]]:
    known = set(list_accuracies(path))
    return [which for which in LMENTRY if which[:2] in known]


def _lmentry(path: Path, task: str, model: str, noise: str, pool: tuple[str, ...]) -> Cell:
    accuracy = read_accuracies(path, task, model)
    scene = Scene("accuracies", Setting(20), accuracies=accuracy, vote_noise=noise)
    return Cell(f"{task.split('/')[1]} ({noise})", scene, pool, Terms(BUDGETS))

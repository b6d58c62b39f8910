"""The models that say what a simulated study recommends."""

from optimizer.selectors.base import blank_record
from optimizer.simulation.run import ReadOut, believed_strengths
from optimizer.stats.cells import Cells
from optimizer.stats.model import fit
from optimizer.stats.tally import FIRST, SECOND


def test_the_full_read_out_trusts_careless_raters_less() -> None:
    """Two raters prefer the first arm nine times in ten, a third answers by a coin."""
    rows = [(0, rater, 0, 1, level, n) for rater in (0, 1) for level, n in ((FIRST, 36), (SECOND, 4))]
    rows += [(0, 2, 0, 1, FIRST, 20), (0, 2, 0, 1, SECOND, 20)]
    cells = Cells.from_rows(2, rows, 1, 3)
    posterior, leader = believed_strengths(cells, blank_record(2), ReadOut.FULL)
    trusting = fit(cells).posterior
    assert leader == 0
    assert posterior.mean[0] - posterior.mean[1] > 1.2 * (trusting.mean[0] - trusting.mean[1])

"""The embedder that needs no download: unit rows, the same in any company, near for like wording."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import BadInput
from optimizer.llm.hashed import WIDTH, HashedEmbedder, fit

ANSWER = "Put the contract back into the drawer and call the lawyer before you sign anything at all."
REWORDED = "Put the contracts back in the drawer and phone the lawyer before signing anything at all."
OTHER = "Bake at 180 degrees for forty minutes; the crust should be golden and hollow when tapped."
SUBJECTS = ("cats", "dogs", "ships", "stars", "rivers", "engines")
CORPUS = [
    f"{subject} {verb} {n} times" for n, subject in enumerate(SUBJECTS) for verb in ("sleep", "move", "shine")
]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=80), min_size=1, max_size=6))
def test_rows_are_finite_and_of_unit_length_for_any_text(texts: list[str]) -> None:
    rows = HashedEmbedder().embed(texts)
    assert rows.shape == (len(texts), WIDTH)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-9)


@pytest.mark.parametrize("embedder", [HashedEmbedder(), fit(CORPUS, 5)], ids=["plain", "fitted"])
def test_a_text_has_one_row_whatever_else_is_in_the_call(embedder: HashedEmbedder) -> None:
    alone = embedder.embed([ANSWER])
    among = embedder.embed([OTHER, ANSWER, "", REWORDED])
    np.testing.assert_allclose(alone[0], among[1], atol=1e-12)


def test_like_wording_is_near_and_other_subjects_are_far() -> None:
    answer, reworded, other = HashedEmbedder().embed([ANSWER, REWORDED, OTHER])
    assert answer @ reworded > 0.6
    assert abs(answer @ other) < 0.25


def test_cosines_of_hashed_counts_approximate_those_of_the_counts() -> None:
    """Two texts of w words each that share s of them: the word part alone would give s / w."""
    vocabulary = [f"{a}{b}{a}" for a in "bcdfghjklm" for b in "aeiou"]
    rng = np.random.default_rng(7)
    errors = []
    for shared in (5, 10, 15):
        for _ in range(10):
            drawn = list(rng.permutation(vocabulary))
            common, first, second = drawn[:shared], drawn[shared:20], drawn[20 : 40 - shared]
            rows = HashedEmbedder().embed([". ".join(common + first), ". ".join(common + second)])
            errors.append(rows[0] @ rows[1] - shared / 20)
    assert abs(float(np.mean(errors))) < 0.1


def test_fitting_reduces_the_dimensions_and_groups_what_occurs_together() -> None:
    embedder = fit(CORPUS, 5)
    assert embedder.embed(CORPUS).shape == (len(CORPUS), 5)
    cats, cats_too, ships = embedder.embed(["cats sleep", "cats shine", "ships sleep"])
    assert cats @ cats_too > cats @ ships
    np.testing.assert_array_equal(embedder.embed(CORPUS), fit(CORPUS, 5).embed(CORPUS))


@pytest.mark.parametrize("dimensions", [0, 18, 40])
def test_more_dimensions_than_texts_are_refused(dimensions: int) -> None:
    with pytest.raises(BadInput, match="18 texts"):
        fit(CORPUS, dimensions)

"""The network's gradients against finite differences, and Adam against one written out number by number."""

import math

import numpy as np
import pytest

from optimizer.selectors.network import adam, backward, count, forward, layers, output_gradients

SIZES = (5, 4, 3, 1)
RNG = np.random.default_rng(0)
FLAT = RNG.normal(size=count(SIZES))
X = RNG.normal(size=(6, 5))


def outputs(flat: np.ndarray) -> np.ndarray:
    return forward(layers(flat, SIZES), X)[-1][:, 0]


def slopes_by_differences(weighting: np.ndarray) -> np.ndarray:
    """d sum(weighting * output) / d parameter, by central differences in double precision."""
    found = np.empty_like(FLAT)
    for at in range(FLAT.size):
        step = np.zeros_like(FLAT)
        step[at] = 1e-6
        found[at] = weighting @ (outputs(FLAT + step) - outputs(FLAT - step)) / 2e-6
    return found


def test_the_parameters_are_counted_and_laid_out_without_gaps() -> None:
    assert count((768, 32, 32, 1)) == 25_697
    views = layers(FLAT, SIZES)
    assert [(w.shape, b.shape) for w, b in views] == [((5, 4), (4,)), ((4, 3), (3,)), ((3, 1), (1,))]
    np.testing.assert_array_equal(np.concatenate([part.ravel() for view in views for part in view]), FLAT)


def test_the_forward_pass_by_hand() -> None:
    """Two inputs, one hidden unit: max(0, 1 * 2 + 3 * (-1) + 0.5) = 0 and max(0, 2 + 3 + 0.5) = 5.5."""
    flat = np.array([1.0, 3.0, 0.5, -2.0, 0.25])
    out = forward(layers(flat, (2, 1, 1)), np.array([[2.0, -1.0], [2.0, 1.0]]))[-1]
    np.testing.assert_allclose(out[:, 0], [0.25, -2.0 * 5.5 + 0.25])


def test_backward_agrees_with_finite_differences() -> None:
    weighting = RNG.normal(size=6)
    flat_gradient = np.empty_like(FLAT)
    net = layers(FLAT, SIZES)
    backward(net, forward(net, X), weighting, layers(flat_gradient, SIZES))
    np.testing.assert_allclose(flat_gradient, slopes_by_differences(weighting), atol=1e-7)


def test_output_gradients_agree_with_finite_differences_row_by_row() -> None:
    found = output_gradients(layers(FLAT, SIZES), X)
    for row in range(6):
        np.testing.assert_allclose(found[row], slopes_by_differences(np.eye(6)[row]), atol=1e-7)


def scalar_adam(start: float, centre: float, decay: float, steps: int) -> float:
    """torch.optim.Adam on (x - centre)^4 / 4 for one number, from its documentation, in plain floats."""
    x, m, v = start, 0.0, 0.0
    for t in range(1, steps + 1):
        g = (x - centre) ** 3 + decay * x
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        m_hat = m / (1 - 0.9**t)
        v_hat = v / (1 - 0.999**t)
        x -= 0.001 * m_hat / (math.sqrt(v_hat) + 1e-8)
    return x


@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.parametrize("steps", [1, 2, 300])
def test_adam_is_torchs_with_l2_in_the_gradient(decay: float, steps: int) -> None:
    start = np.array([0.3, -1.2, 2.0], dtype=np.float32)
    centre = np.array([1.0, 0.5, -1.0], dtype=np.float32)
    end = adam(start, lambda at: (at - centre) ** 3, decay, steps)
    expected = [scalar_adam(float(a), float(c), decay, steps) for a, c in zip(start, centre, strict=True)]
    np.testing.assert_allclose(end, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(start, np.array([0.3, -1.2, 2.0], dtype=np.float32))


def test_l2_in_the_gradient_differs_from_decoupled_decay() -> None:
    """The first step of Adam has length 0.001 whatever the decay; AdamW would also shrink the parameter."""
    end = adam(np.array([5.0], dtype=np.float32), lambda at: np.ones_like(at), 0.1, 1)
    assert end[0] == pytest.approx(4.999, abs=1e-6)

"""A small fully connected ReLU network with one output, and Adam as PyTorch runs it, in NumPy.

All parameters lie in one flat float32 vector, so that Adam is a handful of operations on it; layers are
views into it. Layer l maps (n, sizes[l]) to (n, sizes[l + 1]) by x W + b; all but the last are followed by
max(0, .).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Layers = list[tuple[Float32, Float32]]  # weights (in, out) and biases (out,)

LEARNING_RATE, DECAY_1, DECAY_2, EPSILON = 1e-3, 0.9, 0.999, 1e-8  # Kingma and Ba 2015; PyTorch's defaults


def count(sizes: Sequence[int]) -> int:
    """How many parameters a network of these layer sizes has."""
    return sum((fan_in + 1) * out for fan_in, out in pairwise(sizes))


def layers(flat: Float32, sizes: Sequence[int]) -> Layers:
    """Views of the flat vector, layer by layer: weights, then biases."""
    views: Layers = []
    at = 0
    for fan_in, out in pairwise(sizes):
        weights = flat[at : at + fan_in * out].reshape(fan_in, out)
        at += fan_in * out
        views.append((weights, flat[at : at + out]))
        at += out
    return views


def forward(net: Layers, x: Float32) -> list[Float32]:
    """The input of every layer, and last the outputs (n, 1)."""
    values = [x]
    for depth, (weights, bias) in enumerate(net):
        z = values[-1] @ weights
        z += bias
        if depth < len(net) - 1:
            np.maximum(z, 0.0, out=z)
        values.append(z)
    return values


def backward(net: Layers, values: list[Float32], slope: Float32, gradient: Layers) -> None:
    """Write the gradient of sum(slope * output), slope (n,), into ``gradient``, laid out like ``net``."""
    delta = slope[:, None]
    for depth in range(len(net) - 1, -1, -1):
        weights, _ = net[depth]
        into_weights, into_bias = gradient[depth]
        np.matmul(values[depth].T, delta, out=into_weights)
        np.sum(delta, axis=0, out=into_bias)
        if depth > 0:
            delta = (delta @ weights.T) * (values[depth] > 0.0)


def output_gradients(net: Layers, x: Float32) -> Float32:
    """(n, p) gradient of each row's own output with respect to all parameters."""
    values = forward(net, x)
    n = x.shape[0]
    parts: list[Float32] = []
    delta = np.ones((n, 1), dtype=np.float32)
    for depth in range(len(net) - 1, -1, -1):
        weights, _ = net[depth]
        outer = values[depth][:, :, None] * delta[:, None, :]
        parts[:0] = [outer.reshape(n, -1), delta]
        if depth > 0:
            delta = (delta @ weights.T) * (values[depth] > 0.0)
    return np.concatenate(parts, axis=1)


def adam(flat: Float32, slope: Callable[[Float32], Float32], weight_decay: float, steps: int) -> Float32:
    """The parameters after ``steps`` of Adam from ``flat``, which is left as it is.

    ``slope`` gives the gradient of the loss, in a vector that may be overwritten. As in torch.optim.Adam
    weight_decay * parameters is added to the gradient before the moments (L2, not AdamW).
    """
    at = flat.copy()
    mean, square = np.zeros_like(at), np.zeros_like(at)
    work = np.empty_like(at)
    for step in range(1, steps + 1):
        gradient = slope(at)
        np.multiply(at, np.float32(weight_decay), out=work)
        gradient += work
        mean *= np.float32(DECAY_1)
        np.multiply(gradient, np.float32(1.0 - DECAY_1), out=work)
        mean += work
        square *= np.float32(DECAY_2)
        np.multiply(gradient, gradient, out=gradient)
        gradient *= np.float32(1.0 - DECAY_2)
        square += gradient
        # lr * (m / c1) / (sqrt(v / c2) + eps)
        np.sqrt(square, out=work)
        work *= np.float32(1.0 / np.sqrt(1.0 - DECAY_2**step))
        work += np.float32(EPSILON)
        np.divide(mean, work, out=work)
        work *= np.float32(LEARNING_RATE / (1.0 - DECAY_1**step))
        at -= work
    return at

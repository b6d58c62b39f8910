"""Find the best prompt by preference: everything of Prompt Duel that is not a screen."""

import os

# Our matrices are small: one thread solves them in microseconds, where several wait for each other.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

__version__ = "0.1.0"

"""Outputs from live models: what is missing, made ahead of need, within limits, paid for once.

cells       what can be generated: one prompt on one input, repeat by repeat
admission   what of an answer may be shown in a duel, and what is held back
costs       what it will cost, and what it did
drafts      outputs being written at this moment, to watch them grow
job         many cells in the background: progress, cancel, wait
service     Generation: what pages and commands call
ahead       which outputs the next duels will need
stability   how far the repeats of one prompt differ
"""

from optimizer.generation.service import Generation

__all__ = ["Generation"]

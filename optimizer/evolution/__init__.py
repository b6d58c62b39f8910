"""Evolution: new prompts from what the voters liked, and the loop that lets them compete.

    plan        what to propose and what to run, as plain data; service: Evolution, what pages and
                commands call
    briefs      what a proposer is told; checks: what is looked at before a proposal may enter the pool
    proposing   proposals being drafted; offers: kept, then accepted, edited or rejected
    remembering an embedder that is asked for each text once
    pool        who leaves; lineage: who descends from whom, and what changed
    record      an automatic run as it is kept; run: at work, phase by phase, with its tools
    dueling     the duels of a round; renewing: proposals, outputs and the pool between two rounds
    deciding    when a round has said enough

Proposers themselves are in ``optimizer/proposers``; a child replaces its parent as leader by votes alone.
"""

from optimizer.evolution.service import Evolution

__all__ = ["Evolution"]

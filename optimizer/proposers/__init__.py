"""Proposers: where new prompts come from. To add one: a file here and a line in the registry.

    base          Brief, Proposal, and what a proposer promises
    wording       what all of them say to a model, and how its answer is read; asking: one proposal
    from_reasons  mends what people said against the leader
    spo           one change to the leader, from its outputs and the requirements
    top_mutation  operators on the strongest prompts; crossover: two that win on different inputs
    induction     from inputs and good outputs alone; paraphrase: the same in other words
    control       a dial turned until a measured property meets its set point, without a model
    dials         what can be measured and turned; controller: P, PI and PID steps
    scripted      models that answer proposers by a known rule

Whoever runs proposers is in ``optimizer/evolution``.
"""

from optimizer.errors import BadInput
from optimizer.proposers.base import Proposer
from optimizer.proposers.control import Control
from optimizer.proposers.crossover import Crossover
from optimizer.proposers.from_reasons import FromReasons
from optimizer.proposers.induction import Induction
from optimizer.proposers.paraphrase import Paraphrase
from optimizer.proposers.spo import Spo
from optimizer.proposers.top_mutation import TopMutation

PROPOSERS: dict[str, Proposer] = {
    "from_reasons": FromReasons(),
    "spo": Spo(),
    "top_mutation": TopMutation(),
    "crossover": Crossover(),
    "induction": Induction(),
    "paraphrase": Paraphrase(),
    "control": Control(),
}


def proposer_named(name: str) -> Proposer:
    """``BadInput`` lists the known ones."""
    if name not in PROPOSERS:
        raise BadInput(f"There is no proposer '{name}'. Known are {', '.join(PROPOSERS)}.")
    return PROPOSERS[name]

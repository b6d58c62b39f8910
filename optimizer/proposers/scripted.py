"""Models that answer proposers by a known rule, in the form of a real answer; for tests and trials."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from optimizer.llm.base import Request
from optimizer.llm.scripted import Scripted

Rule = Callable[[Mapping[str, Any], int], str]  # material, sample -> the new prompt's text


def proposing_model(rule: Rule, label: str) -> Scripted:
    """A model that writes prompts by a rule."""
    return Scripted(lambda request: propose_by(rule, request), label)


def propose_by(rule: Rule, request: Request) -> str:
    """The answer that the rule gives to a proposer's request."""
    fence, payload, _ = request.messages[-1].content.split("\n")
    return json.dumps(
        {
            "id": fence,
            "analysis": "By the script.",
            "change": "Rewritten by the script.",
            "why": "The script says so.",
            "prompt": rule(json.loads(payload), request.sample),
        }
    )

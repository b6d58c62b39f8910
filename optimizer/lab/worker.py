"""The other process: ``python -m optimizer.lab.worker`` reads a situation and tells how far it is."""

import json
import sys
from threading import Event

from optimizer.lab.aside import here, written
from optimizer.lab.situation import Situation


def main() -> None:
    given = json.loads(sys.stdin.readline())
    situation = Situation(**{**given, "selectors": tuple(given["selectors"])})
    results = here(situation, lambda more: _say({"done": more}), Event())
    _say({"results": [written(result) for result in results]})


def _say(told: dict[str, object]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()

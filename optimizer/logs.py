"""How events are logged: a line of text, or one JSON object to a line.

Events are logged as "what happened key=%s other=%d": as JSON, ``event`` is the words and each key is a
field of its own with the value that it was given. Nothing else in the project knows of the two forms.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime

from optimizer.metrics import ErrorLines

OURS = "optimizer"
COUNTED = ("", "streamlit.error_util")  # a screen's fault is told there, and to no logger above
TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_FIELD = re.compile(r"\b(\w+)=%[\d.]*[sdfgr]")
_PLAIN = (str, int, float, bool, type(None))


class AsJson(logging.Formatter):
    """One JSON object to a line: time, level, logger, event, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        names = _FIELD.findall(str(record.msg))
        values = record.args if isinstance(record.args, tuple) else ()
        whole = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if names and len(names) == len(values):
            words = " ".join(_FIELD.sub("", str(record.msg)).split())
            fields = {
                name: value if isinstance(value, _PLAIN) else str(value)
                for name, value in zip(names, values, strict=True)
            }
            line = {
                **whole,
                "event": words,
                **{key: value for key, value in fields.items() if key not in whole},
            }
        else:
            line = {**whole, "event": record.getMessage()}
        if record.exc_info:
            line["fault"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(as_json: bool) -> None:
    """Log our events to standard error, once; count the errors of everybody."""
    ours = logging.getLogger(OURS)
    for name in COUNTED:
        counted = logging.getLogger(name)
        if not any(isinstance(handler, ErrorLines) for handler in counted.handlers):
            counted.addHandler(ErrorLines())
    for old in [handler for handler in ours.handlers if getattr(handler, "prompt_duel", False)]:
        ours.removeHandler(old)
    handler = logging.StreamHandler(sys.stderr)
    handler.prompt_duel = True  # type: ignore[attr-defined]
    handler.setFormatter(AsJson() if as_json else logging.Formatter(TEXT))
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = True

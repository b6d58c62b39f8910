"""Text of people and models as it may be shown: nothing hidden in it, nothing that cannot be written."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def visible(text: str) -> str:
    """Control characters as their picture (NUL as ␀), so that nothing is hidden or cut."""
    pictures = _CONTROL.sub(lambda found: chr(0x2400 + min(ord(found.group()), 0x21)), text)
    return pictures.encode("utf-8", "replace").decode()

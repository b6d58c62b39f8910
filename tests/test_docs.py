"""What the documents show works: the notebook of docs/python.md is run, block by block."""

import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_the_notebook_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5
    notebook = ModuleType("notebook")
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"docs/python.md, block {number}", "exec"), notebook.__dict__)
    printed = capsys.readouterr().out
    assert printed.startswith("bold")  # the prompt that the function likes best
    assert "leader: 2" in printed
    assert notebook.target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert notebook.report.standings.votes == len(notebook.store.answered("haiku")) - sum(
        row.replay for row in notebook.store.answered("haiku")
    )

"""The shape of the project, as its documents promise it."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each layer may import from itself and from those named; "errors" and "domain" are open to all.
LAYERS = {
    "domain": set(),
    "errors": {"domain"},
    "templates": set(),
    "config": set(),
    "stats": set(),
    "storage": set(),
    "llm": {"templates"},
    "selectors": {"stats"},
    "formats": {"storage", "templates", "checks", "inputs_table"},
    "judges": {"llm", "stats", "templates"},
    "proposers": {"judges", "llm", "stats", "templates"},  # both ask models for one JSON object
}
ANYONE_MAY = {"domain", "errors", "metrics"}
# The first thing that a screen calls; two screens are for everybody and see to it themselves.
GUARDS = {"host": r"access\.(enter|host)\(", "rater": r"access\.rating\("}
OPEN_TO_ALL = {"join.py", "login.py"}


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", python_files("optimizer"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_engine_knows_no_screen(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    assert not roots & {"streamlit", "pages", "app"}


@pytest.mark.parametrize("path", python_files("optimizer"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    parts = path.relative_to(ROOT / "optimizer").with_suffix("").parts
    layer = parts[0]
    if layer not in LAYERS:
        return  # services and entry points may see every layer
    allowed = LAYERS[layer] | ANYONE_MAY | {layer}
    for name in imports_of(path):
        if name.startswith("optimizer."):
            assert name.split(".")[1] in allowed, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", python_files("optimizer"), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_assemble_names_concrete_stores(path: Path) -> None:
    concrete = {
        name for name in imports_of(path) if re.match(r"optimizer\.storage\.(memory|sqlite|postgres)", name)
    }
    if path.parent.name == "storage" or path.name == "assemble.py" or path.match("work/postgres_*.py"):
        return
    assert not concrete


def test_pages_holds_one_script_and_two_folders_of_screens() -> None:
    assert [path.name for path in (ROOT / "pages").glob("*.py")] == ["menu.py"]
    assert {path.name for path in (ROOT / "pages").iterdir() if path.is_dir()} - {"__pycache__"} == {
        "host",
        "rater",
        "parts",
    }


def test_every_screen_is_in_the_menu_and_guards_itself() -> None:
    menu = (ROOT / "pages/menu.py").read_text(encoding="utf-8")
    for path in [*python_files("pages/host"), *python_files("pages/rater")]:
        assert f'"{path.parent.name}/{path.name}"' in menu
        text = path.read_text(encoding="utf-8")
        guard = r"access\.visitor\(" if path.name in OPEN_TO_ALL else GUARDS[path.parent.name]
        assert re.search(guard, text), f"{path.name} does not call the access guard"


def test_data_holds_no_python() -> None:
    assert not python_files("data")


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for folder in ("optimizer", "pages")
        for path in python_files(folder)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert not long


def test_html_is_never_let_through() -> None:
    for path in python_files("pages"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and any(
                keyword.arg in {"unsafe_allow_html", "unsafe_allow_javascript"} for keyword in node.keywords
            ):
                (text,) = node.args  # of ours to the last letter: nothing that anybody wrote gets in
                assert isinstance(text, ast.Constant), path.name
                assert text.value == '<script src="announced.js"></script>', path.name


def test_ci_runs_the_command_that_the_readme_gives() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"```bash\n(.+?)\n```", readme, re.DOTALL)
    test_command = next(command for command in commands if "pytest" in command)
    assert f"\n{test_command}\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_each_requirement_has_bounds_and_a_reason() -> None:
    fixed = {"streamlit", "pandas", "openai", "sqlite-utils", "plotly", "pytest"}
    reasons = (ROOT / "docs/decisions.md").read_text(encoding="utf-8").lower()
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-postgres.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if not line or line.startswith(("#", "-r")):
                continue
            wanted = line.split(" #")[0].split(";")[0].strip()  # after a semicolon: on which machines
            match = re.fullmatch(r"([A-Za-z0-9_.\-]+)(\[.+\])?>=[\w.]+,<[\w.]+", wanted)
            assert match, f"{name}: '{line}' has no lower and upper bound"
            assert match[1] in fixed or match[1].lower() in reasons, f"{match[1]} has no reason"


def test_starting_the_app_imports_nothing_heavy() -> None:
    heavy = ("openai", "httpx2", "sklearn", "scipy.optimize", "scipy.stats", "scipy.sparse.linalg", "psycopg")
    code = f"import sys, app; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"

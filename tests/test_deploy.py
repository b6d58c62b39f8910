"""The files in ``deploy/``: what they name is there, and nginx takes its configuration."""

import asyncio
import json
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from optimizer.config import KEY_PREFIX, PREFIX, SETTINGS, Config
from tests import nginx

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
PERSON_COOKIE = "prompt_duel_person"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def dockerfile() -> list[tuple[str, str]]:
    """Its instructions with their arguments, continued lines joined, the environment of RUN left as it is."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def filled(value: str) -> str:
    """With the defaults of its variables, and something where one must be set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", re.sub(r"\$\{\w+:\?[^}]*\}", "something", str(value)))


def test_the_services_are_those_that_an_installation_needs(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"database", "replica-1", "replica-2", "worker", "proxy"}
    assert services["database"]["image"].startswith("postgres:15")
    for name in ("replica-1", "replica-2", "worker"):
        ours = services[name]
        assert ours["image"] == "prompt-duel"
        assert ours["read_only"] is True
        assert ours["depends_on"] == {"database": {"condition": "service_healthy"}}
        assert (DEPLOY / ours["build"]["context"] / ours["build"]["dockerfile"]).resolve().is_file()
    assert services["worker"]["command"][:4] == ["python", "-m", "optimizer", "worker"]
    for name in services["proxy"]["depends_on"]:
        assert f"server {name}:8501 " in (DEPLOY / "nginx.conf").read_text(encoding="utf-8")


def test_every_setting_is_one_that_the_app_knows(compose: dict[str, Any]) -> None:
    given = compose["services"]["replica-1"]["environment"]
    known = {f"{PREFIX}{setting.name}" for setting in SETTINGS}
    ours = {name for name in given if name.startswith(PREFIX) and not name.startswith(KEY_PREFIX)}
    assert ours <= known
    config = Config.load({name: filled(given[name]) for name in ours})
    assert config.queued
    assert config.database_url.startswith("postgresql://")
    asked = set(re.findall(r"\$\{(\w+)", json.dumps(compose)))
    example = (DEPLOY / "environment.example").read_text(encoding="utf-8")
    assert asked == set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_the_proxy_is_believed_and_not_what_a_browser_claims(compose: dict[str, Any]) -> None:
    """By the server's own middleware: https makes cookies Secure, and the address is the one nginx saw."""
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, receive: object, send: object) -> None:
        seen.append(scope)

    trusted = compose["services"]["replica-1"]["environment"]["FORWARDED_ALLOW_IPS"]
    headers = [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"127.0.0.1, 203.0.113.7")]
    for proxy in ("172.18.0.5", "203.0.113.9"):
        scope: Any = {"type": "http", "scheme": "http", "client": (proxy, 1), "headers": headers}
        asked = ProxyHeadersMiddleware(app, trusted)(scope, None, None)  # type: ignore[arg-type]
        with ThreadPoolExecutor(1) as thread:  # in this one a browser of other tests may keep a loop
            thread.submit(asyncio.run, asked).result()  # type: ignore[arg-type]
    assert [(one["scheme"], one["client"][0]) for one in seen] == [
        ("https", "203.0.113.7"),
        ("http", "203.0.113.9"),
    ]


def test_secrets_are_asked_for_and_in_no_file(compose: dict[str, Any]) -> None:
    for name in ("POSTGRES_PASSWORD", "HOST_PASSWORD", "COOKIE_SECRET"):
        assert f"${{{name}:?" in json.dumps(compose)
        assert re.search(rf"^{name}=$", (DEPLOY / "environment.example").read_text(), re.MULTILINE)
    assert "/deploy/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "deploy/.env" in (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()


def test_the_image_is_slim_unprivileged_and_watched() -> None:
    steps = dockerfile()
    words = [word for word, _ in steps]
    assert {rest.split()[0] for word, rest in steps if word == "FROM"} == {"python:3.11-slim-bookworm"}
    assert words.count("HEALTHCHECK") == 1
    users = [rest for word, rest in steps if word == "USER"]
    assert users == ["10001"]
    assert words.index("USER") < words.index("CMD")
    known = {"FROM", "COPY", "RUN", "ENV", "WORKDIR", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert set(words) <= known
    for word, rest in steps:
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
        if word == "CMD":
            assert isinstance(json.loads(rest), list)  # no shell between the server and its signals


def test_the_image_has_the_python_that_we_test_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == ">=3.11"


def test_nginx_takes_the_configuration() -> None:
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert f"$cookie_{PERSON_COOKIE}" in text
    assert f'PERSON_COOKIE = "{PERSON_COOKIE}"' in (ROOT / "app.py").read_text(encoding="utf-8")
    running = nginx.Nginx([1, 2])  # checks it with "nginx -t" first
    running.stop()


def test_yaml_is_tidy() -> None:
    rules = "{extends: default, rules: {line-length: {max: 120}, document-start: disable}}"
    done = subprocess.run(
        [sys.executable, "-m", "yamllint", "-d", rules, DEPLOY / "compose.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")

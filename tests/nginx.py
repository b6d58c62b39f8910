"""A real nginx in front of replicas, with the configuration that ``deploy/`` gives."""

import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.postgresql import REQUIRED, free_port

ROOT = Path(__file__).resolve().parent.parent
WRAPPED = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


def required() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        reason = "No nginx found: install it (Debian: apt install nginx) to test replicas behind a proxy."
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@dataclass
class Nginx:
    """Runs until ``stop``. ``replicas`` are ports on this machine, in place of the two named there."""

    replicas: Sequence[int]
    command: str = field(default_factory=required)
    port: int = field(default_factory=free_port)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="prompt-duel-nginx-")))
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __post_init__(self) -> None:
        site = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
        for number, port in enumerate(self.replicas, start=1):
            assert f"server replica-{number}:8501" in site
            site = site.replace(f"replica-{number}:8501", f"127.0.0.1:{port}")
        assert "listen 8080;" in site
        site = site.replace("listen 8080;", f"listen 127.0.0.1:{self.port};")
        configuration = self.folder / "nginx.conf"
        configuration.write_text(WRAPPED.format(folder=self.folder, site=site), encoding="utf-8")
        arguments = [self.command, "-p", str(self.folder), "-c", str(configuration)]
        subprocess.run([*arguments, "-t", "-q"], check=True)
        with (self.folder / "said").open("wb") as said:
            self.process = subprocess.Popen(arguments, stdout=said, stderr=said)
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"{self.address}/metrics", timeout=2)
            except urllib.error.HTTPError:
                return  # it answers: nobody but Prometheus may read these
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "said").read_text()) from None
                time.sleep(0.02)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

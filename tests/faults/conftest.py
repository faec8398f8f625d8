"""Real processes over a real database: web, workers, sweeper, which may be killed at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from portal.embedded.children import free_port
from portal.embedded.home import ROOT
from portal.sandbox import access as sandbox_access
from portal.settings import Settings


class Processes:
    """The portal's own processes."""

    def __init__(self, settings: Settings, logs: Path) -> None:
        self.settings, self.logs = settings, logs
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def web(self, workers: int = 2) -> None:
        """The web server, as in production."""
        granian = str(Path(sys.executable).with_name("granian"))
        self._start(
            "web",
            [
                granian,
                "--interface",
                "wsgi",
                "--host",
                "127.0.0.1",
                "--port",
                str(self.port),
                "--workers",
                str(workers),
                "--blocking-threads",
                "12",
                "--no-ws",
                "--log-level",
                "warning",
                "wsgi:app",
            ],
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/healthz").status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise AssertionError((self.logs / "web.log").read_text())

    def job(self, name: str, command: str) -> None:
        """`flask jobs work|sweep|schedule`."""
        self._start(name, [str(Path(sys.executable).with_name("flask")), "jobs", command])

    def kill(self, name: str) -> None:
        """Without a word, and everything it started with it."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """All of them."""
        for name in list(self.running):
            self.kill(name)

    def environment(self) -> dict[str, str]:
        """Our settings, as processes of their own read them."""
        s = self.settings
        return {
            **os.environ,
            "FLASK_APP": "wsgi.py",
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": s.database_url,
            "REDIS_URL": s.redis_url,
            "SECRET_KEY": s.secret_key,
            "JWT_SECRET": s.jwt_secret,
            "CRON_SECRET": s.cron_secret,
            "PORTAL_URL": self.url,
            "IYZICO_BASE_URL": s.iyzico_base_url,
            "IYZICO_API_KEY": s.iyzico_api_key,
            "IYZICO_SECRET_KEY": s.iyzico_secret_key,
            "IYZICO_TIMEOUT_SECONDS": str(s.iyzico_timeout_seconds),
            "PROVIDER_TIMEOUT_SECONDS": str(s.provider_timeout_seconds),
            "SMTP_PORT": str(s.smtp_port),
            "SMTP_TIMEOUT_SECONDS": str(s.smtp_timeout_seconds),
            **sandbox_access.environment(s.sandbox_url),
            "SANDBOX_URL": s.sandbox_url,
            "OUTBOX_LEASE_SECONDS": str(s.outbox_lease_seconds),
            "OUTBOX_QUIET_SECONDS": str(s.outbox_quiet_seconds),
            "SCHEDULE_PAUSE_SECONDS": str(s.schedule_pause_seconds),
            "SLOT_LEASE_SECONDS": str(s.slot_lease_seconds),
            "PROXY_HOPS": "1",
            "ENABLE_JOBS": "1",
            "DEMO": "1",
        }

    def _start(self, name: str, command: list[str], **more: str) -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**self.environment(), **more},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@pytest.fixture
def processes(settings: Settings, tmp_path: Path) -> Iterator[Processes]:
    """Stopped however the test ends."""
    started = Processes(settings, tmp_path)
    yield started
    started.stop()


def eventually(what: str, ask: object, seconds: float = 60) -> None:
    """Until it is so, or time is up: the liveness every fault test ends with."""
    assert callable(ask)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ask():
            return
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what}")

"""Starts everything, keeps it alive, stops it cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from portal.embedded import children
from portal.embedded.home import ROOT, Home


class Child(NamedTuple):
    """A process of the portal: its name, its command, and the address that tells when it is ready.

    One without an address says so by a file (portal/core/readiness.py).
    """

    name: str
    command: list[str]
    ready_url: str = ""


class Stopped(Exception):
    """Somebody asked us to stop."""


class Supervisor:
    """Children by name, each restarted when it dies, all stopped together."""

    def __init__(self, home: Home, env: Mapping[str, str]) -> None:
        self.home, self.env = home, dict(env)
        self.running: dict[str, tuple[Child, subprocess.Popen[bytes], float]] = {}
        self.warden = subprocess.Popen(
            [sys.executable, "-m", "portal.embedded.warden"],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """Tell the warden whom to end if we die without a word."""
        self._tell(f"+{group}\n")

    def start(self, child: Child) -> None:
        """Start one."""
        self._ready_file(child).unlink(missing_ok=True)
        env = {**self.env, "READY_FILE": str(self._ready_file(child))}
        process = children.start(child.command, log=self._log(child.name), env=env, cwd=ROOT)
        self.running[child.name] = (child, process, time.monotonic())
        self.watch(process.pid)

    def wait_ready(self, patience: float = 90) -> None:
        """Until every child answers at its address, or has left its file."""
        deadline = time.monotonic() + patience
        waiting = [(child, process) for child, process, _since in self.running.values()]
        while waiting:
            for child, process in waiting[:]:
                if _answers(child.ready_url) if child.ready_url else self._ready_file(child).exists():
                    waiting.remove((child, process))
                elif process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{child.name} did not start:\n{children.last_words(self._log(child.name))}")
            time.sleep(0.05)

    def keep(self) -> None:
        """Restart what dies, until somebody asks us to stop."""
        while True:
            for name, (child, process, since) in list(self.running.items()):
                if process.poll() is None:
                    continue
                lived = time.monotonic() - since
                print(f"{name} ended ({process.returncode}) after {lived:.0f} s and is started again", flush=True)
                children.stop(process)
                self._tell(f"-{process.pid}\n")
                if lived < 5:
                    time.sleep(1)
                self.start(child)
            time.sleep(0.3)

    def stop(self) -> None:
        """First those started last (the web), all at once within a few seconds."""
        for _child, process, _since in reversed(self.running.values()):
            if process.poll() is None:
                process.terminate()
        for _child, process, _since in reversed(self.running.values()):
            children.stop(process, patience=6)
            self._tell(f"-{process.pid}\n")
        self.running.clear()

    def dismiss_warden(self) -> None:
        """Nobody is left to be ended."""
        assert self.warden.stdin
        self.warden.stdin.close()
        self.warden.wait(10)

    def _tell(self, line: str) -> None:
        assert self.warden.stdin
        self.warden.stdin.write(line.encode())
        self.warden.stdin.flush()

    def _ready_file(self, child: Child) -> Path:
        return self.home.folder / f"{child.name}.ready"

    def _log(self, name: str) -> Path:
        return self.home.logs / f"{name}.log"


def stop_on_signals() -> None:
    """Ctrl-C and SIGTERM both mean: stop cleanly."""

    def asked(_signal: int, _frame: FrameType | None) -> None:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_IGN)
        raise Stopped

    signal.signal(signal.SIGINT, asked)
    signal.signal(signal.SIGTERM, asked)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment for children, without what would confuse them."""
    env = dict(os.environ if base is None else base)
    return {**env, "FLASK_APP": "wsgi.py", "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}

"""Two web and two worker hosts over one database: rolled without a failed request, and one of each killed under load."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.core.database import db
from portal.embedded.children import free_port
from portal.embedded.home import ROOT
from portal.escrow.models import EscrowHold, NetworkPayment
from portal.inbox.models import InboxMessage
from portal.sandbox.iyzico import webhooks
from portal.sandbox.iyzico.books import Books
from portal.sandbox.world import World
from portal.settings import Settings
from tests import story
from tests.cast import Cast
from tests.faults.conftest import Processes, eventually
from tests.world import SandboxControl

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.skipif(not os.environ.get("RUNS"), reason="a minute of load: in `make faults`"),
    pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx on this machine: rolling was not tried"),
]

# 200 in `make faults` (RUNS=300).
PAYMENTS = min(200, int(os.environ.get("RUNS") or 40))


class Machines(Processes):
    """Two web hosts behind nginx, and two worker hosts."""

    def __init__(self, settings: Settings, logs: Path) -> None:
        super().__init__(settings, logs)
        self.ports = {"web-a": free_port(), "web-b": free_port()}
        self.url = f"http://127.0.0.1:{self.port}"

    def host(self, name: str) -> None:
        """One web host, as its unit starts it; returns when it answers."""
        granian = str(Path(sys.executable).with_name("granian"))
        port = self.ports[name]
        command = [
            granian, "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
            "--blocking-threads", "8", "--backlog", "1024", "--no-ws", "--log-level", "warning",
            "--workers-kill-timeout", "30", "wsgi:app",
        ]  # fmt: skip
        self._start(name, command)
        eventually(f"{name} answers", lambda: answers(f"http://127.0.0.1:{port}/healthz"), 90)

    def front(self) -> None:
        """nginx with deploy's own files; only ports, TLS and folders differ."""
        site = (ROOT / "deploy/nginx/emanet.conf").read_text()
        site = site.replace("127.0.0.1:8001", f"127.0.0.1:{self.ports['web-a']}")
        site = site.replace("127.0.0.1:8002", f"127.0.0.1:{self.ports['web-b']}")
        head, _first, rest = site.partition("server {\n    listen 80;")
        rest = "server {" + rest.split("\nserver {", 1)[1]
        lines = [line for line in rest.splitlines() if "ssl" not in line]
        site = head + "\n".join(lines).replace("server_name portal.example.com;", f"listen 127.0.0.1:{self.port};")
        site = site.replace("/etc/nginx/emanet-proxy.conf", str(ROOT / "deploy/nginx/emanet-proxy.conf"))
        site = site.replace("/opt/emanet", str(ROOT))
        (self.logs / "site.conf").write_text(site)
        conf = self.logs / "nginx.conf"
        conf.write_text(
            f"daemon off; worker_processes 1; pid {self.logs}/nginx.pid; error_log {self.logs}/nginx-error.log;\n"
            f"events {{}}\nhttp {{ access_log off; client_body_temp_path {self.logs}; proxy_temp_path {self.logs};"
            f" include {self.logs}/site.conf; }}\n"
        )
        self._start("nginx", ["nginx", "-c", str(conf), "-p", str(self.logs)])
        eventually("nginx answers", lambda: answers(f"{self.url}/healthz"), 60)

    def polite(self, name: str) -> None:
        """As systemd restarts a unit: SIGTERM, wait, start again."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        self.host(name)


def answers(url: str) -> bool:
    """Whether somebody answers there."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def machines(settings: Settings, tmp_path: Path) -> Iterator[Machines]:
    """Stopped however the test ends."""
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if str(folder).startswith("/tmp/pytest"):
            folder.chmod(0o755)
    started = Machines(replace(settings, outbox_lease_seconds=15), tmp_path)
    yield started
    started.stop()


class Load(threading.Thread):
    """Visitors: pages and a provider's messages, one after the other, until told to stop."""

    def __init__(self, url: str, letters: list[dict[str, str]]) -> None:
        super().__init__(daemon=True)
        self.url, self.letters = url, letters
        self.over = threading.Event()
        self.seen: Counter[str] = Counter()
        self.lost: list[dict[str, str]] = []

    def run(self) -> None:
        """A page, a message, a page, a message."""
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as http:
            while not self.over.is_set():
                self.count("GET", lambda: http.get("/sign-in").status_code, None)
                letter = self.letters.pop() if self.letters else None
                if letter:
                    self.count("POST", lambda sent=letter: send(http, sent), letter)

    def count(self, what: str, ask: object, letter: dict[str, str] | None) -> None:
        """What came back; a provider sends again what was not taken."""
        assert callable(ask)
        try:
            status = str(ask())
        except httpx.HTTPError as broken:
            status = type(broken).__name__
        self.seen[f"{what} {status}"] += 1
        if letter and status != "200":
            self.lost.append(letter)


def send(http: httpx.Client, letter: dict[str, str]) -> int:
    """As the provider sends."""
    headers = {"Content-Type": "application/json", "X-IYZ-SIGNATURE-V3": letter["signature"]}
    assert json.loads(letter["body"])
    return http.post("/api/webhooks/payments/iyzico", content=letter["body"], headers=headers).status_code


def paid_but_not_yet_known(cast: Cast, world: World, count: int) -> list[dict[str, str]]:
    """Fatma has paid; nobody has told the portal."""
    books = Books(world)
    for _ in range(count):
        form = books.pay(story.open_page(cast, story.place(cast, (story.TAPE, 1))), success=True)
        webhooks.announce(world, form, books.payment(form["payment_id"]))
    db.session.rollback()
    return [{"body": row["body"], "signature": row["signature"]} for row in world.store.all("webhook")]


def applied() -> int:
    """Payments in the books."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(NetworkPayment.state == "PAID")) or 0


def test_a_new_version_costs_nobody_a_request(
    app: Flask, cast: Cast, sandbox: SandboxControl, world: World, machines: Machines
) -> None:
    letters = paid_but_not_yet_known(cast, world, PAYMENTS // 2)
    for name in machines.ports:
        machines.host(name)
    machines.front()
    visitors = [Load(machines.url, letters) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for name in machines.ports:
        machines.polite(name)
        time.sleep(1)
    for visitor in visitors:
        visitor.over.set()
    for visitor in visitors:
        visitor.join(60)
    seen = sum((visitor.seen for visitor in visitors), Counter())
    print(dict(seen))
    assert set(seen) == {"GET 200", "POST 200"}, seen
    assert sum(seen.values()) > 100


def test_one_web_and_one_worker_host_die_under_load(
    app: Flask, cast: Cast, sandbox: SandboxControl, world: World, machines: Machines
) -> None:
    letters = paid_but_not_yet_known(cast, world, PAYMENTS)
    for name in machines.ports:
        machines.host(name)
    machines.front()
    for name in ("worker-a", "worker-b"):
        machines.job(name, "work")
    machines.job("sweeper", "sweep")
    visitors = [Load(machines.url, letters) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    eventually("some of the work is done", lambda: applied() >= 3, 120)
    machines.kill("web-a")
    machines.kill("worker-a")
    eventually("the rest was handed in", lambda: not letters, 120)
    time.sleep(1)
    for visitor in visitors:
        visitor.over.set()
    for visitor in visitors:
        visitor.join(60)
    seen = sum((visitor.seen for visitor in visitors), Counter())
    print(dict(seen))
    failed = sum(count for what, count in seen.items() if not what.endswith(" 200"))
    assert failed <= 4, seen  # at most what was in the dead host's hands: one request of each visitor
    with httpx.Client(base_url=machines.url, timeout=60, trust_env=False) as http:
        for visitor in visitors:
            for letter in visitor.lost:  # the provider sends again
                assert send(http, letter) == 200
    eventually("every payment is in the books", lambda: applied() == PAYMENTS, 180)
    assert db.session.scalar(select(func.count(EscrowHold.id))) == PAYMENTS
    assert db.session.scalar(select(func.count(InboxMessage.id))) == PAYMENTS

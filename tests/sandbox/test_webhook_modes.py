"""How the sandbox announces: lost, late, twice, out of order; and it forgets nothing in a restart."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flask import Flask

from portal.sandbox.app import create_sandbox
from portal.sandbox.store import Store
from portal.sandbox.world import SandboxSettings
from tests import story
from tests.cast import Cast
from tests.world import SandboxControl


@pytest.mark.parametrize(("mode", "letters"), [("lost_webhook", 0), ("duplicate_webhook", 3), ("late_webhook", 1)])
def test_so_many_letters_are_written(app: Flask, cast: Cast, sandbox: SandboxControl, mode: str, letters: int) -> None:
    sandbox.fault("webhook", mode, seconds=60)
    sandbox.pay(story.open_page(cast, story.place(cast)))
    written = sandbox.webhooks()
    assert len(written) == letters
    if mode == "late_webhook":
        assert written[0]["due"] > time.time() + 30
    if mode == "duplicate_webhook":
        assert len({w["signature"] for w in written}) == 1
        assert len({w["body"]["iyziReferenceCode"] for w in written}) == 3


def test_out_of_order_means_another_order(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    sandbox.fault("webhook", "reorder_webhooks", times=12)
    for _ in range(12):
        sandbox.pay(story.open_page(cast, story.place(cast)))
    due = [w["due"] for w in sandbox.webhooks()]
    assert due != sorted(due)


def test_a_deaf_listener_is_called_three_times_and_no_more(tmp_path: Path) -> None:
    heard: list[str] = []

    class Deaf(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.headers["X-IYZ-SIGNATURE-V3"])
            self.send_response(500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Deaf)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    app = create_sandbox(SandboxSettings("k", "s", "http://x", webhook_url=url, webhook_delay_seconds=0))
    client = app.test_client()
    world = app.extensions["world"]
    world.store.put("form", "t", {"token": "t", "status": "OPEN", "payment_id": "", "asked": {"conversationId": "c"}})
    assert client.post("/_sandbox/iyzico/pay/t", json={"result": "failure"}).status_code == 200
    for call in range(1, 6):
        deadline = time.monotonic() + 30
        while len(heard) < min(call, 3) and time.monotonic() < deadline:
            time.sleep(0.05)
        client.post("/_sandbox/clock", json={"advance_seconds": 16 * 60})
    time.sleep(0.5)
    assert len(heard) == 3
    server.shutdown()


def test_what_was_done_is_known_after_a_restart(tmp_path: Path) -> None:
    first = Store(tmp_path)
    first.put("item", "1", {"price": 5})
    first.count("approve", "1")
    again = Store(tmp_path)
    assert again.get("item", "1") == {"price": 5}
    assert again.all("effect") == [{"operation": "approve", "key": "1", "count": 1}]


def test_nonsense_levers_are_refused(sandbox: SandboxControl) -> None:
    for asked in ({"provider": "x", "mode": "slow"}, {"provider": "iyzico", "mode": "explode"}):
        assert sandbox.http.post("/_sandbox/faults", json=asked).status_code == 422
    assert sandbox.http.get("/").status_code == 200

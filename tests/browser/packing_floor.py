"""The packing floor for browser tests: a live portal over the test's own database, a big order, and a scanner."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import BaseWSGIServer, make_server

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.orders.models import Offer
from portal.stock import services as stock
from tests import story
from tests.cast import Cast, actor
from tests.packing import prepared
from tests.world import SandboxControl

# What Turkish Q makes of the keys a scanner set to US keys presses.
TURKISH_Q = dict(zip("i-/.,;[]'I_", "ı*.çöşğüiİ?", strict=True))
# A scanner is not slowed by a busy machine, so its keys carry the time at which it pressed them.
WEDGE = """async ([codes, gap, between, keys, end]) => {
  let at = performance.now();
  const place = (c) => /[a-z]/i.test(c) ? `Key${c.toUpperCase()}` : /\\d/.test(c) ? `Digit${c}`
    : { '-': 'Minus', '/': 'Slash', '.': 'Period', ' ': 'Space' }[c];
  const press = (key, code, shiftKey) => {
    const event = new KeyboardEvent('keydown', { key, code, shiftKey, bubbles: true, cancelable: true, composed: true });
    Object.defineProperty(event, 'timeStamp', { value: at });
    (document.activeElement ?? document.body).dispatchEvent(event);
  };
  const pause = (ms) => { at += ms; return ms > 0 ? new Promise((go) => setTimeout(go, ms)) : null; };
  for (const code of codes) {
    for (const c of code) {
      press(keys[c] ?? c, place(c), /[A-Z]/.test(c));
      if (gap) await pause(gap);
    }
    press(end, end, false);
    await pause(between);
  }
}"""


class Floor:
    """A portal on a port, which can be cut off and come back."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.server = self._open(0)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def _open(self, port: int) -> BaseWSGIServer:
        server = make_server("127.0.0.1", port, self.app, threaded=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    def close(self) -> None:
        """Nobody answers any more."""
        self.server.shutdown()
        self.server.server_close()

    def come_back(self) -> None:
        """The same address answers again."""
        self.server = self._open(self.port)


@contextmanager
def floor(app: Flask) -> Iterator[Floor]:
    """For one test."""
    opened = Floor(app)
    yield opened
    opened.close()


def big_order(
    app: Flask, cast: Cast, sandbox: SandboxControl, lines: list[tuple[str, str, int]], *, cases: bool = True
) -> int:
    """Deniz sells these (barcode, name, pieces), Fatma has paid, and the parcel is prepared; its id."""
    with atomic():
        shelves = [stock.add_shelf(code).id for code in ("A-01", "B-02", "C-03")]
        for n, (barcode, name, _pieces) in enumerate(lines):
            offer = dict(barcode=barcode, name=name, unit_price_kurus=10_00)
            db.session.add(Offer(seller_organisation_id=cast.deniz.organisation_id, **offer))
            item = stock.add_item(barcode, name)
            if cases:
                stock.add_case(item, f"1{barcode}", 6)
            stock.receive(item.id, shelves[n % 3], 5_000, key=f"in-{n}", by=actor(cast.cem))
    order = story.paid(app, cast, sandbox, *[(barcode, pieces) for barcode, _name, pieces in lines])[0]
    return prepared(cast, order.id)


def scan(
    page: Page, *codes: str, gap: int = 0, between: int = 15, keys: dict[str, str] | None = None, end: str = "Enter"
) -> None:
    """A scanner reads these, one after the other; `gap` between its keys and `between` the codes, in ms."""
    page.evaluate(WEDGE, [list(codes), gap, between, keys or {}, end])


def wait_sent(page: Page) -> None:
    """Until nothing waits on the device."""
    page.wait_for_function("() => document.getElementById('link').dataset.state === 'Online'")


def number_of(sql: str) -> int:
    """One number from the database, as it is now."""
    from tests.stock import number

    return number(sql)


def counts(page: Page) -> Any:
    """Packed and wanted, as the screen says."""
    return page.evaluate(
        "() => [Number(document.getElementById('packed').textContent), Number(document.getElementById('progress').max)]"
    )

"""Trendyol in small, and our adapter before it: what the tests of both halves share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
from flask import Flask

from portal.core.ports import Outcome
from portal.integrations.trendyol.adapter import TrendyolStorefront
from portal.integrations.trendyol.client import TrendyolClient
from portal.integrations.trendyol.limits import Limits
from portal.marketplace.ports import PackagePage, StorefrontPackage
from portal.sandbox.faults import Fault
from portal.sandbox.store import Store
from portal.sandbox.trendyol import API_KEY, API_SECRET, SELLER_ID, blueprints
from portal.sandbox.world import SandboxSettings, World

DONE, REFUSED, UNKNOWN, NOT_SENT = Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN, Outcome.NOT_SENT
MISHAPS = [
    ("slow", UNKNOWN, True), ("timeout_before_effect", UNKNOWN, False), ("timeout_after_effect", UNKNOWN, True),
    ("error_500", UNKNOWN, False), ("error_500_after_effect", UNKNOWN, True), ("malformed", UNKNOWN, True),
]  # fmt: skip


def no_limits() -> Limits:
    """Our own side lets everything through."""
    return Limits(per_ten_seconds=100_000, per_minute={}, stream_gap_seconds=0)


@dataclass
class Twin:
    """The world, its doors and its levers."""

    app: Flask
    world: World

    def client(self, **changes: Any) -> TrendyolClient:
        """With little patience."""
        settings: dict[str, Any] = {
            "base_url": "http://twin/trendyol/integration", "seller_id": SELLER_ID, "api_key": API_KEY,
            "api_secret": API_SECRET, "timeout_seconds": Decimal("0.5"), "limits": no_limits(),
        }  # fmt: skip
        return TrendyolClient(**{**settings, "transport": httpx.WSGITransport(app=self.app), **changes})

    def storefront(self, client: TrendyolClient | None = None, **changes: Any) -> TrendyolStorefront:
        """The adapter, in the sandbox's time."""
        return TrendyolStorefront(client or self.client(), now=self.world.now, **changes)

    def fails(self, operation: str, mode: str, **more: Any) -> None:
        """The next call of an operation goes wrong."""
        self.world.faults.add(Fault("trendyol", operation, mode, seconds=0.6, **more))

    def lever(self, path: str, **asked: Any) -> Any:
        """Something a test decides."""
        answer = self.app.test_client().post(f"/_sandbox/trendyol/{path}", json=asked)
        assert answer.status_code in (200, 201), answer.text
        return answer.get_json()

    def look(self, path: str) -> Any:
        """Something a test may see."""
        return self.app.test_client().get(f"/_sandbox/trendyol/{path}").get_json()

    def order(self, *lines: tuple[str, int], **more: Any) -> list[str]:
        """Somebody buys; the keys of the packages."""
        wanted = [{"barcode": barcode, "quantity": quantity} for barcode, quantity in lines or [("A1", 2)]]
        return [str(row["shipmentPackageId"]) for row in self.lever("orders", lines=wanted, **more)]

    def keys(self) -> set[str]:
        """Every package there is."""
        return {str(row["shipmentPackageId"]) for row in self.look("packages")}

    def effects(self, what: str) -> dict[str, int]:
        """What was done in the world, and how often."""
        rows = self.world.store.all("effect")
        return {row["key"]: row["count"] for row in rows if row["operation"] == f"trendyol.{what}"}


def a_twin() -> Twin:
    """A world of its own; its limits are off unless a test wants them."""
    app, world = Flask("twin"), World(SandboxSettings("k", "s", "http://x"), Store(None))
    for blueprint in blueprints(world):
        app.register_blueprint(blueprint)
    twin = Twin(app, world)
    twin.lever("rules", limits=False)
    return twin


def whole_span(
    store: TrendyolStorefront, since: datetime, until: datetime, between: Callable[[], object] | None = None
) -> dict[str, StorefrontPackage]:
    """Read as a job would: page by page, the same page again after silence, the newest version of each kept."""
    found: dict[str, StorefrontPackage] = {}
    cursor = ""
    for _call in itertools.count():
        assert _call < 500, "a reader that does not end"
        page = store.changed_packages(since, until, cursor)
        if page.outcome is not DONE:
            assert (page.packages, page.cursor) == ((), cursor)
            continue
        for package in page.packages:
            known = found.get(package.package_key)
            if known is None or known.changed_at <= package.changed_at:
                found[package.package_key] = package
        if between:
            between()
        cursor = page.cursor
        if not cursor:
            break
    return found


def last_hour(twin: Twin, store: TrendyolStorefront, hours: int = 1) -> dict[str, StorefrontPackage]:
    """Everything that changed lately."""
    now = twin.world.now()
    return whole_span(store, now - timedelta(hours=hours), now)


def the_one(page: PackagePage) -> StorefrontPackage:
    """The only package of a page."""
    assert page.outcome is DONE
    (package,) = page.packages
    return package


def told(*answers: httpx.Response | Exception, **changes: Any) -> TrendyolStorefront:
    """A storefront behind a scripted answer per call; the last one goes on."""
    script = list(answers)

    def answer(_request: httpx.Request) -> httpx.Response:
        said = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(said, Exception):
            raise said
        return said

    client = TrendyolClient(
        base_url="http://x", seller_id="1", api_key="k", api_secret="s", limits=no_limits(),
        transport=httpx.MockTransport(answer),
    )  # fmt: skip
    return TrendyolStorefront(client, now=lambda: datetime.fromisoformat("2026-11-21T12:00:00+00:00"), **changes)

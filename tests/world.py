"""The sandbox as tests drive it: over HTTP, like everybody else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from portal.sandbox import access as sandbox_access
from portal.settings import Settings


def test_settings(database_url: str, redis_url: str, sandbox_url: str, *, smtp_port: int) -> Settings:
    """The portal's settings under test: short waits, no secrets worth keeping."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_key="s" * 40,
        jwt_secret="j" * 40,
        cron_secret="c" * 40,
        portal_url="http://localhost",
        iyzico_base_url=sandbox_url,
        iyzico_api_key="sandbox-testApiKey",
        iyzico_secret_key="sandbox-testSecret",
        iyzico_timeout_seconds=Decimal("1.5"),
        sandbox_url=sandbox_url,
        demo=True,
        enable_jobs=True,
        outbox_lease_seconds=6,
        outbox_quiet_seconds=0,
        drain_lanes=4,
        schedule_pause_seconds=Decimal("0.2"),
        slot_lease_seconds=4,
        provider_timeout_seconds=Decimal("1.0"),
        smtp_port=smtp_port,
        smtp_timeout_seconds=Decimal("1.0"),
        trendyol_limits=False,
        storefront_first_days=1,
        **_of_the_sandbox(sandbox_url),
        database_pool=10,
    )


def _of_the_sandbox(sandbox_url: str) -> dict[str, Any]:
    return {name.lower(): value for name, value in sandbox_access.environment(sandbox_url).items()}


test_settings.__test__ = False  # type: ignore[attr-defined]


class SandboxControl:
    """What goes wrong, what was done, and who pays."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=30)

    def reset(self) -> None:
        """A new world."""
        self.http.post("/_sandbox/reset").raise_for_status()

    def close(self) -> None:
        """Hang up."""
        self.http.close()

    def fault(self, operation: str, mode: str, times: int = 1, *, provider: str = "iyzico", **more: Any) -> None:
        """Plan a mishap."""
        asked = {"provider": provider, "operation": operation, "mode": mode, "times": times, "seconds": 2, **more}
        self.http.post("/_sandbox/faults", json=asked).raise_for_status()

    def calm(self) -> None:
        """No more mishaps."""
        self.http.delete("/_sandbox/faults").raise_for_status()

    def effects(self, operation: str) -> dict[str, int]:
        """How often each thing was done, by key."""
        rows = self.http.get("/_sandbox/iyzico/effects").json()["effects"]
        return {row["key"]: row["count"] for row in rows if row["operation"] == operation}

    def pay(self, token: str, result: str = "success") -> int:
        """Pay a form without a browser; the HTTP status of the answer."""
        return self.http.post(f"/_sandbox/iyzico/pay/{token}", json={"result": result}).status_code

    def webhooks(self) -> list[dict[str, Any]]:
        """Every notification that was written down."""
        found: list[dict[str, Any]] = self.http.get("/_sandbox/iyzico/webhooks").json()
        return found

    def scan(self, carrier: str, key: str, event: str, **more: Any) -> None:
        """Something happens to a parcel at its carrier."""
        asked = {"event": event, **more}
        self.http.post(f"/_sandbox/carriers/{carrier}/{key}/scans", json=asked).raise_for_status()

    def parcels(self, carrier: str) -> list[dict[str, Any]]:
        """Every parcel a carrier knows."""
        found: list[dict[str, Any]] = self.http.get(f"/_sandbox/carriers/{carrier}").json()
        return found

    def carrier_webhooks(self) -> list[dict[str, Any]]:
        """Every notification of Örnek Kargo."""
        found: list[dict[str, Any]] = self.http.get("/_sandbox/carriers/webhooks").json()
        return found

    def despatches(self) -> list[dict[str, Any]]:
        """Every document the e-despatch office knows."""
        found: list[dict[str, Any]] = self.http.get("/_sandbox/nilvera/documents").json()
        return found

    def answer_despatch(self, document_uuid: object, verdict: str, **more: Any) -> None:
        """The receiver answers a despatch note."""
        asked = {"verdict": verdict, **more}
        self.http.post(f"/_sandbox/nilvera/documents/{document_uuid}/answer", json=asked).raise_for_status()

    def mail(self) -> list[dict[str, Any]]:
        """Every letter that arrived."""
        found: list[dict[str, Any]] = self.http.get("/_sandbox/mail").json()
        return found

    def advance(self, days: int) -> None:
        """Time passes in the sandbox."""
        self.http.post("/_sandbox/clock", json={"advance_seconds": days * 86400}).raise_for_status()

"""What all providers of the sandbox share: memory, clock, mishaps, settings."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from portal.sandbox.faults import Faults
from portal.sandbox.store import Store

ISTANBUL = ZoneInfo("Europe/Istanbul")


@dataclass(frozen=True)
class SandboxSettings:
    """Who signs how, and where webhooks go. Without an address they are only collected."""

    api_key: str
    secret_key: str
    own_url: str
    webhook_url: str = ""
    webhook_delay_seconds: float = 1.0  # the real one takes 10 to 15
    portal_url: str = ""
    cron_secret: str = ""
    payout_delay_days: int = 1
    fee_permille: int = 25  # in thousandths of the paid amount, half up
    fee_fixed_kurus: int = 25
    smtp_port: int | None = None  # 0: any free one; None: no post office
    hana_port: int | None = None  # the ERP's; as above
    erp_server: str = field(default="", repr=False)  # a PostgreSQL where its ledger may be kept
    erp_accounts: int = 10_000
    folder: Path | None = None

    @classmethod
    def from_env(cls) -> SandboxSettings:
        """As the supervisor sets it."""
        env = os.environ
        return cls(
            api_key=env["IYZICO_API_KEY"],
            secret_key=env["IYZICO_SECRET_KEY"],
            own_url=env["SANDBOX_URL"],
            webhook_url=env.get("SANDBOX_WEBHOOK_URL", ""),
            portal_url=env.get("PORTAL_URL", ""),
            cron_secret=env.get("CRON_SECRET", ""),
            smtp_port=int(env["SANDBOX_SMTP_PORT"]) if env.get("SANDBOX_SMTP_PORT") else None,
            hana_port=int(env["SANDBOX_HANA_PORT"]) if env.get("SANDBOX_HANA_PORT") else None,
            erp_server=env.get("DATABASE_URL", ""),
            folder=Path(env["SANDBOX_HOME"]) if env.get("SANDBOX_HOME") else None,
        )


@dataclass
class World:
    """One sandbox."""

    settings: SandboxSettings
    store: Store
    faults: Faults = field(default_factory=Faults)

    def shift_seconds(self) -> int:
        """How far the sandbox's clock has been moved."""
        return int((self.store.get("clock", "shift") or {"seconds": 0})["seconds"])

    def move_clock(self, seconds: int) -> None:
        """Set how far the clock stands from the real one."""
        self.store.put("clock", "shift", {"seconds": seconds})

    def now(self) -> datetime:
        """The sandbox's instant."""
        return datetime.now(UTC) + timedelta(seconds=self.shift_seconds())

    def today(self) -> str:
        """The sandbox's Istanbul day as text."""
        return f"{self.now().astimezone(ISTANBUL):%Y-%m-%d}"

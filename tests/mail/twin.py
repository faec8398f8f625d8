"""A mail server in small, and our adapter before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.integrations.smtp.adapter import Security, SmtpPostOffice
from portal.sandbox.faults import Fault
from portal.sandbox.smtp import start_post_office
from portal.sandbox.smtp.box import Office
from portal.sandbox.store import Store
from portal.sandbox.world import SandboxSettings, World

# Short, that tests of silence are; but long enough for a busy machine to answer in.
PATIENCE_SECONDS = 2
SENDER = "Emanet Güvenli Ödeme <posta@emanet.tr>"


@dataclass
class Twin:
    """A mail server in small."""

    world: World
    server: Office

    def office(self, *, user: str = "", password: str = "", security: Security = "none") -> SmtpPostOffice:
        """The adapter, with little patience."""
        return an_office(self.server.port, user=user, password=password, security=security)

    def fails(self, mode: str, times: int = 1) -> None:
        """The next letters go wrong; a silence outlasts the adapter's patience."""
        self.world.faults.add(Fault("smtp", "mail", mode, times, seconds=PATIENCE_SECONDS + 0.4))

    def letters(self) -> list[dict[str, Any]]:
        """What lies in the mailbox."""
        return self.world.store.all("mail")


def an_office(port: int, *, user: str = "", password: str = "", security: Security = "none") -> SmtpPostOffice:
    """The adapter before some port of this machine."""
    return SmtpPostOffice(
        host="127.0.0.1",
        port=port,
        user=user,
        password=password,
        security=security,
        sender=SENDER,
        timeout_seconds=Decimal(PATIENCE_SECONDS),
    )


@contextmanager
def open_counter(*, user: str = "", password: str = "") -> Iterator[Twin]:
    """A world that has seen nothing, and its post office."""
    world = World(SandboxSettings("k", "s", "http://twin"), Store(None))
    server = start_post_office(world, "127.0.0.1", 0, user=user, password=password)
    try:
        yield Twin(world, server)
    finally:
        server.stop()

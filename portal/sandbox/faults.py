"""What goes wrong on request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

MODES = (
    "slow", "timeout_before_effect", "timeout_after_effect", "error_500", "error_500_after_effect", "malformed",
    "refuse", "duplicate_webhook", "late_webhook", "lost_webhook", "reorder_webhooks",
)  # fmt: skip
WEBHOOK_MODES = ("duplicate_webhook", "late_webhook", "lost_webhook", "reorder_webhooks")


@dataclass
class Fault:
    """A mishap for the next `times` calls of an operation (every `every`-th of them)."""

    provider: str
    operation: str
    mode: str
    times: int = 1
    every: int = 1
    seconds: float = 30.0
    seen: int = 0
    code: int = 0  # the number a database refuses with; 0: the usual one

    def fits(self, provider: str, operation: str) -> bool:
        """Whether it is meant for this call."""
        if (self.mode in WEBHOOK_MODES) != (operation == "webhook"):
            return False
        return self.provider in ("*", provider) and self.operation in ("*", operation)


class Mishaps(Protocol):
    """Whoever knows what goes wrong next."""

    def take(self, provider: str, operation: str) -> Fault | None:
        """The mishap of this call, if one is planned."""


class Faults:
    """The mishaps that are still to come."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Plan a mishap."""
        with self.lock:
            self.waiting.append(fault)

    def take(self, provider: str, operation: str) -> Fault | None:
        """The mishap of this call, if one is planned."""
        with self.lock:
            for fault in self.waiting:
                if not fault.fits(provider, operation):
                    continue
                fault.seen += 1
                if fault.seen % fault.every:
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self.lock:
            self.waiting.clear()


def hang(seconds: float) -> None:
    """Say nothing for a while."""
    time.sleep(min(seconds, 120.0))

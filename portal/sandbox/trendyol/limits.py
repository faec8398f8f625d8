"""How often each endpoint was called, and when that was too often. In real seconds: a moved clock calls nobody."""

from __future__ import annotations

import time
from collections import defaultdict
from threading import Lock

MOST, SECONDS = 50, 10.0


class Calls:
    """Every call since the sandbox started, by endpoint."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.at: dict[str, list[float]] = defaultdict(list)
        self.refused: dict[str, int] = defaultdict(int)
        self.asked = 0

    def one_more(self, endpoint: str, *, limited: bool) -> bool:
        """Whether this call may be served. Refused calls are counted apart."""
        with self.lock:
            now = time.monotonic()
            recent = sum(1 for at in reversed(self.at[endpoint][-MOST:]) if now - at < SECONDS)
            if limited and recent >= MOST:
                self.refused[endpoint] += 1
                return False
            self.at[endpoint].append(now)
            return True

    def is_nth(self, every: int) -> bool:
        """Whether this was a call in which somebody wants them to be tired; 0: never."""
        with self.lock:
            self.asked += 1
            return every > 0 and self.asked % every == 0

    def told(self) -> dict[str, dict[str, int]]:
        """Per endpoint: how many, how many were too many, and the most within any 10 and any 60 seconds."""
        with self.lock:
            return {
                endpoint: {
                    "count": len(self.at[endpoint]),
                    "refused": self.refused[endpoint],
                    "most_in_10_seconds": most_within(self.at[endpoint], SECONDS),
                    "most_in_a_minute": most_within(self.at[endpoint], 60.0),
                }
                for endpoint in sorted({*self.at, *self.refused})
            }

    def forget(self) -> None:
        """Begin to count anew."""
        with self.lock:
            self.at.clear()
            self.refused.clear()


def most_within(instants: list[float], seconds: float) -> int:
    """The most instants in any half-open window of so many seconds; the instants come in order."""
    most = first = 0
    for last, at in enumerate(instants):
        while at - instants[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most

"""How often Trendyol may be asked, kept on our side too: better not to ask than to be refused."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

MARGIN_SECONDS = 1  # calls can travel at different speeds and arrive closer together than they left

# Per minute, of the smallest listing tier (facts: limits, since 14.09.2026). Endpoints of one family share.
PER_MINUTE: Mapping[str, int] = {
    "order pull": 30,
    "update": 300,
    "unsupplied and split": 100,
    "stock": 350,
    "product read": 1000,
}
FAMILY = {
    "orders": "order pull",
    "stream": "order pull",
    "update": "update",
    "unsupplied": "unsupplied and split",
    "split": "unsupplied and split",
    "stock": "stock",
    "batch": "product read",
    "read": "product read",
    "webhooks": "webhooks",
    "webhook on": "webhooks",
}


@dataclass(frozen=True)
class Pace:
    """At most so many calls in any window of so many seconds."""

    calls: int
    seconds: float


class Limits:
    """Sliding windows, in this process. Other processes have their own: share the limits out between them."""

    def __init__(
        self,
        *,
        per_ten_seconds: int = 50,
        per_minute: Mapping[str, int] | None = None,
        stream_gap_seconds: float = 5.0,
        margin_seconds: float = MARGIN_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.margin_seconds = margin_seconds
        self.per_endpoint = Pace(per_ten_seconds, 10.0 + margin_seconds)
        self.per_minute = PER_MINUTE if per_minute is None else per_minute
        self.stream_gap_seconds = stream_gap_seconds
        self.monotonic = monotonic
        self.lock = Lock()
        self.made: dict[str, deque[float]] = defaultdict(deque)

    def wait_seconds(self, endpoint: str) -> int:
        """0: go ahead, it is counted. Otherwise so many seconds until a call would be within every limit."""
        with self.lock:
            now, paces = self.monotonic(), self._paces(endpoint)
            wait = max(self._wait(name, pace, now) for name, pace in paces)
            if wait > 0:
                return math.ceil(wait)
            for name, _pace in paces:
                self.made[name].append(now)
            return 0

    def windows_of(self, endpoint: str) -> list[Pace]:
        """The limits of one endpoint, for whoever keeps them for many processes together."""
        return [pace for _name, pace in self._paces(endpoint)]

    def _paces(self, endpoint: str) -> list[tuple[str, Pace]]:
        family = FAMILY[endpoint]
        paces = [(f"endpoint {endpoint}", self.per_endpoint)]
        if family in self.per_minute:
            paces.append((f"family {family}", Pace(self.per_minute[family], 60.0 + self.margin_seconds)))
        if endpoint == "stream" and self.stream_gap_seconds:
            paces.append(("gap stream", Pace(1, self.stream_gap_seconds)))
        return paces

    def _wait(self, name: str, pace: Pace, now: float) -> float:
        made = self.made[name]
        while made and now - made[0] >= pace.seconds:
            made.popleft()
        if len(made) < pace.calls:
            return 0.0
        # The call that has to fall out of the window before there is room for one more.
        return made[len(made) - pace.calls] + pace.seconds - now


# For the sandbox and tests, where nobody is refused for asking often.
NO_LIMITS = Limits(per_ten_seconds=100_000, per_minute={}, stream_gap_seconds=0)

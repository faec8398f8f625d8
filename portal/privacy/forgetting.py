"""The nightly forgetting: batch after batch, until nothing is over its time."""

from __future__ import annotations

from collections import Counter

from portal.core.unit_of_work import atomic
from portal.privacy import services


def forget() -> dict[str, int]:
    """Everything whose time is over; how much of each."""
    total: Counter[str] = Counter()
    while True:
        with atomic():
            some = services.forget_some()
        total.update(some)
        if not any(some.values()):
            return dict(total)

"""When silence becomes consent, and which of a carrier's words goes further: pure decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta

from portal.shipping.ports import Scan, Tracked

# How far each word takes a parcel. Others (a failed attempt, unknown words) are news and move nothing.
RANK = {
    Tracked.CREATED: 0,
    Tracked.LABELLED: 10,
    Tracked.PICKED_UP: 20,
    Tracked.IN_TRANSIT: 30,
    Tracked.OUT_FOR_DELIVERY: 40,
    Tracked.READY_FOR_PICKUP: 45,
    Tracked.LOST: 50,  # below DELIVERED: what was lost is sometimes found
    Tracked.DELIVERED: 60,
    Tracked.RETURNED: 70,
}
# Words after which somebody has to look.
ALARMING = (Tracked.LOST, Tracked.CANCELLED, Tracked.UNKNOWN)


def last_day_to_object(delivered_on: date, acceptance_days: int) -> date:
    """The buyer may object until the end of this Istanbul day; the parcel counts as accepted the day after."""
    return delivered_on + timedelta(days=acceptance_days)


def further(known: str | None, said: Tracked) -> bool:
    """Whether the word takes the parcel further than it was. Late lower words do not."""
    return said in RANK and (known is None or RANK[said] > RANK[Tracked(known)])


def furthest(scans: Iterable[Scan]) -> Scan | None:
    """The scan that got furthest, whatever the order in which they came."""
    ranked = [scan for scan in scans if scan.status in RANK]
    return max(ranked, key=lambda scan: RANK[scan.status], default=None)


def scan_key(scan: Scan) -> str:
    """The same thing said twice has the same key."""
    said = "|".join((scan.status, scan.code, scan.words, scan.place, str(scan.occurred_at)))
    return hashlib.sha256(said.encode()).hexdigest()

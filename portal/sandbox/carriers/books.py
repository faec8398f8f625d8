"""What the carriers know of parcels: announced once per key, scanned on the way; every effect is counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.sandbox.store import Row
from portal.sandbox.world import ISTANBUL, World

CARRIERS = ("yurtici", "aras", "mock")
EVENTS = (
    "picked_up", "in_transit", "out_for_delivery", "delivered", "returned", "lost", "attempt_failed", "cancelled",
)  # fmt: skip
FIRST_NUMBER = {"yurtici": 400_000_000_000, "aras": 3_513_770_000_000, "mock": 7_000_000_000}


class NotPossible(Exception):
    """A scan of a parcel that is not there, or one that means nothing."""


class Books:
    """Every carrier's parcels."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = world.store

    def announce(self, carrier: str, key: str, asked: dict[str, Any]) -> bool:
        """A parcel is on its way to them; False when they know this key already."""
        with self.store.lock:
            if self.parcel(carrier, key):
                self.store.count(f"{carrier}.create_repeated", key)
                return False
            self.store.count(f"{carrier}.create", key)
            parcel = {"carrier": carrier, "key": key, "asked": asked, "scans": [], "tracking_number": ""}
            self._keep({**parcel, "cancelled": False, "announced_at": self.world.now().isoformat()})
            return True

    def parcel(self, carrier: str, key: str) -> Row | None:
        """A parcel they know."""
        return self.store.get("parcel", f"{carrier}|{key}")

    def parcels(self, carrier: str) -> list[Row]:
        """Everything one carrier knows, oldest first."""
        return [row for row in self.store.all("parcel") if row["carrier"] == carrier]

    def cancel(self, carrier: str, key: str) -> str:
        """ "done", or why there was nothing to do: "unknown", "again", "on its way"."""
        with self.store.lock:
            parcel = self.parcel(carrier, key)
            if parcel is None:
                return "unknown"
            if parcel["cancelled"]:
                self.store.count(f"{carrier}.cancel_repeated", key)
                return "again"
            if parcel["tracking_number"]:
                return "on its way"
            self.store.count(f"{carrier}.cancel", key)
            self._keep({**parcel, "cancelled": True})
            return "done"

    def advance(self, carrier: str, key: str, event: str, at: datetime | None = None) -> Row:
        """Something happened to a parcel. Their own number appears with the first time they hold it."""
        if event not in EVENTS and not event.startswith("unknown:"):
            raise NotPossible(f"no such event: {event}; one of {', '.join(EVENTS)}, unknown:<code>:<words>")
        with self.store.lock:
            parcel = self.parcel(carrier, key)
            if parcel is None:
                raise NotPossible("no such parcel")
            scan = {"event": event, "at": (at or self.world.now()).isoformat(), "place": _place(parcel, event)}
            number = parcel["tracking_number"]
            if event == "picked_up" and not number:
                number = str(self.store.serial(f"{carrier}.tracking", FIRST_NUMBER[carrier]))
            cancelled = parcel["cancelled"] or event == "cancelled"
            scans = [*parcel["scans"], scan]
            return self._keep({**parcel, "scans": scans, "tracking_number": number, "cancelled": cancelled})

    def _keep(self, parcel: Row) -> Row:
        return self.store.put("parcel", f"{parcel['carrier']}|{parcel['key']}", parcel)


def _place(parcel: Row, event: str) -> str:
    """Where it was scanned: at the sender's branch first, later in the receiver's town."""
    near_the_receiver = event in ("out_for_delivery", "delivered", "attempt_failed")
    return f"{parcel['asked'].get('town') or 'Merkez'} Şubesi" if near_the_receiver else "Çıkış Şubesi"


def wall_clock(at: str) -> datetime:
    """An instant as the clock in an Istanbul branch shows it."""
    return datetime.fromisoformat(at).astimezone(ISTANBUL)


def strange(event: str) -> tuple[str, str]:
    """Code and words of an event that nobody knows."""
    _, code, words = [*event.split(":", 2), "", ""][:3]
    return code, words

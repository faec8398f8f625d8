"""The carriers, in our words. Manual, mock, Yurtiçi and Aras play the role (facts: carriers, canonical statuses)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from portal.core.ports import CallAnswer, Outcome


class Tracked(StrEnum):
    """How far a carrier says a parcel is: the one canonical set all carriers' words are mapped to."""

    CREATED = "CREATED"
    LABELLED = "LABELLED"
    PICKED_UP = "PICKED_UP"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    READY_FOR_PICKUP = "READY_FOR_PICKUP"
    ATTEMPT_FAILED = "ATTEMPT_FAILED"  # tried and not handed over: tried again
    LOST = "LOST"
    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"  # a word we do not know: kept, shown, moves nothing


@dataclass(frozen=True)
class Address:
    """Somebody a parcel comes from or goes to. Phone as +905XXXXXXXXX."""

    name: str
    address: str
    district: str
    city: str
    postal_code: str
    phone: str
    email: str
    tax_number: str


@dataclass(frozen=True)
class Consignment:
    """One parcel as a carrier wants to know it. `key` is ours: unique, 20 characters at most, and the printed barcode."""

    key: str
    order_number: str
    sender: Address
    receiver: Address
    content: str
    weight_grams: int = 1000
    desi: int = 1


@dataclass(frozen=True)
class Scan:
    """One thing a carrier says happened. Code and words are theirs, kept as they came."""

    status: Tracked
    code: str
    words: str
    occurred_at: datetime | None = None
    place: str = ""


@dataclass(frozen=True)
class TrackingAnswer:
    """Everything a carrier knows of a parcel. Not DONE: they were silent, or do not know it."""

    outcome: Outcome
    tracking_number: str = ""
    tracking_url: str = ""
    scans: tuple[Scan, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class ScanHint:
    """What a verified carrier message says. A hint only: the carrier is asked."""

    event_type: str
    dedupe_key: str
    consignment_key: str


class Carrier(Protocol):
    """Somebody who brings parcels. Every method answers or says UNKNOWN; none raises for silence."""

    code: str  # "yurtici", "aras", "mock", "manual"
    title: str  # as people know it
    legal_title: str  # as the despatch note names it
    tax_number: str

    def create(self, consignment: Consignment) -> CallAnswer:
        """Announce a parcel. Announced already under this key is DONE. `reference` is their number, if they give one."""
        ...

    def cancel(self, key: str) -> CallAnswer:
        """Take an announcement back; not known or cancelled already is DONE."""
        ...

    def track(self, key: str) -> TrackingAnswer:
        """Everything they know, oldest first. A parcel they know but have not seen yet has no scans."""
        ...


class CarrierWebhooks(Protocol):
    """Checks a carrier's message on its raw bytes."""

    def open(self, headers: dict[str, str], body: bytes) -> ScanHint | None:
        """The hint inside, or None when the signature does not fit. Malformed bodies raise `BadInput`."""
        ...


@dataclass(frozen=True)
class Carriers:
    """All carriers this portal works with, by code."""

    by_code: dict[str, Carrier]
    webhooks: dict[str, CarrierWebhooks]

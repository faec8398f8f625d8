"""Örnek Kargo's words and ours. They are our own invention, and kept apart all the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from portal.core.clock import ISTANBUL
from portal.integrations.soap import number_of, said
from portal.shipping.ports import Address, Consignment, Scan, Tracked

TRACKING_PAGE = "https://ornekkargo.example/takip/{}"
STATUS = {
    "announced": Tracked.CREATED,
    "labelled": Tracked.LABELLED,
    "picked_up": Tracked.PICKED_UP,
    "in_transit": Tracked.IN_TRANSIT,
    "out_for_delivery": Tracked.OUT_FOR_DELIVERY,
    "ready_for_pickup": Tracked.READY_FOR_PICKUP,
    "attempt_failed": Tracked.ATTEMPT_FAILED,
    "lost": Tracked.LOST,
    "delivered": Tracked.DELIVERED,
    "returned": Tracked.RETURNED,
    "cancelled": Tracked.CANCELLED,
}


def consignment(parcel: Consignment) -> dict[str, Any]:
    """A parcel as they want it announced."""
    assert 0 < len(parcel.key) <= 20
    return {
        "key": parcel.key,
        "order_number": parcel.order_number,
        "content": parcel.content,
        "weight_grams": parcel.weight_grams,
        "desi": parcel.desi,
        "sender": _address(parcel.sender),
        "receiver": _address(parcel.receiver),
    }


def _address(of: Address) -> dict[str, str]:
    return {
        "name": of.name,
        "address": of.address,
        "district": of.district,
        "city": of.city,
        "postal_code": of.postal_code,
        "phone": of.phone,
        "email": of.email,
        "tax_number": of.tax_number,
    }


def tracking_number(body: dict[str, Any]) -> str:
    """Theirs, once they have picked it up."""
    return number_of(body.get("tracking_number"))


def tracking_page(number: str) -> str:
    """Where anybody could look it up, if they existed."""
    return TRACKING_PAGE.format(quote(number, safe="")) if number else ""


def scans(body: dict[str, Any]) -> tuple[Scan, ...]:
    """Everything that happened, oldest first. KeyError or TypeError when this is no list of scans."""
    return tuple(_scan(row) for row in body["scans"])


def _scan(row: dict[str, Any]) -> Scan:
    word = said(row["status"])
    status = STATUS.get(word, Tracked.UNKNOWN)
    return Scan(status, word, said(row.get("words")), _instant(said(row.get("at"))), said(row.get("place")))


def _instant(written: str) -> datetime | None:
    """Their times are Istanbul's, with or without saying so."""
    try:
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ISTANBUL)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

"""What marketplaces leave behind is forgotten in time: who a package was for, and what old pushes said (KVKK art. 7)."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app

from portal.core.unit_of_work import atomic
from portal.marketplace import services as marketplace
from portal.marketplace.push import services as push
from portal.packing import services as packing
from portal.packing.states import Source


def forget() -> dict[str, int]:
    """Batch after batch, until nothing is over its time; how much of each was forgotten."""
    return {"push lines": _pushes(), "customers": _customers()}


def _pushes() -> int:
    in_all = 0
    while True:
        with atomic():
            some = push.forget_old(current_app.config["RETENTION_PUSH_DAYS"])
        in_all += some
        if not some:
            return in_all


def _customers() -> int:
    in_all = 0
    while True:
        with atomic():
            ids = marketplace.forget_customers(timedelta(days=current_app.config["RETENTION_CUSTOMER_DAYS"]))
            packing.forget_receivers(Source.STOREFRONT, ids)
        in_all += len(ids)
        if not ids:
            return in_all

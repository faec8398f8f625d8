"""Everything a storefront's packages have become since the last time.

Nothing is missed: the mark rises only over spans that were read to their end, and each begins a little before the last
one ended. Nothing is doubled: a package is kept once, and only a newer version of it counts.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import NamedTuple

from flask import current_app

from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.i18n import noted
from portal.core.ports import port
from portal.core.unit_of_work import atomic
from portal.marketplace import queries as marketplace_queries
from portal.marketplace import services as marketplace
from portal.marketplace.ports import Storefronts
from portal.stock import queries as stock_queries
from portal.workflows import marketplace_orders
from portal.workflows.marketplace_reading import Ends, NotRead, Pause, learn_all, newer_than_ours, pages

PULL = noted("pull")
# A long time is read in pieces: whoever dies in the middle begins again with a piece, not with all. The first one is
# this long; after a piece of a single page the next is twice as long.
SPAN = timedelta(hours=12)
# What ends shortly before a piece does may have successors in the next one.
ENDS_WAIT = timedelta(minutes=1)


class Pulled(NamedTuple):
    """What a pull brought: packages told (repeats counted), how many of them were news, and pages."""

    told: int = 0
    news: int = 0
    pages: int = 0

    def and_(self, more: Pulled) -> Pulled:
        """Both together."""
        return Pulled(self.told + more.told, self.news + more.news, self.pages + more.pages)


def pull(storefront: str, *, pause: Pause = time.sleep) -> Pulled:
    """Read everything that changed since the mark, and raise it. Raises `NotRead`, with the mark at what was read."""
    pulled, until, length = Pulled(), clock.now(), SPAN
    with atomic():
        mark = marketplace.read_until(storefront)
    at = mark or until - timedelta(days=current_app.config["STOREFRONT_FIRST_DAYS"])
    overlap = timedelta(minutes=current_app.config["STOREFRONT_OVERLAP_MINUTES"])
    try:
        while at < until:
            since, at = at - overlap, min(at + length, until)
            some = _read_span(storefront, since, at, last=at == until, pause=pause)
            pulled, length = pulled.and_(some), length * 2 if some.pages == 1 else SPAN
            with atomic():
                marketplace.note_pull(storefront, at)
    except NotRead as why:
        with atomic():
            marketplace.tried_and_failed(storefront, str(why))
        raise
    recognise_what_became_known()
    return pulled


def _read_span(storefront: str, since: datetime, until: datetime, *, last: bool, pause: Pause) -> Pulled:
    """Every package of a span, page by page; what ended comes after all the pages, when its successors are known."""
    door = port(Storefronts).by_code[storefront].changed_packages
    told = news = count = 0
    ends, began_at = Ends(), None
    for page, asked_at in pages(door, since, until, pause):
        began_at = began_at or asked_at
        told, count = told + len(page.packages), count + 1
        fresh = ends.keep_back(newer_than_ours(storefront, page.packages, asked_at))
        news += learn_all(storefront, fresh, heard_by=PULL, asked_at=asked_at)
    patience = timedelta(0) if last else ENDS_WAIT
    ready = [package for package in ends.packages.values() if package.changed_at <= until - patience]
    assert began_at is not None, "a span has a page, if only an empty one"
    news += learn_all(storefront, ready, heard_by=PULL, asked_at=began_at)
    return Pulled(told, news, count)


def recognise_what_became_known() -> int:
    """Lines with a barcode we did not know, until somebody added the item: they set it aside now. Answers packages."""
    with atomic():
        waiting = marketplace_queries.without_an_item()
        known = stock_queries.meant_without_spaces(sorted(waiting)) if waiting else {}
    packages = sorted({package_id for barcode in known for package_id in waiting[barcode]})
    for package_id in packages:
        with atomic():
            marketplace_orders.settle_again(package_id, by=SYSTEM, because=noted("we keep it now"))
    return len(packages)

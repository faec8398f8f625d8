"""How storefronts are read: page by page with patience, order by order into our books, or one package after a hint."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from loguru import logger
from sqlalchemy.exc import DBAPIError

from portal.core.i18n import noted
from portal.core.ports import Outcome, port
from portal.core.unit_of_work import atomic
from portal.marketplace import queries as marketplace_queries
from portal.marketplace import services as marketplace
from portal.marketplace.ports import PackagePage, PackageState, StorefrontPackage, Storefronts
from portal.marketplace.states import ENDED
from portal.workflows import marketplace_orders

LOOKED_UP = noted("looked up")
PATIENCE_SECONDS = (1, 2, 5, 10, 20, 30, 30)  # before the same page is asked for again
LONGEST_PAUSE = 60
DEADLOCK = "40P01"
# What was cut leaves pieces over for a successor; what was sent back, or split, does not hurry.
CUT = frozenset({PackageState.CANCELLED, PackageState.UNSUPPLIED})
Pause = Callable[[float], None]
Door = Callable[[datetime, datetime, str], PackagePage]


class NotRead(Exception):
    """A page stayed away, or something on it could not be kept: the span does not count as read."""


class Asked(NamedTuple):
    """A page, and the database's instant before it was asked for."""

    page: PackagePage
    at: datetime


def pages(door: Door, since: datetime, until: datetime, pause: Pause) -> Iterator[Asked]:
    """Every page of a span. After silence the same page is asked for again, some times; then `NotRead`."""
    cursor = ""
    while True:
        asked = _page(door, since, until, cursor, pause)
        yield asked
        cursor = asked.page.cursor
        if not cursor:
            return


def _page(door: Door, since: datetime, until: datetime, cursor: str, pause: Pause) -> Asked:
    for wait in (*PATIENCE_SECONDS, None):
        with atomic():
            at = marketplace.database_now()
        page = door(since, until, cursor)
        if page.outcome is Outcome.DONE:
            return Asked(page, at)
        if page.outcome is Outcome.REFUSED or wait is None:
            break
        # Not everybody at once, and not before they said.
        pause(min(max(wait * random.uniform(0.8, 1.2), page.retry_after_seconds), LONGEST_PAUSE))  # noqa: S311 (jitter)
    raise NotRead(f"{page.outcome.value}: {page.why}")


def newer_than_ours(storefront: str, told: Sequence[StorefrontPackage], asked_at: datetime) -> list[StorefrontPackage]:
    """Those of which we have no version, or an older one. Of the others we know now that they are still true."""
    keys = [package.package_key for package in told]
    with atomic():
        ours = marketplace.known_by(storefront, keys)
        news = [one for one in told if one.package_key not in ours or one.changed_at > ours[one.package_key]]
        unreadable = [one for one in told if not one.lines and one not in news]
        marketplace.heard(storefront, sorted({*keys} - {one.package_key for one in news}), asked_at)
    return [*news, *unreadable]


def learn_all(storefront: str, told: Iterable[StorefrontPackage], *, heard_by: str, asked_at: datetime) -> int:
    """Keep packages, a transaction per order. One that cannot be kept does not hold up the others; then `NotRead`."""
    orders = defaultdict[str, list[StorefrontPackage]](list)
    for package in told:
        orders[package.order_number].append(package)
    news, troubles = 0, []
    for order_number, packages in orders.items():
        try:
            news += _learn(storefront, packages, heard_by=heard_by, asked_at=asked_at)
        except DBAPIError as trouble:
            logger.exception("{} order {} could not be kept", storefront, order_number)
            troubles.append(f"{order_number}: {type(trouble.orig).__name__}")
    if troubles:
        raise NotRead(f"{len(troubles)} orders could not be kept: {', '.join(troubles[:5])}")
    return news


def _learn(storefront: str, told: Sequence[StorefrontPackage], *, heard_by: str, asked_at: datetime) -> int:
    """Once more when the database made us give way to somebody who held the items the other way round."""
    for last in (False, False, True):
        try:
            with atomic():
                return len(marketplace_orders.learn(storefront, told, heard_by=heard_by, asked_at=asked_at))
        except DBAPIError as trouble:
            if last or getattr(trouble.orig, "sqlstate", "") != DEADLOCK:
                raise
    raise AssertionError("unreachable")


class Ends:
    """Ended packages of a span, kept back until its other pages are read: their successors come first."""

    def __init__(self) -> None:
        self.packages: dict[str, StorefrontPackage] = {}

    def keep_back(self, told: Iterable[StorefrontPackage]) -> list[StorefrontPackage]:
        """Keep the ended ones; answers the others."""
        others = []
        for package in told:
            if package.state not in ENDED:
                others.append(package)
                continue
            known = self.packages.get(package.package_key)
            if known is None or known.changed_at < package.changed_at:
                self.packages[package.package_key] = package
        return others


def read_one(storefront: str, package_key: str, *, heard_by: str) -> PackagePage:
    """Ask about one package and keep what they say.

    One that was cut is left to the pull, which finds its successors in the same breath: freed alone, the pieces of the
    successor would be for sale for a moment.
    """
    with atomic():
        asked_at = marketplace.database_now()
    page = port(Storefronts).by_code[storefront].package(package_key)
    for told in page.packages if page.outcome is Outcome.DONE else ():
        with atomic():
            alone = told.state in CUT and not marketplace_queries.has_successors(storefront, package_key)
            ours = marketplace_queries.package_by_key(storefront, package_key)
            if alone and ours is not None and ours.changed_at < told.changed_at:
                marketplace.pull_soon(storefront)
                continue
        learn_all(storefront, [told], heard_by=heard_by, asked_at=asked_at)
    return page


def read_next() -> bool:
    """Read the next package that somebody doubts; False when there is none."""
    with atomic():
        doubted = marketplace.claim_to_read()
    if doubted is None:
        return False
    page = read_one(doubted.storefront, doubted.package_key, heard_by=LOOKED_UP)
    if page.outcome is Outcome.DONE:
        with atomic():
            marketplace.was_read(doubted, seen=bool(page.packages))
    return True

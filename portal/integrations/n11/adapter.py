"""N11 plays the Storefront: packages by page, stock by tasks. It wants to hear Picking, and takes no other word."""

from __future__ import annotations

import json
from datetime import datetime

from portal.core.errors import BadInput
from portal.core.ports import CallAnswer, Outcome
from portal.integrations.n11 import wire
from portal.integrations.n11.client import Heard, N11Client
from portal.integrations.n11.wire import MISREAD
from portal.marketplace.ports import (
    Abilities,
    BatchResult,
    PackagePage,
    PackageState,
    StockRead,
    StockSubmitted,
    StockWish,
    StorefrontPackage,
)

PAGE_SIZE = 100
WINDOW_DAYS = 15
WINDOW_MS = WINDOW_DAYS * 86_400_000
MOST_SKUS, MOST_PIECES = 1000, 999_999
BEFORE_PICKING = frozenset({PackageState.CREATED, PackageState.UNKNOWN, PackageState.AWAITING})
ENDED = frozenset({PackageState.CANCELLED, PackageState.UNSUPPLIED})
NOT_OFFERED = "N11 takes this in its own panel only"


class N11Storefront:
    """Their list is sorted by the last change. Each page begins where the last one ended, not at a number: a package
    that changes meanwhile moves to the end, and whoever counts pages misses the one that moved up."""

    code = "n11"
    title = "N11"
    abilities = Abilities(
        most_items_a_batch=MOST_SKUS,
        most_pieces=MOST_PIECES,
        same_body_seconds=0,
        result_seconds=0,  # unsure: they name no time after which a task is forgotten
        longest_window_days=WINDOW_DAYS,
        page_size=PAGE_SIZE,
        says_picking=True,
    )

    def __init__(self, client: N11Client, *, integrator: str = "Emanet") -> None:
        self.client, self.integrator = client, integrator

    def changed_packages(self, since: datetime, until: datetime, cursor: str = "") -> PackagePage:
        """A page of what changed; after silence the same cursor asks for the same page again."""
        begin, number = _place(cursor) if cursor else (wire.to_ms(since), 0)
        until_ms = wire.to_ms(until)
        end = min(begin + WINDOW_MS, until_ms)
        heard = self.client.ask(
            wire.PACKAGES,
            {"startDate": begin, "endDate": end, "page": number, "size": PAGE_SIZE, "orderByDirection": "ASC"},
        )
        page = _page(heard)
        if page.outcome is not Outcome.DONE:
            return PackagePage(page.outcome, cursor=cursor, why=page.why, retry_after_seconds=page.retry_after_seconds)
        if not _is_last(heard, number):
            last = max((wire.to_ms(package.changed_at) for package in page.packages), default=0)
            return PackagePage(
                Outcome.DONE, page.packages, _written(last, 0) if last > begin else _written(begin, number + 1)
            )
        return PackagePage(Outcome.DONE, page.packages, _written(end, 0) if end < until_ms else "")

    def listed_packages(self, since: datetime, until: datetime, cursor: str = "") -> PackagePage:
        """They have one door only: the same question, asked a second time."""
        return self.changed_packages(since, until, cursor)

    def package(self, package_key: str) -> PackagePage:
        """One package. Unsure: that its number alone suffices, without dates."""
        page = _page(self.client.ask(wire.PACKAGES, {"packageIds": package_key, "page": 0, "size": PAGE_SIZE}))
        # Should they ignore the question, whatever else they tell is not the package.
        found = tuple(package for package in page.packages if package.package_key == package_key)
        return PackagePage(page.outcome, found, why=page.why, retry_after_seconds=page.retry_after_seconds)

    def say_picking(self, package: StorefrontPackage) -> CallAnswer:
        """We are packing it: each line is moved on by its own number."""
        lines = [{"lineId": int(line.line_key) if line.line_key.isdigit() else line.line_key} for line in package.lines]
        heard = self.client.tell("PUT", wire.UPDATE, {"lines": lines, "status": "Picking"})
        if heard.outcome is Outcome.DONE:
            why = wire.refusal_of(heard.body)
            heard = Heard(Outcome.REFUSED, {}, why) if why else heard
        if heard.outcome is not Outcome.REFUSED:
            return CallAnswer(heard.outcome, why=heard.why)
        return self._said_before(package, heard)

    def _said_before(self, package: StorefrontPackage, heard: Heard) -> CallAnswer:
        """A refusal may mean that it was said already."""
        page = self.package(package.package_key)
        if page.outcome is not Outcome.DONE:
            return CallAnswer(Outcome.UNKNOWN, why=f"{heard.why}; and then: {page.why}")
        moved_on = any(found.state not in BEFORE_PICKING | ENDED for found in page.packages)
        return CallAnswer(Outcome.DONE) if moved_on else CallAnswer(Outcome.REFUSED, why=heard.why)

    def say_invoiced(self, package: StorefrontPackage, invoice_number: str) -> CallAnswer:  # noqa: ARG002 (the role's words)
        """They have no such word: nothing is to be said, so it is done."""
        return CallAnswer(Outcome.DONE, why="N11 does not want to hear of invoices")

    def cannot_supply(self, package: StorefrontPackage, lines: dict[str, int]) -> CallAnswer:  # noqa: ARG002 (the role's words)
        """Not through this door."""
        return CallAnswer(Outcome.REFUSED, why=NOT_OFFERED, code="not_offered")

    def split(self, package: StorefrontPackage, lines: dict[str, list[int]]) -> CallAnswer:  # noqa: ARG002 (the role's words)
        """Not through this door."""
        return CallAnswer(Outcome.REFUSED, why=NOT_OFFERED, code="not_offered")

    def submit_stock(self, wishes: list[StockWish]) -> StockSubmitted:
        """Send quantities; the task tells later what became of each."""
        assert len(wishes) <= MOST_SKUS, "a batch keeps to what they take"
        heard = self.client.tell("POST", wire.STOCK, wire.stock(wishes, self.integrator))
        key = wire.text(heard.body.get("id"))
        if heard.outcome is Outcome.DONE and not key:
            return StockSubmitted(Outcome.UNKNOWN, why="an answer without a task")
        return StockSubmitted(heard.outcome, key, heard.why, "", heard.retry_after_seconds)

    def batch(self, batch_key: str) -> BatchResult:
        """What became of a task."""
        asked = {"taskId": int(batch_key), "pageable": {"page": 0, "size": MOST_SKUS}}
        heard = self.client.tell("POST", wire.TASK, asked)
        if heard.outcome is not Outcome.DONE:
            return BatchResult(heard.outcome, why=heard.why)
        try:
            return wire.batch_result(heard.body)
        except MISREAD:
            return BatchResult(Outcome.UNKNOWN, why="a task that does not read")

    def read_stock(self, barcodes: list[str]) -> StockRead:
        """What they believe: one question per stock code, or silence."""
        found: dict[str, int] = {}
        for barcode in barcodes:
            heard = self.client.ask(wire.PRODUCTS, {"stockCode": barcode, "page": 0, "size": 20})
            if heard.outcome is not Outcome.DONE:
                return StockRead(heard.outcome, {}, heard.why)
            try:
                rows = {wire.text(row["stockCode"]): int(row["quantity"]) for row in heard.body["content"]}
            except MISREAD:
                return StockRead(Outcome.UNKNOWN, {}, "stock that does not read")
            if barcode in rows:
                found[barcode] = rows[barcode]
        return StockRead(Outcome.DONE, found)


def _page(heard: Heard) -> PackagePage:
    if heard.outcome is not Outcome.DONE:
        return PackagePage(heard.outcome, why=heard.why, retry_after_seconds=heard.retry_after_seconds)
    rows = heard.body.get("content")
    if not isinstance(rows, list):
        return PackagePage(Outcome.UNKNOWN, why="an answer without packages")
    return PackagePage(Outcome.DONE, wire.packages(rows))


def _is_last(heard: Heard, number: int) -> bool:
    """By their count of pages, else by the page being empty."""
    count = heard.body.get("totalPages")
    return not heard.body["content"] or (isinstance(count, int) and number + 1 >= count)


def _written(begin: int, number: int) -> str:
    """From which instant, and which page of what changed since."""
    return json.dumps([begin, number])


def _place(cursor: str) -> tuple[int, int]:
    try:
        begin, number = json.loads(cursor)
        return int(begin), int(number)
    except (TypeError, ValueError):
        raise BadInput from None

"""Trendyol plays the Storefront. Silence is an answer, everything is asked again, and nothing is believed twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from loguru import logger

from portal.core import clock
from portal.core.ports import CallAnswer, Outcome
from portal.integrations.trendyol import wire
from portal.integrations.trendyol.client import Heard, TrendyolClient
from portal.integrations.trendyol.pages import PAGE_SIZE, WINDOW_MS, Place, windows_back
from portal.integrations.trendyol.stock import MOST_ITEMS, MOST_PIECES, RESULT_SECONDS, SAME_BODY_SECONDS, TrendyolStock
from portal.integrations.trendyol.webhooks import TrendyolWebhooks
from portal.integrations.trendyol.wire import MISREAD
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

__all__ = ["TrendyolStorefront", "TrendyolWebhooks"]

ENDED = {PackageState.UNPACKED, PackageState.CANCELLED, PackageState.UNSUPPLIED}
LATER = {
    PackageState.SHIPPED, PackageState.AT_COLLECTION_POINT, PackageState.DELIVERED, PackageState.UNDELIVERED,
    PackageState.RETURNED,
}  # fmt: skip


class TrendyolStorefront:
    """Packages by stream or by list, stock by batches."""

    code = "trendyol"
    title = "Trendyol"
    abilities = Abilities(
        most_items_a_batch=MOST_ITEMS,
        most_pieces=MOST_PIECES,
        same_body_seconds=SAME_BODY_SECONDS,
        result_seconds=RESULT_SECONDS,
        longest_window_days=WINDOW_MS // 86_400_000,
        page_size=PAGE_SIZE,
        says_picking=True,
    )

    def __init__(
        self,
        client: TrendyolClient,
        *,
        use_stream: bool = True,
        list_filters_by_change: bool = True,  # unsure: that the list's dates are those it is ordered by
        most_in_a_window: int = 10_000,
        hours_ahead: int = 0,  # unsure: "GMT+3" milliseconds may be Istanbul's clock read as UTC; then 3
        lookback_days: int = 28,  # where a single package is looked for
        unsupplied_reason: int = 500,  # out of stock
        same_body_words: tuple[str, ...] = ("15 dakika", "aynı"),
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self.client, self.use_stream, self.list_filters_by_change = client, use_stream, list_filters_by_change
        self.most_in_a_window, self.ahead = most_in_a_window, timedelta(hours=hours_ahead)
        self.lookback_days, self.unsupplied_reason = lookback_days, unsupplied_reason
        self.stock, self.now = TrendyolStock(client, same_body_words), now

    def changed_packages(self, since: datetime, until: datetime, cursor: str = "") -> PackagePage:
        """A page of what changed. `until` must not lie ahead of now: what changes while we read belongs to the next
        span. After silence the same cursor asks for the same page again."""
        return self._read_on(since, until, cursor, stream=self.use_stream)

    def listed_packages(self, since: datetime, until: datetime, cursor: str = "") -> PackagePage:
        """As above, always by their list: what the stream dropped is found there."""
        return self._read_on(since, until, cursor, stream=False)

    def _read_on(self, since: datetime, until: datetime, cursor: str, *, stream: bool) -> PackagePage:
        if cursor:
            place = Place.read(cursor)
        else:
            start, end = wire.to_ms(since, self.ahead), wire.to_ms(until, self.ahead)
            assert start <= end, "a span begins before it ends"
            place = Place.first(start, end, stream=stream)
        page = self._streamed(place) if place.stream else self._listed(place)
        return page if page.outcome is Outcome.DONE else _at(page, cursor)

    def _streamed(self, place: Place) -> PackagePage:
        heard = self.client.ask("stream", place.stream_params())
        if heard.outcome is not Outcome.DONE:
            return _silent(heard)
        page = self._page(heard)
        if page.outcome is not Outcome.DONE:
            return page
        token = wire.text(heard.body.get("nextCursor"))
        if not heard.body.get("hasMore"):
            return _at(page, place.next_window())
        if not token or token == place.token:
            return PackagePage(Outcome.UNKNOWN, why="there is more, but no cursor that leads to it")
        return _at(page, Place(True, place.from_ms, place.to_ms, place.until_ms, token).written())

    def _listed(self, place: Place) -> PackagePage:
        """Only the first 10,000 of a window can be reached: a window with more is cut in half and asked again."""
        heard = self.client.ask("orders", place.list_params())
        if heard.outcome is not Outcome.DONE:
            return _silent(heard)
        page = self._page(heard)
        if page.outcome is not Outcome.DONE:
            return page
        total = page.total if page.total is not None else -1
        if total > self.most_in_a_window and (shorter := place.halves()):
            return PackagePage(Outcome.DONE, cursor=shorter.written(), total=page.total)
        if wire.is_last(heard.body, place.page, PAGE_SIZE):
            return _at(page, place.next_window())
        last_ms = max((wire.to_ms(row.changed_at, self.ahead) for row in page.packages), default=0)
        return _at(page, place.after(last_ms if self.list_filters_by_change else 0))

    def _page(self, heard: Heard) -> PackagePage:
        """Their page in our words. A package that does not read does not hold up the others."""
        try:
            rows, total = list(heard.body["content"]), heard.body.get("totalElements")
            counted = None if total is None else int(total)
        except MISREAD:
            return PackagePage(Outcome.UNKNOWN, why="an answer without packages")
        packages = tuple(self._read(row) for row in rows if wire.package_key(row))
        nameless = len(rows) - len(packages)
        why = f"{nameless} packages without a number were left out" if nameless else ""
        if nameless:
            logger.error("trendyol: {}", why)
        return PackagePage(Outcome.DONE, packages, total=counted, why=why)

    def _read(self, row: dict[str, Any]) -> StorefrontPackage:
        try:
            return wire.package(row, self.ahead)
        except MISREAD as trouble:
            logger.error("trendyol: package {} does not read: {!r}", wire.package_key(row), trouble)
            return wire.unreadable(row, trouble)

    def package(self, package_key: str) -> PackagePage:
        """One package. Without dates they look back a week only, so older windows are asked where it is not found."""
        page = self._looked_up(package_key, {})
        now_ms = wire.to_ms(self.now(), self.ahead)
        for start, end in windows_back(now_ms, self.lookback_days):
            if page.outcome is not Outcome.DONE or page.packages:
                break
            page = self._looked_up(package_key, {"startDate": start, "endDate": end})
        return page

    def _looked_up(self, package_key: str, window: dict[str, int]) -> PackagePage:
        params: dict[str, str | int | list[str]] = {"shipmentPackageIds": package_key, "size": 1, **window}
        heard = self.client.ask("orders", {**params, "orderByField": "PackageLastModifiedDate"})
        if heard.outcome is not Outcome.DONE:
            return _silent(heard)
        page = self._page(heard)
        # Should they ignore the question, whatever else they tell is not the package.
        found = tuple(package for package in page.packages if package.package_key == package_key)
        return PackagePage(page.outcome, found, total=len(found), why=page.why)

    def say_picking(self, package: StorefrontPackage) -> CallAnswer:
        """We are packing it."""
        heard = self.client.tell(
            "PUT", "update", wire.said(wire.PICKING, package.lines, {}), package=package.package_key
        )
        return self._said(package, heard, {PackageState.PICKING, PackageState.INVOICED, *LATER})

    def say_invoiced(self, package: StorefrontPackage, invoice_number: str) -> CallAnswer:
        """It is invoiced; they take it only after Picking."""
        content = wire.said(wire.INVOICED, package.lines, {"invoiceNumber": invoice_number})
        heard = self.client.tell("PUT", "update", content, package=package.package_key)
        return self._said(package, heard, {PackageState.INVOICED, *LATER})

    def _said(self, package: StorefrontPackage, heard: Heard, reached: set[PackageState]) -> CallAnswer:
        """A refusal may mean that it was said before: then the package is there already."""
        return self._after_refusal(package, heard, lambda state: CallAnswer(Outcome.DONE) if state in reached else None)

    def cannot_supply(self, package: StorefrontPackage, lines: dict[str, int]) -> CallAnswer:
        """Pieces that cannot be sent. "package_changed": it ended, perhaps by our own earlier call; read it again."""
        content = wire.unsupplied(lines, self.unsupplied_reason)
        heard = self.client.tell("PUT", "unsupplied", content, package=package.package_key)
        return self._after_refusal(package, heard, _ended)

    def split(self, package: StorefrontPackage, lines: dict[str, list[int]]) -> CallAnswer:
        """Several packages. They take it now and do it later; "package_changed" as above."""
        heard = self.client.tell("POST", "split", wire.split(lines), package=package.package_key)
        return self._after_refusal(package, heard, _ended)

    def _after_refusal(
        self, package: StorefrontPackage, heard: Heard, meaning: Callable[[PackageState], CallAnswer | None]
    ) -> CallAnswer:
        answer = CallAnswer(heard.outcome, why=heard.why, code=heard.code)
        if heard.outcome is not Outcome.REFUSED or heard.status in (401, 403, 426):
            return answer
        page = self.package(package.package_key)
        if page.outcome is not Outcome.DONE:
            return CallAnswer(Outcome.UNKNOWN, why=f"{heard.why}; and then: {page.why}", code=heard.code)
        return next(filter(None, (meaning(found.state) for found in page.packages)), None) or answer

    def submit_stock(self, wishes: list[StockWish]) -> StockSubmitted:
        """Send quantities."""
        return self.stock.submit(wishes)

    def batch(self, batch_key: str) -> BatchResult:
        """What became of a batch. Barcodes come back without spaces."""
        return self.stock.batch(batch_key)

    def read_stock(self, barcodes: list[str]) -> StockRead:
        """What they believe, by barcode as it was asked: all of it, or silence."""
        return self.stock.read(barcodes)


def _ended(state: PackageState) -> CallAnswer | None:
    if state not in ENDED:
        return None
    return CallAnswer(Outcome.REFUSED, why=f"the package is {state.value} by now", code="package_changed")


def _silent(heard: Heard) -> PackagePage:
    return PackagePage(heard.outcome, why=heard.why, retry_after_seconds=heard.retry_after_seconds)


def _at(page: PackagePage, cursor: str) -> PackagePage:
    return PackagePage(page.outcome, page.packages, cursor, page.total, page.why, page.retry_after_seconds)

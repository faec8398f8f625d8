"""Quantities to Trendyol: batches that are queued, results that are forgotten, and what they really believe."""

from __future__ import annotations

from portal.core.ports import Outcome
from portal.integrations.trendyol import wire
from portal.integrations.trendyol.client import Heard, TrendyolClient
from portal.integrations.trendyol.wire import MISREAD
from portal.marketplace.ports import BatchResult, BatchState, StockRead, StockSubmitted, StockWish

MOST_ITEMS, MOST_PIECES, MOST_READ, READ_SIZE, MOST_READ_PAGES = 1000, 20_000, 50, 100, 50
SAME_BODY_SECONDS, RESULT_SECONDS = 15 * 60, 4 * 60 * 60


class TrendyolStock:
    """The stock half of the storefront."""

    def __init__(self, client: TrendyolClient, same_body_words: tuple[str, ...]) -> None:
        self.client, self.same_body_words = client, same_body_words

    def submit(self, wishes: list[StockWish]) -> StockSubmitted:
        """Send quantities. The last word per barcode counts; more than they take is cut, and said."""
        assert 0 < len(wishes) <= MOST_ITEMS, "so many items fit in a batch"
        by_barcode = {wire.plain(wish.barcode): wish for wish in wishes}
        cut = {
            key: StockWish(wish.barcode, min(max(wish.quantity, 0), MOST_PIECES)) for key, wish in by_barcode.items()
        }
        changed = [f"{key}: {cut[key].quantity}" for key, wish in by_barcode.items() if wish != cut[key]]
        heard = self.client.tell("POST", "stock", wire.stock(cut.values()))
        if heard.outcome is not Outcome.DONE:
            return self._not_submitted(heard)
        batch_key = wire.text(heard.body.get("batchRequestId")) if isinstance(heard.body, dict) else ""
        if not batch_key:
            return StockSubmitted(Outcome.UNKNOWN, why="an answer without a batch")
        return StockSubmitted(
            Outcome.DONE, batch_key, f"cut to what they take: {', '.join(changed)}" if changed else ""
        )

    def _not_submitted(self, heard: Heard) -> StockSubmitted:
        """Unsure about status and key of the same-body refusal; its words are known."""
        words = heard.why.lower()
        if heard.outcome is Outcome.REFUSED and all(word in words for word in self.same_body_words):
            return StockSubmitted(heard.outcome, "", heard.why, "same_body", SAME_BODY_SECONDS)
        return StockSubmitted(heard.outcome, "", heard.why, heard.code, heard.retry_after_seconds)

    def batch(self, batch_key: str) -> BatchResult:
        """What became of a batch. Barcodes come back without spaces."""
        heard = self.client.ask("batch", batch=batch_key)
        if heard.outcome is Outcome.REFUSED and heard.status == 404:
            return BatchResult(Outcome.DONE, BatchState.GONE, why=heard.why)
        if heard.outcome is not Outcome.DONE:
            return BatchResult(heard.outcome, why=heard.why)
        try:
            return wire.batch_result(heard.body)
        except MISREAD:
            return BatchResult(Outcome.UNKNOWN, why="a batch result that does not read")

    def read(self, barcodes: list[str]) -> StockRead:
        """What they believe, by barcode as it was asked: all of it, or silence."""
        found: dict[str, int] = {}
        for at in range(0, len(barcodes), MOST_READ):
            trouble = self._read_some(barcodes[at : at + MOST_READ], found)
            if trouble:
                return trouble
        return StockRead(
            Outcome.DONE, {code: found[wire.plain(code)] for code in barcodes if wire.plain(code) in found}
        )

    def _read_some(self, barcodes: list[str], found: dict[str, int]) -> StockRead | None:
        params: dict[str, str | int | list[str]] = {"barcodes": barcodes, "size": READ_SIZE}
        token = ""
        for _page in range(MOST_READ_PAGES):
            heard = self.client.ask("read", {**params, **({"nextPageToken": token} if token else {})})
            if heard.outcome is not Outcome.DONE:
                return StockRead(heard.outcome, {}, heard.why)
            try:
                found |= wire.quantities(heard.body)
                token = wire.text(heard.body.get("nextPageToken"))
            except MISREAD:
                return StockRead(Outcome.UNKNOWN, {}, "stock that does not read")
            if not token:
                return None
        return StockRead(Outcome.UNKNOWN, {}, "pages that do not end")

"""Trendyol's stock: barcodes they know, batches that change quantities, and what they believe."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from portal.sandbox.store import Row
from portal.sandbox.trendyol.rules import Refused, bad_request, now_ms, rule
from portal.sandbox.world import World

ITEM, BATCH, BODY = "trendyol_item", "trendyol_batch", "trendyol_body"
MOST_ITEMS, MOST_PIECES, MOST_READ = 1000, 20_000, 50
SAME_BODY_MS, RESULT_MS = 15 * 60 * 1000, 4 * 60 * 60 * 1000
SAME_BODY = "15 dakika boyunca aynı isteği tekrarlı olarak atamazsınız!"


def plain(barcode: str) -> str:
    """As they keep it: without spaces."""
    return "".join(barcode.split())


class Shelf:
    """What Trendyol believes is for sale."""

    def __init__(self, world: World) -> None:
        self.world, self.store = world, world.store

    def know(self, barcode: str, quantity: int) -> Row:
        """By lever: a product of this seller was approved."""
        key = plain(barcode)
        return self.store.put(ITEM, key, {"barcode": key, "quantity": quantity, "changed": now_ms(self.world)})

    def items(self) -> list[Row]:
        """Every barcode they know."""
        return self.store.all(ITEM)

    def submit(self, asked: Row) -> Row:
        """Absolute quantities. Done at once; the result is told later."""
        items = asked["items"]
        if not isinstance(items, list) or not 0 < len(items) <= MOST_ITEMS:
            raise bad_request(f"items 1 ile {MOST_ITEMS} arasında olmalıdır.")
        with self.store.lock:
            self._refuse_the_same(asked)
            results = [self._change(at, item) for at, item in enumerate(items, start=1)]
            key = f"{uuid.uuid4()}-{now_ms(self.world)}"
            self.store.count("trendyol.batch", key)
            row = {"key": key, "at": now_ms(self.world), "questions": 0, "items": results}
            return self.store.put(BATCH, key, row)

    def _refuse_the_same(self, asked: Row) -> None:
        """The same content, whatever the spaces and the order of its fields."""
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        now, before = now_ms(self.world), self.store.get(BODY, key)
        if before and now - before["at"] < SAME_BODY_MS:
            raise Refused(400, "price.and.inventory.same.request", SAME_BODY)
        self.store.put(BODY, key, {"at": now})

    def _change(self, at: int, item: Row) -> Row:
        key, every = plain(str(item["barcode"])), int(rule(self.world, "reject_every"))
        quantity = item.get("quantity")
        why = ""
        if self.store.get(ITEM, key) is None:
            why = f"{key} barkodlu ürün bulunamadı."
        elif not isinstance(quantity, int) or not 0 <= quantity <= MOST_PIECES:
            why = f"Stok adedi 0 ile {MOST_PIECES} arasında olmalıdır."
        elif every and at % every == 0:
            why = "Ürün kilitli olduğu için güncellenemez."
        else:
            self.know(key, quantity)
            self.store.count("trendyol.stock", key)
        return {"barcode": key, "quantity": quantity, "why": why}

    def result(self, key: str) -> dict[str, Any]:
        """What became of a batch, as long as they remember. No word for the whole: stock batches have none."""
        with self.store.lock:
            row = self.store.get(BATCH, key)
            lost = rule(self.world, "lose_batch_results")
            if row is None or lost or now_ms(self.world) - row["at"] >= RESULT_MS:
                raise Refused(404, "batch.request.not.found", "Toplu işlem bulunamadı.")
            self.store.put(BATCH, key, {**row, "questions": row["questions"] + 1})
        running = row["questions"] < int(rule(self.world, "batch_questions"))
        failed = sum(1 for item in row["items"] if item["why"])
        return {
            "batchRequestId": key,
            "items": [] if running else [_told(item) for item in row["items"]],
            "creationDate": row["at"],
            "lastModification": row["at"],
            "sourceType": "API",
            "itemCount": len(row["items"]),
            "failedItemCount": 0 if running else failed,
            "batchRequestType": "PriceAndInventory",
        }

    def read(self, barcodes: list[str], size: int, token: str) -> dict[str, Any]:
        """What they believe, by barcode; unknown ones are left out."""
        if len(barcodes) > MOST_READ:
            raise bad_request(f"En fazla {MOST_READ} barkod sorgulanabilir.")
        wanted = {plain(barcode) for barcode in barcodes}
        found = [row for row in self.items() if not wanted or row["barcode"] in wanted]
        size, start = min(size, int(rule(self.world, "read_size"))), int(token or 0)
        rows = found[start : start + size]
        more = str(start + size) if start + size < len(found) else None
        return {
            "totalElements": len(found),
            "size": size,
            "nextPageToken": more,
            "content": [_product(r) for r in rows],
        }


def _told(item: Row) -> Row:
    return {
        "requestItem": {"barcode": item["barcode"], "quantity": item["quantity"]},
        "status": "FAILED" if item["why"] else "SUCCESS",
        "failureReasons": [item["why"]] if item["why"] else [],
    }


def _product(row: Row) -> Row:
    variant = {"barcode": row["barcode"], "quantity": row["quantity"], "salePrice": 129.9, "listPrice": 129.9}
    return {"productMainId": row["barcode"], "variants": [variant]}

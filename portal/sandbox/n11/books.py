"""N11's packages, stock and tasks. A split, and a partial cancellation, end the old package as Cancelled."""

from __future__ import annotations

from typing import Any

from portal.sandbox.store import Row
from portal.sandbox.world import World

APP_KEY = "sandbox-n11-key"
APP_SECRET = "sandbox-n11-secret"  # noqa: S105 (of a provider that is played)
PACKAGE, ITEM, TASK = "n11_package", "n11_item", "n11_task"
STATUSES = (
    "Created",
    "Picking",
    "Shipped",
    "Delivered",
    "UnDelivered",
    "Returned",
    "Cancelled",
    "UnSupplied",
    "UnPacked",
)
MOST_ROWS = 100
MOST_PIECES = 999_999


class Refused(Exception):
    """N11 says no, in plain text."""


class Books:
    """What N11 knows of one seller."""

    def __init__(self, world: World) -> None:
        self.world, self.store = world, world.store
        self.rule = {"most_rows": MOST_ROWS}

    def now_ms(self) -> int:
        """Their instant, as they write it."""
        return int(self.world.now().timestamp() * 1000)

    def order(self, lines: list[Row], status: str, ago_seconds: int = 0) -> Row:
        """Somebody bought something."""
        at = self.now_ms() - ago_seconds * 1000
        number = str(self.store.serial("n11:order", 200_000_000_000))
        return self._new(number, [self._line(line) for line in lines], status, at)

    def _line(self, asked: Row) -> Row:
        quantity = int(asked["quantity"])
        if quantity < 1:
            raise ValueError("a line has at least one piece")
        code, line_id = str(asked["barcode"]), self.store.serial("n11:line", 700_000_000)
        price = str(asked.get("price") or "129.90")
        return {"id": line_id, "code": code, "name": f"Ürün {code}", "quantity": quantity, "price": price}

    def _new(self, number: str, lines: list[Row], status: str, at: int) -> Row:
        key = self.store.serial("n11:package", 90_000_000)
        row = {"id": key, "order_number": number, "lines": lines, "ordered": at, "modified": 0}
        return self.changed(row, status, at)

    def changed(self, row: Row, status: str, at: int = 0) -> Row:
        """Keep it with a later instant."""
        at = at or max(self.now_ms(), row["modified"] + 1)
        return self.store.put(PACKAGE, str(row["id"]), {**row, "status": status, "modified": at})

    def packages(self) -> list[Row]:
        """All of them, oldest first."""
        return self.store.all(PACKAGE)

    def find(self, key: str) -> Row:
        """One package."""
        row = self.store.get(PACKAGE, key)
        if row is None:
            raise Refused(f"{key} numaralı paket bulunamadı")
        return row

    def picking(self, line_ids: list[int]) -> list[Row]:
        """The seller packs: line by line, and only what is new."""
        with self.store.lock:
            answers = []
            for row in self.packages():
                mine = [line for line in row["lines"] if line["id"] in line_ids]
                fits = row["status"] in ("Created", "UnPacked")
                if mine and fits:
                    self.changed(row, "Picking")
                    self.store.count("n11.picking", str(row["id"]))
                said: Row = {"status": "SUCCESS"} if fits else {"status": "FAIL", "reasons": f"Statü uygun değil: {row['status']}"}  # fmt: skip
                answers += [{"lineId": line["id"], **said} for line in mine]
            return answers

    def cancel(self, key: str, asked: list[Row]) -> Row:
        """By lever: the customer cancels all, or so many pieces; what is left is a new package of the order."""
        with self.store.lock:
            row = self.find(key)
            gone = {str(line["barcode"]): int(line["quantity"]) for line in asked}
            ended = self.changed(row, "Cancelled")
            rest = [{**line, "quantity": line["quantity"] - gone.get(line["code"], 0)} for line in row["lines"]]
            rest = [line for line in rest if line["quantity"] > 0] if gone else []
            return self._part(row, rest, "Created") if rest else ended

    def split(self, key: str, asked: list[list[int]]) -> list[Row]:
        """By lever: somebody splits it in their panel; per part, the pieces of each line."""
        with self.store.lock:
            row = self.find(key)
            self.changed(row, "Cancelled")
            parts = []
            for pieces in asked:
                lines = [{**line, "quantity": n} for line, n in zip(row["lines"], pieces, strict=True) if n]
                parts.append(self._part(row, lines, "UnPacked"))
            return parts

    def _part(self, row: Row, lines: list[Row], status: str) -> Row:
        fresh = [{**line, "id": self.store.serial("n11:line", 700_000_000)} for line in lines]
        return self._new(row["order_number"], fresh, status, self.now_ms())

    def know(self, code: str, quantity: int) -> Row:
        """By lever: a product of this seller."""
        return self.store.put(ITEM, code, {"code": code, "quantity": quantity})

    def submit(self, skus: list[Row]) -> Row:
        """Absolute quantities; done when the task is asked about for the second time."""
        if not 0 < len(skus) <= 1000:
            raise Refused("skus 1 ile 1000 arasında olmalıdır")
        results = [self._set(sku) for sku in skus]
        number = self.store.serial("n11:task", 5_000_000)
        return self.store.put(TASK, str(number), {"id": number, "questions": 0, "results": results})

    def _set(self, sku: Row) -> Row:
        code, quantity = str(sku["stockCode"]), int(sku["quantity"])
        if self.store.get(ITEM, code) is None or not 0 <= quantity <= MOST_PIECES:
            return {"itemCode": code, "status": "FAIL", "reasons": ["Ürün bulunamadı ya da adet geçersiz"]}
        self.know(code, quantity)
        return {"itemCode": code, "status": "SUCCESS", "reasons": []}

    def task(self, key: str) -> dict[str, Any]:
        """What became of a task."""
        row = self.store.get(TASK, key)
        if row is None:
            raise Refused("task bulunamadı")
        self.store.put(TASK, key, {**row, "questions": row["questions"] + 1})
        if not row["questions"]:
            return {"taskId": row["id"], "status": "IN_QUEUE"}
        return {"taskId": row["id"], "status": "PROCESSED", "skus": {"content": row["results"], "totalPages": 1}}

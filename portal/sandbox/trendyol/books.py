"""Trendyol's packages: how they come, change, split and end. Every effect is counted."""

from __future__ import annotations

from typing import Any

from portal.sandbox.store import Row
from portal.sandbox.trendyol import webhooks
from portal.sandbox.trendyol.rules import bad_request, now_ms, rule
from portal.sandbox.trendyol.shelf import Shelf, plain
from portal.sandbox.world import World

PACKAGE = "trendyol_package"
STATUSES = (
    "Awaiting", "Created", "Picking", "Invoiced", "Shipped", "AtCollectionPoint", "Delivered", "UnDelivered",
    "Returned", "Cancelled", "UnSupplied", "UnPacked", "Verified", "Repack",
)  # fmt: skip
OPEN = ("Created", "Picking", "Invoiced")
BEFORE = {"Picking": "Created", "Invoiced": "Picking"}  # what a seller may say, and after what
REASONS = (500, 501, 502, 504, 505, 506)
FIRST_TRACKING = 73_300_000_000_000_000_000  # wider than 64 bits, as theirs may be


class Books:
    """What Trendyol knows of one seller's packages."""

    def __init__(self, world: World, shelf: Shelf) -> None:
        self.world, self.store, self.shelf = world, world.store, shelf

    def order(self, lines: list[Row], status: str, ago_seconds: int = 0) -> Row:
        """Somebody bought something."""
        at = now_ms(self.world) - ago_seconds * 1000
        wanted = [self._line(line, status) for line in lines]
        number = str(self.store.serial("trendyol:order", 10_000_000_000))
        origin = {"order_number": number, "ordered": at, "created_by": "order-creation", "origins": []}
        return self._new(origin, wanted, status, at)

    def _line(self, asked: Row, status: str) -> Row:
        barcode = plain(str(asked["barcode"]))
        line_id = self.store.serial("trendyol:line", 4_000_000_000)
        name = str(asked.get("name") or f"Ürün {barcode}")
        quantity, price = int(asked["quantity"]), str(asked.get("price") or "129.90")
        if quantity < 1:
            raise ValueError("a line has at least one piece")
        return {"id": line_id, "barcode": barcode, "name": name, "quantity": quantity, "price": price, "status": status}

    def _new(self, origin: Row, lines: list[Row], status: str, at: int) -> Row:
        key = self.store.serial("trendyol:package", 3_000_000_000)
        tracking = FIRST_TRACKING + self.store.serial("trendyol:tracking", 0)
        self.store.count("trendyol.package", str(key))
        row = {**origin, "id": key, "tracking": tracking, "lines": lines, "invoice": "", "splitting": None}
        return self._changed(row, status, at)

    def _changed(self, row: Row, status: str, at: int = 0) -> Row:
        """Keep it with a later instant, and tell whoever subscribed."""
        at = at or max(now_ms(self.world), row.get("modified", 0) + 1)
        history = [*row.get("history", []), {"createdDate": at, "status": status}]
        kept = self.store.put(PACKAGE, str(row["id"]), {**row, "status": status, "modified": at, "history": history})
        webhooks.announce(self.world, kept)
        return kept

    def packages(self) -> list[Row]:
        """All of them, oldest first."""
        return self.store.all(PACKAGE)

    def find(self, key: str) -> Row:
        """One package of this seller."""
        row = self.store.get(PACKAGE, key)
        if row is None:
            raise bad_request(f"{key} numaralı paket bulunamadı.")
        return row

    def set_status(self, key: str, status: str) -> Row:
        """By lever: the carrier, or Trendyol itself, moves it. Any word, so that unknown ones can be tried."""
        with self.store.lock:
            row = self.find(key)
            lines = [{**line, "status": status} for line in row["lines"]]
            return self._changed({**row, "lines": lines}, status)

    def touch(self, key: str) -> None:
        """Something about it changed that nobody asked about; it moves to the end of every list."""
        row = self.find(key)
        self.store.put(PACKAGE, key, {**row, "modified": max(now_ms(self.world), row["modified"] + 1)})

    def update(self, key: str, asked: Row) -> None:
        """The seller says Picking or Invoiced, in this order and once."""
        status = str(asked["status"])
        with self.store.lock:
            row = self.find(key)
            self._quantities(row, asked["lines"])
            if status not in BEFORE:
                raise bad_request(f"{status} statüsü satıcı tarafından beslenemez.")
            if row["status"] != BEFORE[status]:
                raise bad_request(f"Paket {row['status']} statüsünden {status} statüsüne geçemez.")
            self.store.count(f"trendyol.{status.lower()}", key)
            lines = [{**line, "status": status} for line in row["lines"]]
            invoice = str((asked.get("params") or {}).get("invoiceNumber") or row["invoice"])
            self._changed({**row, "lines": lines, "invoice": invoice}, status)

    def unsupplied(self, key: str, asked: Row) -> None:
        """Pieces that cannot be sent. The old package ends; what is left is a package of its own."""
        with self.store.lock:
            row = self._open(key)
            if int(asked["reasonId"]) not in REASONS:
                raise bad_request("reasonId geçersiz.")
            missing = self._quantities(row, asked["lines"])
            self.store.count("trendyol.unsupplied", key)
            self._without(row, missing, line_status="UnSupplied", partial="UnPacked")

    def cancel(self, key: str, asked: list[Row]) -> Row:
        """By lever: the customer cancels, all of it or so many pieces by barcode."""
        with self.store.lock:
            row = self.find(key)
            pieces = {plain(str(line["barcode"])): int(line["quantity"]) for line in asked}
            missing = {line["id"]: pieces.get(line["barcode"], 0) for line in row["lines"]}
            if not pieces:
                missing = {line["id"]: line["quantity"] for line in row["lines"]}
            return self._without(row, missing, line_status="Cancelled", partial="Cancelled")

    def _without(self, row: Row, missing: dict[int, int], *, line_status: str, partial: str) -> Row:
        rest = [{**line, "quantity": line["quantity"] - missing.get(line["id"], 0)} for line in row["lines"]]
        rest = [line for line in rest if line["quantity"] > 0]
        gone = [{**line, "status": line_status if missing.get(line["id"]) else partial} for line in row["lines"]]
        ended = self._changed({**row, "lines": gone}, partial if rest else "Cancelled")
        return self._successor(row, rest, "cancel") if rest else ended

    def _successor(self, row: Row, lines: list[Row], created_by: str) -> Row:
        """A new package, with new numbers, of the same order."""
        fresh = [
            {**line, "id": self.store.serial("trendyol:line", 4_000_000_000), "status": "Created"} for line in lines
        ]
        origin = {"order_number": row["order_number"], "ordered": row["ordered"], "created_by": created_by}
        return self._new({**origin, "origins": [row["id"]]}, fresh, "Created", now_ms(self.world))

    def _open(self, key: str) -> Row:
        row = self.find(key)
        if row["status"] not in OPEN or row["splitting"]:
            raise bad_request(f"Paket {row['status']} statüsünde, işlem yapılamaz.")
        return row

    def _quantities(self, row: Row, asked: list[Row]) -> dict[int, int]:
        held = {line["id"]: line["quantity"] for line in row["lines"]}
        wanted = {int(line["lineId"]): int(line["quantity"]) for line in asked}
        if not wanted or any(not 0 < pieces <= held.get(key, 0) for key, pieces in wanted.items()):
            raise bad_request("lineId ya da quantity geçersiz.")
        return wanted

    def split(self, key: str, asked: Row) -> None:
        """Taken now, done later: the packages come with a later pull."""
        with self.store.lock:
            row = self._open(key)
            held = {line["id"]: line["quantity"] for line in row["lines"]}
            wanted = {int(part["orderLineId"]): [int(n) for n in part["quantities"]] for part in asked["quantitySplit"]}
            wrong = [no for no, parts in wanted.items() if min(parts) < 0 or sum(parts) != held.get(no)]
            if wrong or not wanted or max(map(len, wanted.values())) < 2:
                raise bad_request(f"Paket bölünemez: {wrong}")
            self.store.count("trendyol.split", key)
            pulls = int(rule(self.world, "split_pulls"))
            parts = [[str(no), parts] for no, parts in wanted.items()]
            self.store.put(PACKAGE, key, {**row, "splitting": {"parts": parts, "pulls": pulls}})

    def finish_splits(self) -> None:
        """Somebody pulls: what was split long enough ago is there."""
        with self.store.lock:
            for row in [row for row in self.packages() if row["splitting"]]:
                left = row["splitting"]["pulls"] - 1
                if left >= 0:
                    self.store.put(PACKAGE, str(row["id"]), {**row, "splitting": {**row["splitting"], "pulls": left}})
                else:
                    self._finish(row)

    def _finish(self, row: Row) -> None:
        parts: dict[int, list[int]] = {int(no): pieces for no, pieces in row["splitting"]["parts"]}
        ended = [{**line, "status": "UnPacked"} for line in row["lines"]]
        self._changed({**row, "lines": ended, "splitting": None}, "UnPacked")
        for at in range(max(map(len, parts.values()))):
            lines = [{**line, "quantity": _piece(parts, line, at)} for line in row["lines"]]
            self._successor(row, [line for line in lines if line["quantity"]], "split")


def _piece(parts: dict[int, list[int]], line: Row, at: int) -> int:
    """Lines nobody mentioned stay together, in the first package."""
    pieces: list[Any] = parts.get(line["id"], [line["quantity"]])
    return int(pieces[at]) if at < len(pieces) else 0

"""The two ways to pull packages: the list with its pages, and the stream with its cursor."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from portal.sandbox.store import Row
from portal.sandbox.trendyol.books import Books
from portal.sandbox.trendyol.rules import bad_request, now_ms, pull, rule
from portal.sandbox.trendyol.words import package

DAY_MS = 86_400_000
WEEK_MS, WINDOW_MS = 7 * DAY_MS, 14 * DAY_MS
LIST_HISTORY_MS, STREAM_HISTORY_MS = 31 * DAY_MS, 92 * DAY_MS
MOST_SIZE, MOST_IDS = 200, 50
Asked = Mapping[str, str]


def listed(books: Books, asked: Asked) -> dict[str, Any]:
    """GET …/orders: pages by number, oldest or newest first, and no further than the cap."""
    size, page, cap = _size(books, asked, 50), int(asked.get("page") or 0), int(rule(books.world, "page_cap"))
    if page < 0 or (page + 1) * size > max(cap, size):
        raise bad_request(f"Bir sorguda en fazla {cap} paket çekilebilir.")
    books.finish_splits()
    found = _sorted(_in_list(books, asked), asked)
    again = min(int(rule(books.world, "repeat_pages")), size - 1) if len(found) > size else 0
    start = max(0, page * size - (again if page else 0))
    rows = found[start : start + size]
    answer = {
        "totalElements": len(found),
        "totalPages": -(-(len(found) + again) // size),  # what is shown twice pushes the rest on
        "page": page,
        "size": size,
        "content": [_told(books, row) for row in rows],
    }
    _move(books, found[:1])
    return answer


def _in_list(books: Books, asked: Asked) -> list[Row]:
    start, end = _window(books, asked, "startDate", "endDate", LIST_HISTORY_MS)
    field = _field(asked)
    rows = [row for row in books.packages() if start <= row[field] <= end]
    keys = [key for key in asked.get("shipmentPackageIds", "").split(",") if key]
    if len(keys) > MOST_IDS:
        raise bad_request(f"En fazla {MOST_IDS} paket sorgulanabilir.")
    if keys:
        rows = [row for row in rows if str(row["id"]) in keys]
    for name, known in (("status", "status"), ("orderNumber", "order_number")):
        if asked.get(name):
            rows = [row for row in rows if row[known] == asked[name]]
    return rows


def _field(asked: Asked) -> str:
    return "modified" if asked.get("orderByField") == "PackageLastModifiedDate" else "ordered"


def _sorted(rows: list[Row], asked: Asked) -> list[Row]:
    field, newest_first = _field(asked), asked.get("orderByDirection", "DESC") == "DESC"
    return sorted(rows, key=lambda row: (row[field], row["id"]), reverse=newest_first)


def streamed(books: Books, asked: Asked) -> dict[str, Any]:
    """GET …/orders/stream: newest change first, each page from where the last one ended."""
    size, cursor = _size(books, asked, 50), asked.get("nextCursor", "")
    filters = {name: value for name, value in asked.items() if name not in ("nextCursor", "size")}
    after = _opened(cursor, filters) if cursor else None
    if not cursor:
        books.finish_splits()
    found = _in_stream(books, asked)
    rest = [row for row in found if after is None or (row["modified"], row["id"]) < after]
    again = min(int(rule(books.world, "repeat_pages")), size - 1) if after else 0
    start = max(0, len(found) - len(rest) - again)
    rows, more = found[start : start + size], start + size < len(found)
    closed = _closed(rows[-1], filters) if rows and more else None
    answer = {"hasMore": more, "nextCursor": closed, "size": size, "content": [_told(books, row) for row in rows]}
    _move(books, found[-1:])
    return answer


def _in_stream(books: Books, asked: Asked) -> list[Row]:
    start, end = _window(books, asked, "lastModifiedStartDate", "lastModifiedEndDate", STREAM_HISTORY_MS)
    statuses = {word for word in asked.get("packageItemStatuses", "").split(",") if word}
    rows = [row for row in books.packages() if start <= row["modified"] <= end]
    if statuses:
        rows = [row for row in rows if statuses & {line["status"] for line in row["lines"]}]
    return sorted(rows, key=lambda row: (row["modified"], row["id"]), reverse=True)


def _closed(last: Row, filters: dict[str, str]) -> str:
    content = [last["modified"], last["id"], _seal(filters)]
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def _opened(cursor: str, filters: dict[str, str]) -> tuple[int, int]:
    modified, key, seal = json.loads(base64.urlsafe_b64decode(cursor))
    if seal != _seal(filters):
        raise bad_request("nextCursor ile birlikte filtreler değiştirilemez.")
    return modified, key


def _seal(filters: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(filters, sort_keys=True).encode()).hexdigest()[:16]


def _size(books: Books, asked: Asked, default: int) -> int:
    size = int(asked.get("size") or default)
    if not 0 < size <= MOST_SIZE:
        raise bad_request(f"size en fazla {MOST_SIZE} olabilir.")
    return min(size, int(rule(books.world, "most_rows")))


def _window(books: Books, asked: Asked, first: str, last: str, history_ms: int) -> tuple[int, int]:
    """From and until, both inside; a week where nothing is said; nothing from before their memory."""
    now = now_ms(books.world)
    end = int(asked.get(last) or now)
    start = int(asked.get(first) or end - WEEK_MS)
    if end < start or end - start > WINDOW_MS:
        raise bad_request("Tarih aralığı en fazla 2 hafta olabilir.")
    return max(start, now - history_ms), end


def _told(books: Books, row: Row) -> dict[str, Any]:
    return package(row, old_names=bool(rule(books.world, "old_names")))


def _move(books: Books, rows: list[Row]) -> None:
    """While somebody reads, something changes: by switch, so many times."""
    times = int(rule(books.world, "move_packages"))
    if times > 0 and rows:
        books.touch(str(rows[0]["id"]))
        pull(books.world, "move_packages", times - 1)

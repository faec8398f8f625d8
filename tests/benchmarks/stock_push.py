"""Available over many barcodes, and finding and building what changed: as ratios to fetching the rows by plain SQL.

BARCODES, LINES and ROUNDS come from the environment; `make bench` means 500,000 barcodes and 200,000 open lines.
"""

from __future__ import annotations

import os
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
from flask import Flask
from sqlalchemy import text

from portal.app import create_app
from portal.core.database import db
from portal.core.ports import Outcome, cast_role
from portal.core.unit_of_work import atomic
from portal.embedded import for_tests
from portal.marketplace.ports import (
    Abilities,
    BatchResult,
    BatchState,
    ItemResult,
    Pace,
    StockRead,
    StockSubmitted,
    StockWish,
    Storefronts,
)
from portal.marketplace.push import pace
from portal.stock import queries as stock_queries
from portal.stock import services as stock
from portal.workflows import stock_push
from tests.world import test_settings


class Size(NamedTuple):
    """How big."""

    barcodes: int
    lines: int
    rounds: int
    paced_calls: int

    @classmethod
    def from_env(cls) -> Size:
        """The issue's sizes unless told otherwise."""
        read = os.environ.get
        return cls(
            int(read("BARCODES") or 500_000),
            int(read("LINES") or 200_000),
            int(read("ROUNDS") or 5),
            int(read("PACED_CALLS") or 120),
        )


class Row(NamedTuple):
    """What was measured: seconds, and how many times the floor (nothing where there is none)."""

    what: str
    seconds: float
    ratio: float | None


class Nobody:
    """A storefront that takes everything at once: what is left is our own work."""

    code, title = "nobody", "Nobody"
    abilities = Abilities(1000, 20_000, 0, 14_400, 14, 200, says_picking=False)

    def __init__(self) -> None:
        self.batches: dict[str, list[StockWish]] = {}

    def submit_stock(self, wishes: list[StockWish]) -> StockSubmitted:
        """Taken."""
        key = str(len(self.batches))
        self.batches[key] = wishes
        return StockSubmitted(Outcome.DONE, key)

    def batch(self, batch_key: str) -> BatchResult:
        """All accepted."""
        said = tuple(ItemResult(wish.barcode, accepted=True) for wish in self.batches[batch_key])
        return BatchResult(Outcome.DONE, BatchState.DONE, said)

    def read_stock(self, barcodes: list[str]) -> StockRead:
        """Nothing is ever in doubt here."""
        return StockRead(Outcome.UNKNOWN, {})

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


FILL = """
INSERT INTO stock_item (barcode, name) SELECT (8700000000000 + n)::text, 'Ürün ' || n FROM generate_series(1, %(barcodes)s) n;
INSERT INTO central_stock (item_id, qty, reserved, safety)
  SELECT i.id, 5 + i.id %% 90, 0, i.id %% 3 FROM stock_item i
  ON CONFLICT (item_id) DO UPDATE SET qty = excluded.qty, reserved = 0, safety = excluded.safety;
INSERT INTO reservation (item_id, source_kind, source_key, line_key, pieces)
  SELECT 1 + (n * 7919) %% %(barcodes)s, 'BENCH', (n / 4)::text, n::text, 1 + n %% 3
  FROM generate_series(1, %(lines)s) n WHERE 1 + (n * 7919) %% %(barcodes)s IN (SELECT id FROM stock_item);
UPDATE central_stock c SET reserved = r.pieces
  FROM (SELECT item_id, sum(pieces) AS pieces FROM reservation GROUP BY 1) r WHERE r.item_id = c.item_id;
"""
FLOOR = "SELECT i.barcode, c.qty, c.reserved, c.safety FROM stock_item i JOIN central_stock c ON c.item_id = i.id"
FLOOR_OF_CHANGED = FLOOR + " WHERE i.id = ANY(%s)"


def seconds_of(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turn(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Each in turn, some rounds; the median of each."""
    taken: list[list[float]] = [[] for _work in works]
    for _round in range(rounds):
        for times, work in zip(taken, works, strict=True):
            times.append(seconds_of(work))
    return [statistics.median(times) for times in taken]


def measure(size: Size) -> list[Row]:
    """Fill a database, measure, throw it away."""
    servers = for_tests.ensure_servers()
    name = f"bench_{uuid.uuid4().hex[:8]}"
    url = for_tests.clone_database(servers.database_url, "template1", name)
    app = create_app(test_settings(url, servers.redis_url, "http://127.0.0.1:9", smtp_port=9))
    app.config["SQLALCHEMY_ENGINE_OPTIONS"]["connect_args"]["options"] = "-c timezone=UTC"
    assert app.test_cli_runner().invoke(args=["prepare"], catch_exceptions=False).exit_code == 0
    with app.app_context(), psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as plain:
        _fill(plain, size)
        rows = [*_full(plain, size), *_changed(app, plain, size), *_paced(size)]
        db.session.remove()
        db.engine.dispose()
    for_tests.drop_database(servers.database_url, name)
    return rows


def _fill(plain: psycopg.Connection[Any], size: Size) -> None:
    with plain.transaction(), psycopg.ClientCursor(plain) as cursor:
        for statement in FILL.split(";\n"):
            if statement.strip():
                cursor.execute(statement, size._asdict())
    for table in ("stock_item", "central_stock", "reservation", "stock_change"):
        plain.execute(f"VACUUM ANALYZE {table}")


def _full(plain: psycopg.Connection[Any], size: Size) -> list[Row]:
    """Available of everything, once as the portal says it and once derived from the open lines."""
    derived = text(
        """SELECT i.barcode, greatest(c.qty - coalesce(r.pieces, 0) - c.safety, 0)
           FROM stock_item i JOIN central_stock c ON c.item_id = i.id
           LEFT JOIN (SELECT item_id, sum(pieces - taken - released) AS pieces FROM reservation WHERE state = 'OPEN'
                      GROUP BY 1) r ON r.item_id = i.id"""
    )
    answers: list[dict[str, int]] = [{}, {}]

    def kept() -> None:
        answers[0] = stock_queries.available()
        db.session.rollback()

    def summed() -> None:
        answers[1] = {barcode: int(pieces) for barcode, pieces in db.session.execute(derived)}
        db.session.rollback()

    floor, ours, lines = in_turn(size.rounds, lambda: plain.execute(FLOOR).fetchall(), kept, summed)
    assert answers[0] == answers[1] and len(answers[0]) >= size.barcodes
    return [
        Row(f"the rows of {size.barcodes:,} barcodes, plain (the floor)", floor, None),
        Row("available of all of them", ours, ours / floor),
        Row(f"the same, summed from {size.lines:,} open lines", lines, lines / floor),
    ]


def _changed(app: Flask, plain: psycopg.Connection[Any], size: Size) -> list[Row]:
    """Everything is believed already; then 1 % changes: found, written down as due, and built into batches."""
    front = Nobody()
    cast_role(app, Storefronts, Storefronts({front.code: front}, {}))
    app.config["STOCK_PUSH_BATCH"] = 1000
    _all_agree(front, plain)
    floor = statistics.median(seconds_of(lambda: plain.execute(FLOOR).fetchall()) for _round in range(size.rounds))
    noticed, found, built, compared, of_changed = [], [], [], [], []
    for number in range(size.rounds):
        items = [row[0] for row in plain.execute(CHANGE, {"number": number}).fetchall()]
        of_changed.append(seconds_of(lambda items=items: plain.execute(FLOOR_OF_CHANGED, [items]).fetchall()))  # type: ignore[misc]
        noticed.append(seconds_of(lambda items=items: _notice(len(items))))  # type: ignore[misc]
        found.append(seconds_of(_find))
        due = plain.execute("SELECT count(*) FROM storefront_listing WHERE due_at IS NOT NULL").fetchone()
        assert due == (len(items),)
        built.append(seconds_of(_build))
        sent = plain.execute("SELECT count(*) FROM storefront_listing WHERE due_at IS NOT NULL").fetchone()
        assert sent == (0,)
        _ask_all(front)
        compared.append(seconds_of(stock_push.compare_everything))
        _build()
        plain.execute("VACUUM storefront_listing")
    one, all_of_it = statistics.median(of_changed), statistics.median(compared)
    notice, find, build = statistics.median(noticed), statistics.median(found), statistics.median(built)
    return [
        Row(f"the rows of the {size.barcodes // 100:,} changed ones, plain", one, one / floor),
        Row("1 % changed: noticed, and what is available of them", notice, notice / floor),
        Row("1 % changed: noticed and written down as due", find, find / floor),
        Row("1 % changed: claimed, written down, sent to nobody, noted", build, build / floor),
        Row("everything compared with what they believe", all_of_it, all_of_it / floor),
    ]


CHANGE = """UPDATE central_stock SET qty = qty + 100 WHERE item_id %% 100 = %(number)s RETURNING item_id"""
AGREE = """INSERT INTO storefront_listing (storefront, item_id, barcode, wanted, expected, send_no, settled_no, sent, sent_at,
             accepted, accepted_at, believed, believed_at)
           SELECT %s, i.id, i.barcode, v.available, v.available, 1, 1, v.available, now(), v.available, now(),
             v.available, now() FROM stock_item i JOIN stock_level v ON v.item_id = i.id"""


def _all_agree(front: Nobody, plain: psycopg.Connection[Any]) -> None:
    plain.execute("DELETE FROM stock_change")
    plain.execute(AGREE, [front.code])
    plain.execute("VACUUM ANALYZE storefront_listing")
    plain.execute("VACUUM ANALYZE stock_change")


def _notice(how_many: int) -> None:
    """Which items changed and what is available of them; nothing is kept."""
    items = stock.take_changed(10**9)
    levels = text("SELECT item_id, available FROM stock_level WHERE item_id = ANY(:items)")
    assert len(db.session.execute(levels, {"items": items}).all()) == how_many
    db.session.rollback()


def _find() -> None:
    while stock_push.note_changes():
        pass


def _build() -> None:
    (front,) = stock_push.storefronts()
    while stock_push.push_some(front):
        pass


def _ask_all(front: Nobody) -> None:
    """Every batch's result, so that nothing is open in the next round."""
    with atomic() as session:
        session.execute(text("UPDATE stock_push_batch SET poll_at = :then WHERE state = 'WAITING'"), {"then": LONG_AGO})
    while stock_push.ask_result(front):
        pass


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def _paced(size: Size) -> list[Row]:
    """So many calls under 50 in 10 seconds: how near to the cap, and never over it."""
    if not size.paced_calls:
        return []
    made: list[float] = []
    began = time.perf_counter()
    while len(made) < size.paced_calls:
        with atomic():
            place = pace.take_place("paced", "submit_stock", (Pace(50, 10_050),))
        if place is None:
            time.sleep(0.01)
            continue
        made.append(time.perf_counter())
        with atomic():
            pace.ended(place)
    taken, cap = time.perf_counter() - began, (size.paced_calls - 1) // 50 * 10.0
    over = sum(1 for first, last in zip(made, made[50:], strict=False) if last - first < 10)
    assert over == 0, f"{over} calls came too early"
    return [
        Row(
            f"{size.paced_calls} calls under 50 in 10 s, 0 over (ratio to the cap)", taken, taken / cap if cap else None
        )
    ]


def show(rows: list[Row]) -> None:
    """One line a measurement."""
    for row in rows:
        ratio = "" if row.ratio is None else f"   × {row.ratio:.2f}"
        print(f"{row.what:<66}{row.seconds * 1000:>9.1f} ms{ratio}")

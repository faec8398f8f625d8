"""Who says no: the rules, the services, and the database itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.errors import BadInput, Refusal
from portal.core.unit_of_work import atomic
from portal.stock import queries, rules
from portal.stock import services as stock
from tests.stock import CEM, GLUE, ORDER, TAPE, Warehouse, on_hand


@given(st.integers(1, 30), st.dictionaries(st.integers(1, 5), st.integers(0, 12)))
def test_picks_are_what_is_wanted_or_all_there_is(wanted: int, on_shelves: dict[int, int]) -> None:
    chosen = rules.picks(wanted, on_shelves)
    assert sum(chosen.values()) == min(wanted, sum(on_shelves.values()))
    assert all(0 < pieces <= on_shelves[shelf] for shelf, pieces in chosen.items())


@pytest.mark.parametrize("pieces", [0, -1, 1_000_001])
def test_a_number_nobody_can_mean_is_refused(warehouse: Warehouse, pieces: int) -> None:
    warehouse.receive(10)
    for act in (warehouse.receive, warehouse.take, warehouse.reserve):
        with pytest.raises(BadInput):
            act(pieces)
    assert on_hand(warehouse.tape) == (10, 0)


def test_the_catalogue_says_no(warehouse: Warehouse) -> None:
    item = stock.item_of(TAPE).item
    refused: list[tuple[type[Refusal], object]] = [
        (stock.UnknownBarcode, lambda: stock.item_of("nothing")),
        (stock.UnknownShelf, lambda: stock.shelf_of("Z-99")),
        (stock.UnknownBarcode, lambda: stock.receive(10**9, warehouse.a1, 1, key="x", by=SYSTEM)),
        (stock.BarcodeInUse, lambda: stock.add_item(TAPE, "again")),
        (stock.BarcodeInUse, lambda: stock.add_case(item, GLUE, 12)),
        (stock.ShelfExists, lambda: stock.add_shelf("A-01")),
        (BadInput, lambda: stock.add_case(item, "case", 1)),
        (BadInput, lambda: stock.add_item("a\tb", "x")),
        (BadInput, lambda: stock.add_item("new", "  ")),
        (BadInput, lambda: stock.add_shelf(" ")),
        (BadInput, lambda: stock.take([], source=ORDER, key="x", by=CEM)),
        (BadInput, lambda: stock.transfer(item.id, warehouse.a1, warehouse.a1, 1, key="x", by=CEM)),
    ]
    for refusal, act in refused:
        with pytest.raises(refusal), atomic():
            act()  # type: ignore[operator]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE central_stock SET qty = -1", "UPDATE central_stock SET reserved = -1", "UPDATE shelf_stock SET qty = -1",
        "UPDATE central_stock SET safety = -1", "UPDATE stock_movement SET pieces = 1", "DELETE FROM stock_movement",
        "TRUNCATE stock_movement", "DELETE FROM stock_act", "UPDATE stock_act SET because = 'x'",
        "UPDATE stock_shortage SET there = 0", "DELETE FROM stock_shortage", "TRUNCATE stock_shortage",
        "UPDATE reservation SET taken = 5", "UPDATE reservation SET state = 'TAKEN'", "UPDATE reservation SET pieces = 0",
        "INSERT INTO reservation (item_id, source_kind, source_key, line_key, pieces)"
        " SELECT item_id, source_kind, source_key, line_key, 1 FROM reservation",
        "INSERT INTO stock_movement (idempotency_key, act_key, type, item_id, shelf_id, pieces, source_kind, source_key, actor,"
        " because, at) SELECT idempotency_key, act_key, type, item_id, shelf_id, pieces, source_kind, source_key, actor,"
        " because, at FROM stock_movement",
        "INSERT INTO stock_movement (idempotency_key, act_key, type, item_id, shelf_id, pieces, source_kind, source_key, actor,"
        " because, at) SELECT 'new', act_key, 'OUT', item_id, shelf_id, 1, 'X', '1', actor, because, at FROM stock_movement",
        "INSERT INTO case_barcode SELECT 'case', id, 1 FROM stock_item",
    ],
)  # fmt: skip
def test_the_database_itself_refuses(warehouse: Warehouse, statement: str) -> None:
    warehouse.receive(2)
    warehouse.reserve(1)
    with pytest.raises(stock.Shortage) as short:
        warehouse.take(9)
    with atomic():
        stock.note_shortage(short.value, by=CEM)
    with pytest.raises(DBAPIError):
        db.session.execute(text(statement))
    db.session.rollback()


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_what_is_sold_is_never_more_than_what_is_there(qty: int, reserved: int, safety: int, believed: int) -> None:
    level = rules.Level(qty, reserved, safety)
    assert 0 <= level.available <= level.free <= qty
    assert level.free - level.oversold == qty - reserved
    assert rules.exposure_after(level, level.available) == level.oversold
    assert rules.exposure_after(level, believed) >= level.oversold


def test_sql_and_rules_say_the_same(warehouse: Warehouse) -> None:
    for qty, reserved, safety in ((0, 0, 0), (5, 2, 0), (5, 2, 4), (5, 9, 1), (7, 7, 7)):
        values = {"q": qty, "r": reserved, "s": safety, "i": warehouse.glue}
        db.session.execute(
            text("UPDATE central_stock SET qty = :q, reserved = :r, safety = :s WHERE item_id = :i"), values
        )
        row, level = queries.item(warehouse.glue), rules.Level(qty, reserved, safety)
        assert row and (row.available, row.oversold) == (level.available, level.oversold)
        db.session.rollback()

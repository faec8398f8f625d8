"""Goods come, go, move, are counted and come back: it works, and twice."""

from __future__ import annotations

import pytest

from portal.core.unit_of_work import atomic
from portal.stock import history, queries
from portal.stock import services as stock
from portal.stock.services import Pick
from portal.stock.states import Moved
from tests.stock import CEM, GLUE, ORDER, TAPE, Warehouse, on_hand, state_of


def test_goods_on_a_shelf_raise_shelf_and_central_stock(warehouse: Warehouse) -> None:
    warehouse.receive(30)
    warehouse.receive(20, shelf=warehouse.b1)
    assert on_hand(warehouse.tape) == (50, 0)
    lying = queries.shelves_of([warehouse.tape, warehouse.glue])
    assert [(place.shelf, place.qty) for place in lying[warehouse.tape]] == [("A-01", 30), ("B-01", 20)]


def test_the_same_receipt_again_changes_nothing(warehouse: Warehouse) -> None:
    assert warehouse.receive(5, key="r") == warehouse.receive(5, key="r") == 1
    with pytest.raises(stock.SameKeyOtherGoods):
        warehouse.receive(6, key="r")
    assert on_hand(warehouse.tape) == (5, 0)


def test_a_case_barcode_means_several_pieces(warehouse: Warehouse) -> None:
    with atomic():
        stock.add_case(stock.item_of(TAPE).item, "18690000000019", 36)
    assert stock.item_of(f" {TAPE} ").pieces == 1
    scanned = stock.item_of("18690000000019")
    assert (scanned.item.id, scanned.pieces) == (warehouse.tape, 36)
    assert [case.pieces for case in queries.case_barcodes([warehouse.tape])] == [36]


def test_counting_corrects_by_the_difference(warehouse: Warehouse) -> None:
    warehouse.receive(10)

    def count(found: int, key: str) -> list[int]:
        with atomic():
            done = stock.count(warehouse.tape, warehouse.a1, found, key=key, by=CEM, because="yearly count")
            return [m.pieces for m in done]

    assert (count(10, "same"), count(7, "less"), count(12, "more")) == ([], [-3], [5])
    assert (count(10, "same"), count(7, "less"), on_hand(warehouse.tape)) == ([], [-3], (12, 0))


def test_a_transfer_moves_and_changes_nothing_in_all(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    for _again in range(2):
        with atomic():
            moved = stock.transfer(warehouse.tape, warehouse.a1, warehouse.b1, 4, key="t", by=CEM)
    assert [(m.type, m.pieces) for m in moved] == [(Moved.TRANSFER_OUT, -4), (Moved.TRANSFER_IN, 4)]
    lying = queries.shelves_of([warehouse.tape])[warehouse.tape]
    assert [(place.shelf, place.qty) for place in lying] == [("A-01", 6), ("B-01", 4)]
    with pytest.raises(stock.Shortage), atomic():
        stock.transfer(warehouse.tape, warehouse.b1, warehouse.a1, 5, key="u", by=CEM)


def test_what_was_taken_comes_back_and_no_more(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    warehouse.take(4)
    for key, pieces in (("b", 3), ("b", 3), ("c", 1)):
        with atomic():
            stock.give_back(warehouse.tape, warehouse.b1, pieces, source=ORDER, key=key, by=CEM, because="returned")
    with pytest.raises(stock.MoreThanTaken), atomic():
        stock.give_back(warehouse.tape, warehouse.b1, 1, source=ORDER, key="d", by=CEM, because="returned")
    assert on_hand(warehouse.tape) == (10, 0)


def test_a_shortage_takes_nothing_says_what_is_missing_where_and_is_kept(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    warehouse.receive(1, item=warehouse.glue)
    picks = [Pick(warehouse.tape, warehouse.a1, 2), Pick(warehouse.glue, warehouse.a1, 3), Pick(warehouse.tape, warehouse.b1, 1)]  # fmt: skip
    with pytest.raises(stock.Shortage) as no, atomic():
        stock.take(picks, source=ORDER, key="p", by=CEM)
    with atomic():
        stock.note_shortage(no.value, by=CEM)
    assert [(m.barcode, m.shelf, m.there, m.wanted) for m in no.value.missing] == [(TAPE, "B-01", 0, 1), (GLUE, "A-01", 1, 3)]  # fmt: skip
    assert f"{GLUE} · A-01: 1/3" in str(no.value.message)
    assert [(s.barcode, s.there, s.actor) for s in history.shortage_rows(history.shortages())] == [(GLUE, 1, "Cem"), (TAPE, 0, "Cem")]  # fmt: skip
    assert (on_hand(warehouse.tape), on_hand(warehouse.glue)) == ((10, 0), (1, 0))
    warehouse.receive(2, item=warehouse.glue)
    warehouse.receive(1, shelf=warehouse.b1)
    with atomic():  # the refused act was never written: its key still works
        assert len(stock.take(picks, source=ORDER, key="p", by=CEM)) == 3


def test_taking_without_naming_a_shelf(warehouse: Warehouse) -> None:
    warehouse.receive(3)
    warehouse.receive(5, shelf=warehouse.b1)
    warehouse.reserve(7)

    def take(pieces: int, key: str) -> list[tuple[int, int]]:
        with atomic():
            done = stock.take_wherever({warehouse.tape: pieces}, source=ORDER, key=key, by=CEM)
            return [(m.shelf_id, m.pieces) for m in done]

    assert take(3, "small rest first") == take(3, "small rest first") == [(warehouse.a1, -3)]
    warehouse.receive(1)
    with pytest.raises(stock.Shortage) as no:
        take(7, "p")
    with atomic():
        stock.note_shortage(no.value, by=CEM)
    assert [(s.shelf, s.there, s.wanted) for s in history.shortage_rows(history.shortages())] == [("", 6, 7)]
    assert sorted(take(6, "both shelves")) == [(warehouse.a1, -1), (warehouse.b1, -5)]
    assert (on_hand(warehouse.tape), state_of(ORDER)) == ((0, 0), [("TAKEN", 7, 7, 0)])


def test_many_barcodes_are_understood_at_once(warehouse: Warehouse) -> None:
    with atomic():
        stock.add_case(stock.item_of(TAPE).item, "case", 36)
    assert queries.meant([TAPE, "case", "unknown"]) == {TAPE: (warehouse.tape, 1), "case": (warehouse.tape, 36)}


def test_the_history_of_an_item_newest_first(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    warehouse.receive(1, item=warehouse.glue)
    warehouse.take(4, order="7")
    rows = history.movement_rows(history.movements(warehouse.tape))
    assert [(r.type, r.pieces, r.source_key, r.actor) for r in rows] == [("OUT", -4, "7", "Cem"), ("IN", 10, "", "Emanet")]  # fmt: skip
    assert len(history.movement_rows(history.movements())) == 3

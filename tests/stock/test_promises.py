"""Goods are promised, taken, let go: it works, twice, too late, and who gets nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from portal.core import clock
from portal.core.database import db
from portal.core.state_machine import Transition
from portal.core.unit_of_work import atomic
from portal.stock import queries
from portal.stock import services as stock
from portal.stock.services import Source, Wish
from portal.stock.states import RESERVATION, Reserved
from tests.stock import CEM, GLUE, ORDER, TAPE, Warehouse, number, on_hand, state_of


def test_the_example_of_the_contract_fifty_less_eight_is_forty_two(warehouse: Warehouse) -> None:
    warehouse.receive(50)
    for order, pieces in (("a", 3), ("b", 4), ("c", 1)):
        warehouse.reserve(pieces, order)
    assert queries.available([TAPE, "unknown"]) == {TAPE: 42}
    assert queries.available() == {TAPE: 42, GLUE: 0}
    assert queries.open_orders() == 3


def test_taking_falls_once_and_uses_up_the_promise(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    warehouse.reserve(4)
    before = number("SELECT extract(epoch FROM updated_at) * 1000000 FROM central_stock WHERE qty = 10")
    first = warehouse.take(4, key="parcel-1")
    assert warehouse.take(4, key="parcel-1") == first
    assert on_hand(warehouse.tape) == (6, 0)
    assert state_of(ORDER) == [("TAKEN", 4, 4, 0)]
    assert number("SELECT extract(epoch FROM updated_at) * 1000000 FROM central_stock WHERE qty = 6") > before
    with pytest.raises(stock.SameKeyOtherGoods):
        warehouse.take(3, key="parcel-1")


def test_an_order_may_leave_in_several_parcels(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    warehouse.reserve(5)
    warehouse.take(2)
    assert (state_of(ORDER), on_hand(warehouse.tape)) == ([("OPEN", 5, 2, 0)], (8, 3))
    with atomic():
        assert stock.release(ORDER, because="the rest was cancelled") == 3
    assert (state_of(ORDER), on_hand(warehouse.tape)) == ([("TAKEN", 5, 2, 3)], (8, 0))


def test_a_partial_cancellation_is_heard_twice_and_frees_once(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    warehouse.reserve(5)
    line = Source("TEST", "1", "1")
    for freed in (3, 0):
        with atomic():
            assert stock.release(line, still_wanted=2, because="part cancelled") == freed
    assert (state_of(line), on_hand(warehouse.tape)) == ([("OPEN", 5, 0, 3)], (10, 2))
    for freed in (2, 0):
        with atomic():
            assert stock.release(line, because="cancelled") == freed
    assert (state_of(line), on_hand(warehouse.tape)) == ([("RELEASED", 5, 0, 5)], (10, 0))


def test_a_promise_runs_out_and_not_before(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    soon = clock.now() + timedelta(minutes=30)
    with atomic():
        stock.reserve(warehouse.tape, 6, ORDER, expires_at=soon)
    for now, ran_out, promised in ((clock.now(), 0, 6), (soon, 1, 0), (soon, 0, 0)):
        with atomic():
            assert stock.expire(now) == ran_out
        assert on_hand(warehouse.tape) == (10, promised)
    assert state_of(ORDER) == [("EXPIRED", 6, 0, 6)]


def test_a_level_is_kept_whatever_was_before(warehouse: Warehouse) -> None:
    """More, less, nothing, and again after it ran out; said twice it changes nothing."""
    warehouse.receive(10)
    soon = clock.now() + timedelta(minutes=30)
    for wanted, expires_at, state in (
        (4, soon, [("OPEN", 4, 0, 0)]),
        (6, None, [("OPEN", 6, 0, 0)]),
        (1, None, [("OPEN", 6, 0, 5)]),
        (0, None, [("RELEASED", 6, 0, 6)]),
        (3, soon, [("OPEN", 9, 0, 6)]),
    ):
        for _twice in range(2):
            with atomic():
                stock.keep([Wish(warehouse.tape, wanted)], ORDER, because="level", expires_at=expires_at)
            assert (state_of(ORDER), on_hand(warehouse.tape)) == (state, (10, wanted))
    with atomic():
        assert stock.expire(soon) == 1
    with pytest.raises(stock.NotEnoughStock), atomic():
        stock.keep([Wish(warehouse.tape, 11)], ORDER, because="level")
    warehouse.take(2)
    with atomic():
        stock.keep([Wish(warehouse.tape, 11)], ORDER, because="level", even_if_short=True)
    assert (state_of(ORDER), on_hand(warehouse.tape)) == ([("OPEN", 20, 0, 9)], (8, 11))
    with pytest.raises(stock.SourceReservedOther), atomic():
        stock.keep([Wish(warehouse.glue, 1)], ORDER, because="level")


def test_too_late_to_let_go_of_what_was_taken(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    warehouse.reserve(4)
    warehouse.take(4)
    with atomic():
        assert stock.release(ORDER, because="cancelled too late") == 0
    assert on_hand(warehouse.tape) == (6, 0)


def test_every_change_of_a_promise_is_in_its_history(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    reservation = warehouse.reserve(5)
    warehouse.take(2)
    warehouse.take(3)
    moves = db.session.query(Transition).filter_by(subject_kind="reservation", subject_id=str(reservation))
    assert [m.to_state for m in moves.order_by(Transition.id)] == ["OPEN", "OPEN", "TAKEN"]


def test_the_same_order_line_again_is_the_same_promise(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    assert warehouse.reserve(4) == warehouse.reserve(4)
    with pytest.raises(stock.SourceReservedOther):
        warehouse.reserve(5)
    assert on_hand(warehouse.tape) == (10, 4)


def test_what_is_not_free_is_refused_with_what_is(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    warehouse.reserve(7, "a")
    with pytest.raises(stock.NotEnoughStock) as no:
        warehouse.reserve(4, "b")
    assert (no.value.code, no.value.free, no.value.details["wanted"]) == ("not_enough_stock", 3, 4)
    with pytest.raises(stock.NotEnoughStock), atomic():
        stock.reserve_all([Wish(warehouse.tape, 2, "1"), Wish(warehouse.glue, 1, "2")], Source("TEST", "c"))
    assert on_hand(warehouse.tape) == (10, 7)


def test_a_marketplace_is_promised_what_it_sold_and_the_item_is_oversold(warehouse: Warehouse) -> None:
    warehouse.receive(3)
    warehouse.reserve(5, "ty", even_if_short=True)
    row = queries.item(warehouse.tape)
    assert row and (row.available, row.oversold) == (0, 2)
    assert [r.barcode for r in queries.item_rows(queries.items(only_oversold=True))] == [TAPE]


def test_safety_is_held_back_from_marketplaces_only(warehouse: Warehouse) -> None:
    warehouse.receive(10)
    with atomic():
        stock.set_safety(stock.item_of(TAPE).item, 8, by=CEM, because="breaks easily")
    assert queries.available([TAPE]) == {TAPE: 2}
    assert warehouse.reserve(10)


def test_every_state_of_a_promise_can_be_reached(app: Flask) -> None:
    assert {to for targets in RESERVATION.moves.values() for to in targets} == set(Reserved)

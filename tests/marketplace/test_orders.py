"""Orders come, are reserved, change and end."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.marketplace.services import NotToBePacked
from portal.stock import services as stock
from portal.workflows import marketplace_orders
from tests.marketplace import Street, returns
from tests.stock import CEM, GLUE, TAPE, Warehouse, number, on_hand


def test_a_new_order_is_stored_and_only_reserves(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8))
    pulled = street.pull()
    assert (pulled.told, pulled.news) == (1, 1)
    assert street.ours(key).state == "CREATED"
    assert on_hand(warehouse.tape) == (50, 8)


def test_fifty_on_hand_and_eight_reserved_in_three_orders_leave_forty_two(street: Street, warehouse: Warehouse) -> None:
    for pieces in (3, 3, 2):
        street.order((TAPE, pieces))
    street.pull()
    assert stock_available() == 42


def stock_available() -> int:
    return number("SELECT qty - reserved FROM central_stock c JOIN stock_item i ON i.id = c.item_id"
                  f" WHERE barcode = '{TAPE}'")  # fmt: skip


def test_an_unpaid_order_reserves_but_is_not_packed(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 2), status="Awaiting")
    street.pull()
    assert on_hand(warehouse.tape) == (50, 2)
    with pytest.raises(NotToBePacked):
        street.pack(key, warehouse.tape, warehouse.a1, 2)
    assert on_hand(warehouse.tape) == (50, 2)


def test_a_barcode_with_spaces_here_is_found_without_them(street: Street) -> None:
    with atomic():
        spaced = stock.add_item("869 000 000 77", "Spaced").id
    (key,) = street.order(("86900000077", 1))
    street.pull()
    assert on_hand(spaced) == (0, 1)
    assert street.reserved(key) == 1


def test_a_case_that_is_sold_reserves_the_pieces_in_it(street: Street, warehouse: Warehouse) -> None:
    with atomic():
        stock.add_case(stock.item_of(TAPE).item, "CASE-12", 12)
    street.order(("CASE-12", 2))
    street.pull()
    assert on_hand(warehouse.tape) == (50, 24)


def test_an_unknown_barcode_is_stored_and_reserved_when_the_item_is_known(street: Street) -> None:
    (key,) = street.order(("NEW-THING", 3))
    street.pull()
    assert street.ours(key).state == "CREATED"
    assert street.reserved(key) == 0
    with atomic():
        item = stock.add_item("NEW-THING", "New thing").id
    street.pull()
    assert on_hand(item) == (0, 3)


def test_a_marketplace_that_sold_too_much_is_promised_it_all(street: Street, warehouse: Warehouse) -> None:
    street.order((TAPE, 30))
    street.order((TAPE, 30))
    street.pull()
    assert on_hand(warehouse.tape) == (50, 60)


def test_heard_again_it_is_the_same_package(street: Street, warehouse: Warehouse) -> None:
    street.order((TAPE, 8))
    for _again in range(3):
        street.pull()
    assert on_hand(warehouse.tape) == (50, 8)
    assert number("SELECT count(*) FROM storefront_package") == 1
    assert number("SELECT count(*) FROM storefront_word") == 1


@pytest.mark.parametrize("status", ["Cancelled", "UnSupplied"])
def test_what_is_cancelled_frees_what_it_reserved(street: Street, warehouse: Warehouse, status: str) -> None:
    (key,) = street.order((TAPE, 8))
    street.pull()
    street.becomes(key, status)
    street.pull()
    assert on_hand(warehouse.tape) == (50, 0)
    assert street.ours(key).state == status.upper()


def test_what_was_cancelled_before_we_heard_of_it_reserves_nothing(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8))
    street.becomes(key, "Cancelled")
    street.pull()
    assert on_hand(warehouse.tape) == (50, 0)


def test_a_partial_cancellation_frees_just_that_part(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 5), (GLUE, 2))
    street.pull()
    rest = street.cancels(key, (TAPE, 2))
    street.pull()
    assert rest != key
    assert street.states() == {key: "CANCELLED", rest: "CREATED"}
    assert (street.reserved(key), street.reserved(rest)) == (0, 5)
    assert (on_hand(warehouse.tape)[1], on_hand(warehouse.glue)[1]) == (3, 2)


def test_a_step_back_moves_nothing_but_is_written_down(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8), status="Shipped")
    street.pull()
    street.becomes(key, "Created")
    street.pull()
    assert street.ours(key).state == "SHIPPED"
    assert street.ours(key).words == "Created"
    assert number("SELECT count(*) FROM storefront_word") == 2


def test_an_unknown_word_moves_nothing_and_is_shown(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8))
    street.pull()
    street.becomes(key, "Teleported")
    street.pull()
    ours = street.ours(key)
    assert (ours.state, ours.words) == ("CREATED", "Teleported")
    assert ours.trouble != ""
    assert on_hand(warehouse.tape) == (50, 8)
    street.becomes(key, "Picking")
    street.pull()
    assert street.ours(key).trouble == ""


def test_a_package_first_heard_of_with_an_unknown_word_waits(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8), status="Repack")
    street.pull()
    assert street.ours(key).state == "UNKNOWN"
    assert on_hand(warehouse.tape) == (50, 0)
    street.becomes(key, "Created")
    street.pull()
    assert on_hand(warehouse.tape) == (50, 8)


def test_what_was_packed_and_then_cancelled_must_come_back(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8))
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 8)
    street.becomes(key, "Cancelled")
    street.pull()
    assert returns() == [(f"trendyol:{key}", 8, 0, "EXPECTED")]
    assert on_hand(warehouse.tape) == (42, 0)
    street.pull()
    assert len(returns()) == 1, "expected once"


def test_goods_that_came_back_lie_on_a_shelf_again_once(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8))
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 8)
    street.becomes(key, "Returned")
    street.pull()
    return_id = number("SELECT id FROM storefront_return")
    for act, pieces in (("r1", 5), ("r1", 5), ("r2", 3)):
        with atomic():
            marketplace_orders.goods_came_back(return_id, warehouse.b1, pieces, key=act, by=CEM)
    assert on_hand(warehouse.tape) == (50, 0)
    assert returns() == [(f"trendyol:{key}", 8, 8, "RECEIVED")]


def test_what_will_never_come_back_is_said_with_a_reason(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8))
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 8)
    street.becomes(key, "Returned")
    street.pull()
    return_id = number("SELECT id FROM storefront_return")
    with atomic():
        marketplace_orders.goods_are_not_coming(return_id, by=CEM, because="broken")
    assert returns()[0][3] == "LOST"
    street.pull()
    assert len(returns()) == 1


def test_an_item_added_later_is_set_aside_for_its_package_alone(street: Street, app: Flask) -> None:
    (known,) = street.order((TAPE, 1))
    (unknown,) = street.order(("LATER", 2))
    street.pull()
    with atomic():
        stock.add_item("LATER", "Later")
    street.pull()
    assert (street.reserved(known), street.reserved(unknown)) == (1, 2)
    db.session.rollback()


def test_settling_again_changes_nothing(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8))
    street.pull()
    for _again in range(2):
        with atomic():
            marketplace_orders.settle_again(street.ours(key).id, by=SYSTEM, because="again")
    assert on_hand(warehouse.tape) == (50, 8)

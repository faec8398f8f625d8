"""Splits: pieces are handed on, never promised twice and never free in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import current_app

from portal.core.database import db
from portal.core.errors import BadInput
from portal.core.ports import known
from portal.core.unit_of_work import atomic
from portal.marketplace import queries
from portal.marketplace.ports import StorefrontPackage, Storefronts
from portal.marketplace.services import AlreadySplit, NotToBePacked, database_now
from portal.workflows import marketplace_orders, provider_calls
from tests.marketplace import Street, returns
from tests.stock import CEM, GLUE, TAPE, Warehouse, number, on_hand


def line_ids(street: Street, key: str) -> list[int]:
    package_id = street.ours(key).id
    found = [line.id for line in queries.lines_of([package_id])[package_id]]
    db.session.rollback()
    return found


def split(street: Street, key: str, parcels: Sequence[Sequence[int]]) -> None:
    """Cem wants several parcels, and the dispatcher asks for them."""
    with atomic():
        wish = dict(zip(line_ids_inside(street, key), parcels, strict=True))
        marketplace_orders.split(street_id(street, key), wish, by=CEM)
    dispatch()


def street_id(street: Street, key: str) -> int:
    found = queries.package_by_key(street.storefront, key)
    assert found is not None
    return found.id


def line_ids_inside(street: Street, key: str) -> list[int]:
    package_id = street_id(street, key)
    return [line.id for line in queries.lines_of([package_id])[package_id]]


def dispatch() -> None:
    while provider_calls.dispatch_next():
        pass


def told(street: Street) -> dict[str, StorefrontPackage]:
    """Every package as the adapter tells it."""
    store = known(Storefronts).by_code[street.storefront]
    with atomic():
        now = database_now()
    page = store.listed_packages(now - timedelta(hours=1), now + timedelta(minutes=1))
    return {package.package_key: package for package in page.packages}


def learn(street: Street, *packages: StorefrontPackage) -> None:
    """One hears of them now, together."""
    with atomic():
        marketplace_orders.learn(street.storefront, packages, heard_by="hint", asked_at=database_now())


@pytest.fixture
def whole(street: Street) -> str:
    """Five pieces of tape and two of glue in one package, known to us."""
    (key,) = street.order((TAPE, 5), (GLUE, 2))
    street.pull()
    return key


def test_the_parts_of_a_split_take_over_what_the_whole_had_reserved(
    street: Street, warehouse: Warehouse, whole: str
) -> None:
    split(street, whole, [[2, 3], [2, 0]])
    for _pull in range(3):
        street.pull()
    assert sorted(street.states().values()) == ["CREATED", "CREATED", "UNPACKED"]
    assert street.reserved(whole) == 0
    assert (on_hand(warehouse.tape), on_hand(warehouse.glue)) == ((50, 5), (0, 2))


def split_over_there(street: Street, key: str) -> dict[str, StorefrontPackage]:
    """They split it; we have not heard of it yet. The packages, the whole first."""
    split(street, key, [[2, 3], [2, 0]])
    for _question in range(3):
        street.sandbox.http.get("/_sandbox/trendyol/packages")
        told(street)
    return told(street)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2), (2, 1, 0), (0, 2, 1)])
def test_in_whatever_order_one_hears_of_a_split_the_pieces_stay_reserved_once(
    street: Street, warehouse: Warehouse, whole: str, order: tuple[int, ...]
) -> None:
    found = split_over_there(street, whole)
    keys = [whole, *sorted(found.keys() - {whole})]
    for number_ in order:
        learn(street, found[keys[number_]])
        assert (on_hand(warehouse.tape), on_hand(warehouse.glue)) == ((50, 5), (0, 2))
    assert street.reserved(whole) == 0


def test_a_split_that_is_heard_of_at_once_is_one_step(street: Street, warehouse: Warehouse, whole: str) -> None:
    found = split_over_there(street, whole)
    learn(street, *found.values())
    assert on_hand(warehouse.tape) == (50, 5)
    assert street.reserved(whole) == 0


def test_the_naive_way_would_promise_twice(street: Street, warehouse: Warehouse, whole: str) -> None:
    """What this is good for: a successor that does not name its origin reserves beside it."""
    found = split_over_there(street, whole)
    for key in found.keys() - {whole}:
        orphan = found[key]
        learn(street, StorefrontPackage(**{**orphan.__dict__, "origin_keys": ()}))
    assert on_hand(warehouse.tape) == (50, 10)
    learn(street, found[whole])


def test_a_split_whose_parts_never_come_lets_go_after_a_while(street: Street, warehouse: Warehouse, whole: str) -> None:
    street.becomes(whole, "UnPacked")
    street.pull()
    assert street.ours(whole).state == "UNPACKED"
    assert on_hand(warehouse.tape) == (50, 5), "its parts may still come"
    current_app.config["STOREFRONT_SPLIT_MINUTES"] = 0
    with atomic():
        marketplace_orders.settle_again(street_id(street, whole), by=CEM, because="patience is over")
    assert on_hand(warehouse.tape) == (50, 0)


def test_a_whole_that_was_split_is_not_packed_any_more(street: Street, warehouse: Warehouse, whole: str) -> None:
    found = split_over_there(street, whole)
    learn(street, *(package for key, package in found.items() if key != whole))
    with pytest.raises(NotToBePacked):
        street.pack(whole, warehouse.tape, warehouse.a1, 5)


def test_goods_that_were_packed_go_with_the_parts(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 5))
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 5)
    split(street, key, [[2, 3]])
    for _pull in range(3):
        street.pull()
    states = street.states()
    assert states.pop(key) == "UNPACKED"
    assert sorted(states.values()) == ["PICKING", "PICKING"], "they are in their parcels already"
    assert on_hand(warehouse.tape) == (45, 0), "nothing is taken or promised a second time"
    assert returns() == []
    dispatch()
    assert {street.status(part) for part in states} == {"Picking"}


def test_what_is_cancelled_of_a_packed_part_comes_back_for_the_whole(street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 5))
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 5)
    rest = street.cancels(key, (TAPE, 2))
    street.pull()
    assert returns() == [(f"trendyol:{key}", 2, 0, "EXPECTED")]
    assert street.ours(rest).state == "PICKING"
    street.becomes(rest, "Returned")
    street.pull()
    assert returns() == [(f"trendyol:{key}", 2, 0, "EXPECTED"), (f"trendyol:{key}", 3, 0, "EXPECTED")]
    for return_id, pieces in ((number("SELECT min(id) FROM storefront_return"), 2),
                              (number("SELECT max(id) FROM storefront_return"), 3)):  # fmt: skip
        with atomic():
            marketplace_orders.goods_came_back(return_id, warehouse.a1, pieces, key=f"back-{return_id}", by=CEM)
    assert on_hand(warehouse.tape) == (50, 0)
    street.pull()
    assert [row[3] for row in returns()] == ["RECEIVED", "RECEIVED"]


def test_what_cannot_be_supplied_is_free_and_the_rest_is_a_new_package(
    street: Street, warehouse: Warehouse, whole: str
) -> None:
    with atomic():
        marketplace_orders.cannot_supply(street_id(street, whole), {line_ids_inside(street, whole)[0]: 2}, by=CEM)
    dispatch()
    street.pull()
    assert (on_hand(warehouse.tape)[1], on_hand(warehouse.glue)[1]) == (3, 2)


def test_parcels_that_do_not_add_up_are_refused(street: Street, whole: str) -> None:
    tape, glue = line_ids(street, whole)
    wrong: list[dict[int, Any]] = [
        {}, {tape: [5]}, {tape: [2, 2]}, {tape: [6, -1]}, {tape: [2, 3], glue: [2]}, {-1: [1, 1]}, {tape: []},
    ]  # fmt: skip
    for parcels in wrong:
        with pytest.raises(BadInput), atomic():
            marketplace_orders.split(street_id(street, whole), parcels, by=CEM)
    assert number("SELECT count(*) FROM provider_intent WHERE operation LIKE 'storefront%'") == 0


def test_the_same_wish_twice_is_one_and_another_is_refused(street: Street, whole: str) -> None:
    tape, _glue = line_ids(street, whole)
    for _again in range(2):
        with atomic():
            marketplace_orders.split(street_id(street, whole), {tape: [2, 3]}, by=CEM)
    with pytest.raises(AlreadySplit), atomic():
        marketplace_orders.split(street_id(street, whole), {tape: [1, 4]}, by=CEM)
    with pytest.raises(AlreadySplit), atomic():
        marketplace_orders.cannot_supply(street_id(street, whole), {tape: 1}, by=CEM)
    assert number("SELECT count(*) FROM provider_intent WHERE operation LIKE 'storefront%'") == 1


def test_a_split_they_refuse_leaves_the_package_to_be_packed(street: Street, warehouse: Warehouse, whole: str) -> None:
    street.sandbox.fault("update", "refuse", provider="trendyol")
    split(street, whole, [[2, 3], [2, 0]])
    ours = street.ours(whole)
    assert not ours.superseded
    assert "Sandbox" in ours.trouble
    street.work()
    with atomic():
        marketplace_orders.hold_for_packing(street_id(street, whole))

"""What is free is what storefronts may sell: sent at once, logged, and shown when they do not take it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import text

from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.errors import NotFound, Refusal
from portal.core.unit_of_work import atomic
from portal.marketplace.push import queries, rules
from portal.stock import services as stock
from portal.stock.rules import Level
from portal.workflows import marketplace_forgetting, stock_push
from tests.marketplace.pushing import GUL, HOUR, MINUTE, TRENDYOL, Shop, shop
from tests.stock import number

__all__ = ["shop"]


def test_fifty_on_hand_and_eight_reserved_are_forty_two_sent_and_logged(shop: Shop) -> None:
    shop.keeps(A1=50)
    shop.works()
    for pieces in (3, 4, 1):
        shop.sells("A1", pieces)
    shop.works()
    assert shop.believed() == {"A1": 42}
    last = shop.log()[-1]
    assert (last.storefront, last.kind) == (TRENDYOL, "CHANGED")
    assert (last.total_items, last.total_quantity, last.reserved_quantity, last.batch_count) == (1, 42, 8, 1)
    assert (last.success, last.error_message) == (True, "")
    assert last.push_time.tzinfo is not None
    assert last.duration_seconds is not None and Decimal(0) <= last.duration_seconds < 60
    shop.later(10)
    shop.works()
    row = shop.listing("A1")
    assert (row.sent, row.accepted, row.believed, row.expected, row.due_at) == (42, 42, 42, 42, None)
    assert queries.exposure_in_all() == (0, 0)


def test_lowest_stock_goes_first_and_batches_are_as_big_as_set(shop: Shop) -> None:
    shop.app.config["STOCK_PUSH_BATCH"] = 2
    shop.keeps(A1=30, B2=1, C3=9, D4=0, E5=70)
    shop.works()
    bodies = [[item["barcode"] for item in row["items"]] for row in shop.twin.world.store.all("trendyol_batch")]
    assert bodies == [["D4", "B2"], ["C3", "A1"], ["E5"]]
    (push,) = shop.log()
    assert (push.total_items, push.total_quantity, push.batch_count) == (5, 110, 3)


def test_never_below_zero_and_never_more_than_they_take(shop: Shop) -> None:
    shop.keeps(A1=3, B2=50_000)
    shop.sells("A1", 5)
    shop.works()
    assert shop.believed() == {"A1": 0, "B2": 20_000}
    assert shop.sent() == {"A1": 0, "B2": 20_000}


def test_safety_stock_is_not_offered(shop: Shop) -> None:
    shop.keeps(A1=10)
    item = stock.item_of("A1").item
    with atomic():
        stock.set_safety(item, 4, by=GUL, because="two shops")
    shop.works()
    assert shop.believed() == {"A1": 6}


def test_nothing_is_sent_when_nothing_changed(shop: Shop) -> None:
    shop.keeps(A1=10)
    shop.works()
    order = shop.sells("A1", 2)
    with atomic():
        stock.release(order, because="changed his mind")
    shop.works()
    assert [quantity for quantity, _result in shop.items("A1")] == [10]
    assert len(shop.log()) == 1


def test_moving_between_shelves_is_not_a_change(shop: Shop) -> None:
    shop.keeps(A1=10)
    item = shop.item("A1")
    shop.works()
    with atomic():
        other = stock.add_shelf("S-02").id
        stock.transfer(item, shop.shelf, other, 4, key="t", by=SYSTEM)
    assert number("SELECT count(*) FROM stock_change") == 0


def test_a_comparison_is_logged_even_when_it_finds_nothing(shop: Shop) -> None:
    shop.keeps(A1=10)
    shop.works()
    assert stock_push.compare_everything() == (1, 0)
    shop.works()
    assert [(push.kind, push.total_items, push.success) for push in shop.log()] == [
        ("CHANGED", 1, True),
        ("FULL", 0, True),
    ]


def test_a_comparison_finds_what_nobody_noted(shop: Shop) -> None:
    """Should a note ever be lost, ten minutes later it makes no difference."""
    shop.keeps(A1=10)
    shop.works()
    shop.sells("A1", 3)
    with atomic() as session:
        session.execute(text("DELETE FROM stock_change"))
    shop.works()
    assert shop.believed() == {"A1": 10}
    assert stock_push.compare_everything() == (1, 1)
    shop.works()
    assert shop.believed() == {"A1": 7}
    assert [push.kind for push in shop.log()] == ["CHANGED", "FULL"]


def test_what_somebody_changed_over_there_by_hand_is_found(shop: Shop) -> None:
    shop.keeps(A1=10)
    shop.works()
    shop.later(10)
    shop.works()
    shop.twin.lever("items", barcode="A1", quantity=99)
    shop.later(16 * MINUTE)
    stock_push.compare_everything()
    shop.works()
    assert shop.believed() == {"A1": 10}
    assert shop.listing("A1").believed == 99  # until the batch's result is asked for
    shop.later(10)
    shop.works()
    assert shop.listing("A1").believed == 10


def test_a_rejected_barcode_says_why_is_tried_again_and_then_waits_for_somebody(shop: Shop) -> None:
    shop.keeps(A1=10)
    shop.twin.lever("rules", reject_every=1)
    shop.works()
    shop.later(10)
    shop.works()
    row = shop.listing("A1")
    assert "kilitli" in row.rejection
    assert (row.attempts, row.needs_person, row.believed) == (1, False, None)
    for _try in range(5):
        shop.later(5 * HOUR)
        shop.works()
        shop.later(10)
        shop.works()
    row = shop.listing("A1")
    assert (row.attempts, row.needs_person) == (6, True)
    sendings = len(shop.items("A1"))
    shop.days_go_by(hours=1)
    assert len(shop.items("A1")) == sendings
    shop.twin.lever("rules", reject_every=0)
    stock_push.try_again(row.id, by=GUL)
    shop.works()
    shop.later(10)
    shop.works()
    row = shop.listing("A1")
    assert (row.rejection, row.needs_person, row.believed) == ("", False, 10)


def test_a_new_number_is_a_new_chance(shop: Shop) -> None:
    shop.keeps(A1=10)
    shop.twin.lever("rules", reject_every=1)
    for _try in range(6):
        shop.works()
        shop.later(10)
        shop.works()
        shop.later(5 * HOUR)
    assert shop.listing("A1").needs_person
    shop.twin.lever("rules", reject_every=0)
    shop.sells("A1", 1)
    shop.works()
    assert shop.believed() == {"A1": 9}
    assert not shop.listing("A1").needs_person


def test_nothing_to_try_again(shop: Shop) -> None:
    shop.keeps(A1=10)
    shop.works()
    with pytest.raises(Refusal):
        stock_push.try_again(shop.listing("A1").id, by=GUL)
    with pytest.raises(NotFound):
        stock_push.try_again(10**9, by=GUL)


def test_a_barcode_they_do_not_know_is_shown_as_such(shop: Shop) -> None:
    with atomic():
        stock.add_item("STRANGER", "Onlarda yok")
    shop.works()
    shop.later(10)
    shop.works()
    assert "bulunamadı" in shop.listing("STRANGER").rejection


def test_what_is_not_offered_is_left_alone(shop: Shop) -> None:
    shop.keeps(A1=10)
    shop.works()
    stock_push.offer(shop.listing("A1").id, on_sale=False, by=GUL)
    shop.sells("A1", 1)
    shop.days_go_by(hours=1)
    assert shop.believed() == {"A1": 10}
    stock_push.offer(shop.listing("A1").id, on_sale=True, by=GUL)
    shop.works()
    shop.later(60)
    shop.works()
    assert shop.believed() == {"A1": 9}
    # In time only the last word about a barcode is kept, and that there was a push.
    said, pushes = shop.items("A1"), len(shop.log())
    assert marketplace_forgetting.forget()["push lines"] == 0
    with atomic() as session:
        session.execute(text("UPDATE stock_push_log SET push_time = push_time - interval '91 days'"))
        session.execute(text("UPDATE stock_push_batch SET sent_at = sent_at - interval '91 days'"))
    assert marketplace_forgetting.forget()["push lines"] == len(said) - 1 > 0
    assert (shop.items("A1"), len(shop.log())) == (said[-1:], pushes)


@pytest.mark.parametrize(
    ("free", "may_believe", "exposed"),
    [(42, [42], 0), (42, [50], 8), (0, [3], 3), (-5, [3], 3), (5, [5, 5], 5), (5, [], 0), (9, [3, 4], 0)],
)
def test_exposure(free: int, may_believe: list[int], exposed: int) -> None:
    assert rules.exposure(free, may_believe) == exposed


def test_exposure_of_the_page_is_the_rule(shop: Shop) -> None:
    """Believed, on its way, and two storefronts with the same pieces."""
    second = shop.twin.storefront()
    second.code = "second"
    shop.play(shop.front, second)
    shop.app.config["STOCK_PUSH_BATCH"] = 10
    shop.keeps(A1=10, B2=4)
    shop.works()
    assert queries.exposure_in_all() == (14, 2)
    shop.sells("A1", 3)
    db.session.rollback()
    rows = queries.listing_rows(queries.listings())
    assert {(row.barcode, row.storefront): row.exposure for row in rows} == {
        ("A1", TRENDYOL): rules.exposure(7, [10, 10]), ("A1", "second"): rules.exposure(7, [10, 10]),
        ("B2", TRENDYOL): rules.exposure(4, [4, 4]), ("B2", "second"): rules.exposure(4, [4, 4]),
    }  # fmt: skip
    assert sum(queries.counts().values()) == 4
    db.session.rollback()


def test_the_view_says_what_the_rule_says(shop: Shop) -> None:
    numbers = [(qty, reserved, safety) for qty in (0, 3, 9) for reserved in (0, 3, 12) for safety in (0, 2)]
    with atomic() as session:
        for at, (qty, reserved, safety) in enumerate(numbers):
            item = stock.add_item(f"V{at}", "x").id
            update = "UPDATE central_stock SET qty = :q, reserved = :r, safety = :s WHERE item_id = :i"
            session.execute(text(update), {"q": qty, "r": reserved, "s": safety, "i": item})
    rows = db.session.execute(text("SELECT qty, reserved, safety, available, free, oversold FROM stock_level")).all()
    assert len(rows) == len(numbers)
    for qty, reserved, safety, available, free, oversold in rows:
        level = Level(qty, reserved, safety)
        assert (available, free, oversold) == (level.available, level.free, level.oversold)
    with atomic() as session:  # these quantities have no movements: gone before anybody asks for their proof
        session.execute(text("UPDATE central_stock SET qty = 0, reserved = 0"))


@pytest.mark.parametrize(("refusals", "size"), [(0, 100), (1, 10), (2, 1), (3, 1), (50, 1)])
def test_a_refused_batch_shrinks_until_one_is_alone(refusals: int, size: int) -> None:
    assert rules.batch_size(100, 1000, refusals) == size


def test_the_storefronts_cap_is_kept() -> None:
    assert rules.batch_size(5000, 1000, 0) == 1000


def test_the_same_body_is_recognised_whatever_its_order() -> None:
    assert rules.digest_of([("A 1", 2), ("B", 3)]) == rules.digest_of([("B", 3), ("A1", 2)])
    assert rules.digest_of([("A1", 2)]) != rules.digest_of([("A1", 3)])

"""What is free is what storefronts may sell: sent at once, logged, and shown when they do not take it."""

from __future__ import annotations

from decimal import Decimal

from portal.marketplace.push import queries
from tests.marketplace.pushing import TRENDYOL, Shop, shop

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

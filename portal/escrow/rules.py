"""How a refund is shared: pure sums."""

from __future__ import annotations

from typing import NamedTuple

from portal.core.money import Money


class RefundParts(NamedTuple):
    """Who gives back how much."""

    seller: Money
    commission: Money


def refund_parts(
    refund: Money, *, amount: Money, seller_share: Money, refunded: Money, refunded_seller: Money
) -> RefundParts:
    """The refund mirrors the original split. Whatever the steps, after a full refund both parts are exact.

    Cumulative: the seller's part of everything refunded so far is rounded down once, so many small refunds
    never add up to another kuruş than one big one.
    """
    assert 0 < refund.kurus <= amount.kurus - refunded.kurus
    seller_so_far = seller_share.kurus * (refunded.kurus + refund.kurus) // amount.kurus
    seller = Money(seller_so_far - refunded_seller.kurus)
    return RefundParts(seller, refund - seller)

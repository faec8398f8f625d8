"""What an order costs and who gets what of it: pure sums."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from portal.core.money import Money, total


class Split(NamedTuple):
    """How one line's money is shared between seller and platform."""

    seller_share: Money
    commission: Money


def split_lines(line_totals: list[Money], commission_percent: Decimal) -> list[Split]:
    """The order's commission is taken once from its total and shared over the lines to the last kuruş."""
    commission = total(line_totals).share(commission_percent)
    shares = commission.split([line.kurus for line in line_totals])
    return [Split(line - share, share) for line, share in zip(line_totals, shares, strict=True)]

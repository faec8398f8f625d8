"""Money is counted: it is never lost and never made."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.money import Money, from_lira, total
from portal.escrow.rules import refund_parts
from portal.orders.rules import split_lines

amounts = st.integers(min_value=0, max_value=10**15)


@given(amounts, st.lists(st.integers(0, 10**6), min_size=1, max_size=200).filter(any))
def test_a_split_adds_up_to_the_last_kurus(kurus: int, weights: list[int]) -> None:
    parts = Money(kurus).split(weights)
    assert total(parts) == Money(kurus)
    assert all(
        abs(part.kurus * sum(weights) - kurus * w) < sum(weights) for part, w in zip(parts, weights, strict=True)
    )


def test_the_odd_kurus_goes_to_the_largest_remainder_and_then_to_the_first() -> None:
    assert Money(100).split([1, 1, 1]) == [Money(34), Money(33), Money(33)]
    assert Money(10).split([1, 5, 1]) == [Money(2), Money(7), Money(1)]


@pytest.mark.parametrize(
    ("kurus", "percent", "share"),
    [(1000, "8.5", 85), (999, "8.5", 85), (1, "50", 1), (0, "8.5", 0), (10**15, "8.5", 85 * 10**12)],
)
def test_half_a_kurus_goes_up(kurus: int, percent: str, share: int) -> None:
    assert Money(kurus).share(Decimal(percent)) == Money(share)


def test_a_float_is_not_money() -> None:
    with pytest.raises(AssertionError):
        Money(10.5)  # type: ignore[arg-type]


def test_lira_with_a_third_decimal_is_refused() -> None:
    assert from_lira("10.50") == Money(1050)
    with pytest.raises(ValueError, match="whole number"):
        from_lira("10.505")


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50), st.decimals(0, 100, places=2))
def test_the_commission_of_the_lines_is_the_commission_of_the_order(lines: list[int], percent: Decimal) -> None:
    splits = split_lines([Money(line) for line in lines], percent)
    assert total([s.commission for s in splits]) == Money(sum(lines)).share(percent)
    assert all(s.seller_share + s.commission == Money(line) for s, line in zip(splits, lines, strict=True))
    assert all(s.seller_share.kurus >= 0 and s.commission.kurus >= 0 for s in splits)


@given(st.data())
def test_refunds_in_any_steps_mirror_the_split_exactly_in_the_end(data: st.DataObject) -> None:
    amount = data.draw(st.integers(1, 10**9))
    seller_share = data.draw(st.integers(0, amount))
    refunded = refunded_seller = 0
    while refunded < amount:
        step = data.draw(st.integers(1, amount - refunded))
        parts = refund_parts(
            Money(step),
            amount=Money(amount),
            seller_share=Money(seller_share),
            refunded=Money(refunded),
            refunded_seller=Money(refunded_seller),
        )
        assert parts.seller.kurus >= 0
        assert parts.commission.kurus >= 0
        refunded += step
        refunded_seller += parts.seller.kurus
        assert refunded_seller <= seller_share
        if data.draw(st.booleans()):
            continue
        if refunded < amount:
            step = amount - refunded
            last = refund_parts(
                Money(step),
                amount=Money(amount),
                seller_share=Money(seller_share),
                refunded=Money(refunded),
                refunded_seller=Money(refunded_seller),
            )
            assert refunded_seller + last.seller.kurus == seller_share
            return
    assert refunded_seller == seller_share

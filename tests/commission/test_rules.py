"""Sums, as tables and as properties: every kuruş of a pool is somebody's, every half goes where the rule says."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.commission.rules import Share, Sums, Terms, allocate, pool_of, rounded
from portal.commission.states import DealRole, Method, Rounding

HALF_UP, BANKERS = Rounding.ROUND_HALF_UP, Rounding.BANKERS
AGENT, LEADER = DealRole.AGENT, DealRole.LEADER
HUGE = 10**15


def amounts(pool: int, *bps: int) -> list[int]:
    """What each share gets, by position; the SYSTEM last if it gets anything."""
    shares = [Share(number, part, person_id=number) for number, part in enumerate(bps, start=1)]
    return [part.amount_minor for part in allocate(pool, shares, {})]


@pytest.mark.parametrize(
    ("pool", "bps", "expected"),
    [
        (100, (5000, 5000), [50, 50]),
        (1, (5000, 5000), [1, 0]),  # a tie: the earlier position
        (1, (2500, 2500, 2500, 2500), [1, 0, 0, 0]),
        (3, (2500, 2500, 2500, 2500), [1, 1, 1, 0]),
        (1, (3333, 3333, 3334), [0, 0, 1]),  # the largest remainder
        (10, (3333, 3333, 3334), [3, 3, 4]),
        (0, (5000, 5000), [0, 0]),
        (100, (0, 10000), [0, 100]),
        (1, (5000,), [1, 0]),  # a tie with the SYSTEM: the person
        (1, (4999,), [0, 1]),
        (100, (7000, 2000), [70, 20, 10]),
        (99, (), [99]),  # nobody has a claim: all of it stays
        (HUGE, (3333, 3333, 3334), [333_300_000_000_000, 333_300_000_000_000, 333_400_000_000_000]),
        (HUGE + 1, (3333, 3333, 3334), [333_300_000_000_000, 333_300_000_000_000, 333_400_000_000_001]),
    ],
)
def test_largest_remainder(pool: int, bps: tuple[int, ...], expected: list[int]) -> None:
    assert amounts(pool, *bps) == expected


def test_two_hundred_shares_of_one_kurus_and_of_a_million() -> None:
    assert amounts(1, *[50] * 200) == [1, *[0] * 199]
    assert amounts(1_000_000_01, *[50] * 200) == [500_001, *[500_000] * 199]


def test_a_part_is_shared_equally_and_an_empty_one_stays() -> None:
    shares = [Share(1, 6000, role=AGENT), Share(2, 4000, role=LEADER)]
    parts = allocate(100, shares, {AGENT: [7, 5, 6]})
    assert [(p.person_id, p.amount_minor) for p in parts] == [(5, 20), (6, 20), (7, 20), (None, 40)]
    assert parts[-1].bps == 4000


def test_a_policy_never_gives_more_than_there_is() -> None:
    with pytest.raises(AssertionError):
        amounts(100, 6000, 5000)


@pytest.mark.parametrize(
    ("numerator", "half_up", "bankers"),
    [
        (0, 0, 0),
        (4, 0, 0),
        (5, 1, 0),
        (6, 1, 1),
        (14, 1, 1),
        (15, 2, 2),
        (16, 2, 2),
        (25, 3, 2),
        (35, 4, 4),
        (45, 5, 4),
    ],
)
def test_every_half(numerator: int, half_up: int, bankers: int) -> None:
    assert (rounded(numerator, 10, HALF_UP), rounded(numerator, 10, BANKERS)) == (half_up, bankers)


@pytest.mark.parametrize(
    ("percent", "rule", "base", "pool"),
    [
        ("3", HALF_UP, 100_00, 3_00),
        ("2.5", HALF_UP, 1_00, 3),  # 2,5 kuruş
        ("2.5", BANKERS, 1_00, 2),
        ("3.5", BANKERS, 1_00, 4),
        ("0.0001", HALF_UP, HUGE, 10**9),
        ("100", BANKERS, HUGE + 1, HUGE + 1),
        ("0", HALF_UP, HUGE, 0),
        ("33.3333", HALF_UP, HUGE, 333_333_000_000_000),
    ],
)
def test_a_percentage_makes_a_pool(percent: str, rule: Rounding, base: int, pool: int) -> None:
    assert pool_of(Terms(Method.PERCENTAGE, Decimal(percent), rule, None), base) == pool


def test_a_fixed_policy_does_not_ask_for_the_base() -> None:
    assert pool_of(Terms(Method.FIXED, None, None, 1_500_00), 1) == 1_500_00


@given(st.integers(0, 10**17), st.integers(0, 1_000_000))
def test_rounding_is_what_decimals_say(base: int, steps: int) -> None:
    rate = Decimal(steps) / 10_000
    exact = Decimal(base) * rate / 100
    for rule, decimals in ((HALF_UP, ROUND_HALF_UP), (BANKERS, ROUND_HALF_EVEN)):
        assert pool_of(Terms(Method.PERCENTAGE, rate, rule, None), base) == int(exact.quantize(Decimal(1), decimals))


@st.composite
def splits(draw: st.DrawFn) -> tuple[int, list[Share], dict[DealRole, list[int]]]:
    """A pool, shares that fit, and people in parts."""
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), max_size=200)))
    bps = [b - a for a, b in zip([0, *cuts], cuts, strict=False)]
    roles = st.sampled_from([None, *DealRole])
    shares = [
        Share(n, part, None, role) if (role := draw(roles)) else Share(n, part, person_id=draw(st.integers(1, 9)))
        for n, part in enumerate(bps, start=1)
    ]
    cast = {role: draw(st.lists(st.integers(1, 50), max_size=7, unique=True)) for role in DealRole}
    return draw(st.integers(0, HUGE)), shares, cast


@settings(max_examples=200, deadline=None)
@given(splits(), st.integers())
def test_the_parts_always_add_up_and_do_not_depend_on_the_order_of_the_input(
    split: tuple[int, list[Share], dict[DealRole, list[int]]], chance: int
) -> None:
    pool, shares, cast = split
    parts = allocate(pool, shares, cast)
    assert sum(part.amount_minor for part in parts) == pool
    assert all(part.amount_minor >= 0 for part in parts)
    shuffled = list(shares)
    Random(chance).shuffle(shuffled)
    for people in cast.values():
        Random(chance).shuffle(people)
    assert allocate(pool, shuffled, cast) == parts


@settings(max_examples=100, deadline=None)
@given(splits())
def test_nobody_is_a_kurus_away_from_what_is_exact(split: tuple[int, list[Share], dict[DealRole, list[int]]]) -> None:
    pool, shares, cast = split
    for part in allocate(pool, shares, cast):
        if part.person_id is not None:
            heads = len(cast[part.role]) if part.role else 1
            assert abs(part.amount_minor * 10_000 * heads - pool * part.bps) < 10_000 * heads


def test_what_is_outstanding() -> None:
    assert Sums(earned=100, paid=30, reversed=20, adjusted=5).outstanding == 55

"""Aging: the spec's row, the worked cases, and any ledger at all against a slow oracle."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.receivables import months, rules
from portal.receivables.rules import Aged, Mode, MonthOwed, OpenItemsDisagree, aged, aged_open_items, still_open

ONC, SUB, MAR, NIS, MAY = 202501, 202502, 202503, 202504, 202505
SHOWN = (SUB, MAR, NIS, MAY)


def lira(text: str) -> int:
    """Kuruş."""
    return int(Decimal(text.replace(",", "")) * 100)


def case(*rows: tuple[int, str, str]) -> list[MonthOwed]:
    """Months from lira."""
    return [MonthOwed(month, lira(owed), lira(paid)) for month, owed, paid in rows]


def result(balance: str, before: str, *shown: str) -> Aged:
    """An answer from lira."""
    return Aged(lira(balance), lira(before), tuple(lira(amount) for amount in shown))


DEBTS = ((SUB, "354,300.50", "0"), (MAR, "400,000", "0"), (MAY, "50,000", "0"))
CASES = {
    "E1, the specification's row": (
        case((ONC, "500,000", "300,000"), *DEBTS, (NIS, "250,000", "0")),
        result("1254300.50", "200000", "354300.50", "400000", "250000", "50000"),
    ),
    "E2, paid in another month": (
        case((ONC, "500,000", "0"), *DEBTS, (NIS, "250,000", "300,000")),
        result("1254300.50", "200000", "354300.50", "400000", "250000", "50000"),
    ),
    "E3, paid before the debts": (
        case((ONC, "100", "0"), (SUB, "0", "150"), (NIS, "80", "0"), (MAY, "20", "0")),
        result("50", "0", "0", "0", "30", "20"),
    ),
    "E4, paid too much": (case((ONC, "100", "0"), (MAY, "0", "130")), result("-30", "0", "0", "0", "0", "0")),
    "E5, a published supplier": (
        case((ONC, "2790374.86", "0"), (SUB, "1199686.23", "390000"), (MAR, "1095480.05", "750000"), (MAY, "0", "1250000")),
        result("2695541.14", "400374.86", "1199686.23", "1095480.05", "0", "0"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_worked_cases(name: str) -> None:
    sums, wanted = CASES[name]
    assert aged(sums, SHOWN) == wanted


def test_only_the_literal_net_shows_a_month_below_zero_and_it_still_adds_up() -> None:
    sums, _fifo = CASES["E2, paid in another month"]
    net = aged(sums, SHOWN, Mode.NET_SIGNED)
    assert net == result("1254300.50", "500000", "354300.50", "400000", "-50000", "50000")
    assert net.before + sum(net.shown) == net.balance


def test_credit_is_kept_and_said_apart() -> None:
    answer = aged(CASES["E4, paid too much"][0], SHOWN)
    assert (answer.balance, answer.in_credit) == (-3000, 3000)


def test_a_line_below_zero_stands_on_the_other_side() -> None:
    assert rules.sides(500, raises=True) == (500, 0)
    assert rules.sides(-500, raises=True) == (0, 500)
    assert rules.sides(500, raises=False) == (0, 500)
    assert rules.sides(-500, raises=False) == (500, 0)
    # Months 1000/1000, -200, 500: the plain loop answers with -200 in a month.
    lines = [(ONC, 1000, True), (ONC, 1000, False), (SUB, -200, True), (MAR, 500, True)]
    sums = [MonthOwed(month, *rules.sides(amount, raises=raises)) for month, amount, raises in lines]
    assert aged(sums, SHOWN) == Aged(300, 0, (0, 300, 0, 0))


def test_open_items_are_shown_only_when_they_are_the_balance() -> None:
    items = [MonthOwed(ONC, 500, 0), MonthOwed(MAR, 300, 100), MonthOwed(202506, 900, 0)]
    assert aged_open_items(items, SHOWN, balance=1600) == Aged(1600, 500, (0, 200, 0, 0), 900)
    with pytest.raises(OpenItemsDisagree):
        aged_open_items(items, SHOWN, balance=1601)


# Any ledger at all ------------------------------------------------------------------------------------------

LINES = st.lists(
    st.tuples(st.integers(0, 14), st.integers(-(10**9), 10**9), st.booleans()), max_size=60
)  # which month, how much, debit or credit


def oracle(lines: list[tuple[int, int, bool]], shown: tuple[int, ...]) -> tuple[int, dict[int, int]]:
    """Kuruş heaps, closed one after the other as an accountant would: no closed form, no sums per month."""
    heaps = []
    money = 0
    for month, amount, debit in sorted(lines, key=lambda line: line[0]):
        if (amount > 0) == debit:
            heaps.append([month, abs(amount)])
        else:
            money += abs(amount)
    balance = sum(heap[1] for heap in heaps) - money
    for heap in heaps:
        closes = min(heap[1], money)
        heap[1] -= closes
        money -= closes
    found = dict.fromkeys((0, *shown), 0)
    for month, left in heaps:
        found[month if month in found else 0] += left
    return balance, found


@settings(max_examples=400, deadline=None, database=None, derandomize=True)
@given(LINES, st.integers(1, 6))
def test_any_ledger_ages_as_the_slow_way_says(lines: list[tuple[int, int, bool]], count: int) -> None:
    all_months = months.up_to(MAY, 15)
    shown = months.up_to(MAY, count)
    dated = [(all_months[place], amount, debit) for place, amount, debit in lines]
    sums = [MonthOwed(month, *rules.sides(amount, raises=debit)) for month, amount, debit in dated]
    answer = aged(sums, shown)
    balance, found = oracle(dated, shown)
    assert answer == Aged(balance, found[0], tuple(found[month] for month in shown))
    assert answer.before + sum(answer.shown) == max(answer.balance, 0)
    assert min(answer.before, *answer.shown) >= 0
    net = aged(sums, shown, Mode.NET_SIGNED)
    assert net.before + sum(net.shown) == net.balance == answer.balance


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=30), st.integers(0, 100))
def test_the_documents_of_a_bucket_add_up_to_it(owed: list[int], percent: int) -> None:
    open_sum = sum(owed) * percent // 100
    parts = still_open(owed, open_sum=open_sum)
    assert sum(parts) == open_sum
    assert all(0 <= part <= whole for part, whole in zip(parts, owed, strict=True))
    untouched = [part == whole for part, whole in zip(parts, owed, strict=True) if whole]
    assert untouched == sorted(untouched) or sum(0 < p < o for p, o in zip(parts, owed, strict=True)) <= 1


@pytest.mark.parametrize(
    ("today", "shown"),
    [
        (date(2025, 5, 15), "Sub25 Mar25 Nis25 May25"),
        (date(2026, 1, 1), "Eki25 Kas25 Ara25 Oca26"),
        (date(2026, 2, 28), "Kas25 Ara25 Oca26 Sub26"),
        (date(2026, 3, 31), "Ara25 Oca26 Sub26 Mar26"),
        (date(2024, 2, 29), "Kas23 Ara23 Oca24 Sub24"),
        (date(2026, 12, 31), "Eyl26 Eki26 Kas26 Ara26"),
    ],
)
def test_the_last_four_months_over_the_turn_of_the_year(today: date, shown: str) -> None:
    assert " ".join(months.name(month) for month in months.up_to(months.month_of(today), 4)) == shown


def test_every_month_has_its_name_and_its_last_day() -> None:
    assert " ".join(months.name(month) for month in months.run_of(202501, 202512)) == (
        "Oca25 Sub25 Mar25 Nis25 May25 Haz25 Tem25 Agu25 Eyl25 Eki25 Kas25 Ara25"
    )
    assert months.last_day(202402) == date(2024, 2, 29)
    assert months.last_day(202502) == date(2025, 2, 28)
    assert months.last_day(202512) == date(2025, 12, 31)
    assert months.run_of(202511, 202602) == (202511, 202512, 202601, 202602)

"""Values as drivers bring them, made ours. A value that makes no sense is UNREADABLE, never a guess."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any

from portal.receivables.ports import LedgerUnreadable, Reason

EXACT = Context(prec=60)  # more digits than any ERP's decimal has
HALF_KURUS = 5_000  # in millionths of a lira


def micro(value: Any) -> int:
    """Millionths of a lira. Sums are decimal or nothing: a float would have lost its kuruş on the way."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value * 1_000_000
    if not isinstance(value, Decimal) or not value.is_finite():
        raise LedgerUnreadable(Reason.UNREADABLE, clue=f"an amount came as {type(value).__name__}")
    millionths = value.scaleb(6, EXACT)
    whole = int(millionths)
    return whole if whole == millionths else int(millionths.to_integral_value(ROUND_HALF_UP))


def kurus(millionths: int) -> int:
    """Whole kuruş, half up away from zero (facts: ERP §3.5)."""
    rounded = (abs(millionths) + HALF_KURUS) // 10_000
    return rounded if millionths >= 0 else -rounded


def day(value: Any) -> date | None:
    """A business date; ERPs keep it with a time of midnight."""
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    raise LedgerUnreadable(Reason.UNREADABLE, clue=f"a date came as {type(value).__name__}")


@lru_cache(maxsize=4096)
def month(number: Any) -> date | None:
    """202505 is May 2025; 0 is what was carried in."""
    if not number:
        return None
    try:
        return date(int(number) // 100, int(number) % 100, 1)
    except ValueError:
        raise LedgerUnreadable(Reason.UNREADABLE, clue=f"month {number}") from None


def month_number(first: date | None) -> int:
    """The other way round."""
    return first.year * 100 + first.month if first else 0


def text(value: Any) -> str:
    """Words without the blanks that fixed columns carry."""
    return str(value).strip() if value is not None else ""


def code(value: Any) -> str:
    """An account's code, as it is written: blanks in it are an oddity, not ours to mend. Refuses none at all."""
    if not isinstance(value, str) or not value.strip():
        raise LedgerUnreadable(Reason.UNREADABLE, clue="a row without an account code")
    return value.rstrip()


def in_kurus(amounts: Iterable[int]) -> list[int]:
    """Single amounts such that they add up to the rounded sum: each takes what its running total gains."""
    found, exact, told = [], 0, 0
    for amount in amounts:
        exact += amount
        found.append(kurus(exact) - told)
        told += found[-1]
    return found

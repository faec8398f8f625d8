"""Money is counted, not measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True, order=True)
class Money:
    """Whole kuruş. There is no half of one, so there is nothing to round by accident."""

    kurus: int

    def __post_init__(self) -> None:
        assert isinstance(self.kurus, int) and not isinstance(self.kurus, bool), "money is counted in whole kuruş"

    def __add__(self, other: Money) -> Money:
        return Money(self.kurus + other.kurus)

    def __sub__(self, other: Money) -> Money:
        return Money(self.kurus - other.kurus)

    def times(self, pieces: int) -> Money:
        """The price of several pieces."""
        return Money(self.kurus * pieces)

    def share(self, percent: Decimal) -> Money:
        """The named place where a rate meets an amount; half a kuruş goes up."""
        return Money(int((self.kurus * percent / 100).quantize(Decimal(1), ROUND_HALF_UP)))

    def split(self, weights: Sequence[int]) -> list[Money]:
        """In proportion, to the last kuruş (largest remainder, earlier first on a tie): the parts add up."""
        whole = sum(weights)
        assert whole > 0 and self.kurus >= 0 and min(weights) >= 0
        parts = [self.kurus * weight // whole for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(self.kurus * weights[i] % whole), i))
        for i in by_remainder[: self.kurus - sum(parts)]:
            parts[i] += 1
        assert sum(parts) == self.kurus
        return [Money(part) for part in parts]

    def as_decimal(self) -> Decimal:
        """In lira, for the edges that want a decimal number: 1050 kuruş is 10.50."""
        return Decimal(self.kurus).scaleb(-2)


def from_lira(text: str | Decimal | int) -> Money:
    """Read a lira amount; fractions of a kuruş are refused rather than rounded."""
    kurus = Decimal(text).scaleb(2)
    if kurus != kurus.to_integral_value():
        raise ValueError(f"{text} is not a whole number of kuruş")
    return Money(int(kurus))


def total(amounts: Sequence[Money]) -> Money:
    """The sum of amounts; nothing adds up to zero."""
    return Money(sum(amount.kurus for amount in amounts))

"""What a deal is worth to whom: pure sums in whole kuruş, the same for snapshot, rehearsal and explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import lcm
from typing import Any, NamedTuple

from portal.commission.states import BaseSource, DealRole, Method, Rounding
from portal.core.money import Money

PERCENT_STEPS = 10_000  # a rate has four digits after the point: %3.2500
WHOLE_BPS = 10_000  # shares are hundredths of a percent of the pool


class Base(NamedTuple):
    """The amount a commission is reckoned from, in kuruş, and where it was found."""

    amount_minor: int
    source: BaseSource


class UnreadableBase(ValueError):
    """The lead's answer is there, and is no amount in kuruş."""


def base_amount(answers: Mapping[str, Any], listing_price: int | None, sale_price: int | None) -> Base | None:
    """The first that exists: the lead's answer, the listing's price, the sale price (spec §6). None: missing."""
    answered = (answers.get("closeSummary") or {}).get("commissionBaseAmount")
    if answered is not None:
        return Base(_whole_kurus(answered), BaseSource.LEAD_ANSWER)
    if listing_price is not None:
        return Base(listing_price, BaseSource.LISTING_PRICE)
    return None if sale_price is None else Base(sale_price, BaseSource.SALE_PRICE)


def _whole_kurus(answered: object) -> int:
    """Forms answer with numbers or with digits; anything else must not be guessed at."""
    text = str(answered).strip()
    if isinstance(answered, bool) or not isinstance(answered, int | str) or not (text.isascii() and text.isdigit()):
        raise UnreadableBase(text[:60])
    if (amount := int(text)) >= 2**53:
        raise UnreadableBase(text[:60])
    return amount


class Terms(NamedTuple):
    """How a policy makes a pool of a base."""

    method: Method
    percent: Decimal | None
    rounding: Rounding | None
    fixed_minor: int | None


def pool_of(terms: Terms, base_minor: int) -> int:
    """The kuruş to be shared. Reckoned in whole numbers, so that no precision can run out."""
    if terms.method == Method.FIXED:
        assert terms.fixed_minor is not None
        return terms.fixed_minor
    assert terms.percent is not None and terms.rounding is not None
    steps = int(terms.percent * PERCENT_STEPS)
    return rounded(base_minor * steps, 100 * PERCENT_STEPS, terms.rounding)


def rounded(numerator: int, denominator: int, rule: Rounding) -> int:
    """A fraction of kuruş as whole kuruş; numerator is never negative."""
    whole, rest = divmod(numerator, denominator)
    if 2 * rest == denominator:
        return whole + 1 if rule == Rounding.ROUND_HALF_UP else whole + whole % 2
    return whole + (2 * rest > denominator)


class Share(NamedTuple):
    """What a policy gives: hundredths of a percent of the pool, to a person or to whoever plays a part."""

    position: int
    bps: int
    person_id: int | None = None
    role: DealRole | None = None

    @property
    def percent(self) -> Decimal:
        """As people say it."""
        return Decimal(self.bps) / 100


class Part(NamedTuple):
    """One line of an allocation. `person_id` None is the SYSTEM line: what nobody has a claim to."""

    person_id: int | None
    role: DealRole | None
    position: int
    bps: int
    amount_minor: int


class _Claim(NamedTuple):
    share: Share
    person_id: int
    weight: int


def allocate(pool_minor: int, shares: Sequence[Share], cast: Mapping[DealRole, Sequence[int]]) -> list[Part]:
    """Share the pool by largest remainder; the parts always add up to it, whatever the order of the input.

    A part played by several people is shared equally among them; one nobody plays, and what the policy
    leaves over, goes to the SYSTEM line. On a tie the earlier position comes first, then the lower person id,
    and SYSTEM last.
    """
    players = {role: sorted(set(people)) for role, people in cast.items()}
    unit = lcm(*(max(1, len(players.get(s.role, ()))) for s in shares if s.role), 1)
    claims = sorted(_claims(shares, players, unit), key=lambda c: (c.share.position, c.person_id))
    whole = WHOLE_BPS * unit
    left_over = whole - sum(claim.weight for claim in claims)
    assert left_over >= 0, "a policy gives more than there is"
    amounts = [part.kurus for part in Money(pool_minor).split([*(claim.weight for claim in claims), left_over])]
    parts = [
        Part(claim.person_id, claim.share.role, claim.share.position, claim.share.bps, amount)
        for claim, amount in zip(claims, amounts, strict=False)
    ]
    if left_over:
        parts.append(Part(None, None, len(shares) + 1, left_over * WHOLE_BPS // whole, amounts[-1]))
    return parts


def _claims(shares: Sequence[Share], players: Mapping[DealRole, Sequence[int]], unit: int) -> list[_Claim]:
    found = []
    for share in shares:
        if share.role is None:
            assert share.person_id is not None
            found.append(_Claim(share, share.person_id, share.bps * unit))
        else:
            people = players.get(share.role, ())
            found += [_Claim(share, person, share.bps * unit // len(people)) for person in people]
    return found


class Sums(NamedTuple):
    """earned − paid − reversed + adjusted = outstanding (spec §6; adjustments are shown on their own)."""

    earned: int = 0
    paid: int = 0
    reversed: int = 0
    adjusted: int = 0

    @property
    def outstanding(self) -> int:
        """What is still owed; below zero when paid commission was taken back."""
        return self.earned - self.paid - self.reversed + self.adjusted

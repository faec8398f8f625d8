"""How a line's money is cut into lots, and which lots to let go: pure sums.

The provider only releases whole items. So that exactly what the buyer accepted can be released while a damaged piece
is argued about, a line becomes several items: one per piece for small quantities, and for larger ones lots that shrink
by a quarter down to single pieces, so that nearly every amount can be put together from whole lots.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from portal.core.money import Money
from portal.orders.models import OrderLine

# Up to here every piece is an item of its own. (Unsure: iyzico documents no largest basket.)
SINGLE_PIECES = 12
SHARE_OF_REST = 4


class Lot(NamedTuple):
    """Some pieces of a line whose money is released as one."""

    line: OrderLine
    lot_no: int
    pieces: int
    amount: Money
    seller_share: Money

    @property
    def item_key(self) -> str:
        """Our name of the basket item at the provider."""
        return f"L{self.line.id}.{self.lot_no}"

    @property
    def commission(self) -> Money:
        """What the platform keeps of it."""
        return self.amount - self.seller_share


class Part(NamedTuple):
    """So much of one hold."""

    hold_id: int
    amount: Money


def sizes(quantity: int) -> list[int]:
    """Pieces per lot, the largest first; they add up to the quantity."""
    if quantity <= SINGLE_PIECES:
        return [1] * quantity
    found, left = [], quantity
    while left:
        found.append(-(-left // SHARE_OF_REST))
        left -= found[-1]
    return found


def lots_of(line: OrderLine) -> list[Lot]:
    """A line's lots. The commission is cut cumulatively, so that the lots add up to the line to the kuruş."""
    found: list[Lot] = []
    pieces_so_far = commission_so_far = 0
    for lot_no, pieces in enumerate(sizes(line.quantity), start=1):
        pieces_so_far += pieces
        commission = line.commission_kurus * pieces_so_far // line.quantity - commission_so_far
        commission_so_far += commission
        amount = line.unit_price_kurus * pieces
        found.append(Lot(line, lot_no, pieces, Money(amount), Money(amount - commission)))
    return found


def to_release(held: Sequence[Part], target: Money) -> list[int]:
    """Whole lots worth as much of the target as whole lots can be, never more; the largest first."""
    chosen, left = [], target.kurus
    for part in sorted(held, key=lambda p: (-p.amount.kurus, p.hold_id)):
        if 0 < part.amount.kurus <= left:
            chosen.append(part.hold_id)
            left -= part.amount.kurus
    return chosen


def to_refund(held: Sequence[Part], wanted: Money) -> list[Part]:
    """What to give back of which lot: whole lots first, then a part of the smallest that is big enough.

    Gives back less than wanted only when the lots hold less.
    """
    whole = set(to_release(held, wanted))
    parts = [part for part in held if part.hold_id in whole]
    left = wanted.kurus - sum(part.amount.kurus for part in parts)
    for part in sorted((p for p in held if p.hold_id not in whole), key=lambda p: (p.amount.kurus, p.hold_id)):
        if left > 0 and part.amount.kurus > 0:
            piece = min(left, part.amount.kurus)
            parts.append(Part(part.hold_id, Money(piece)))
            left -= piece
    return parts


class LineMoney(NamedTuple):
    """Where a line's money stands. `free` lots are held and may move; `on_its_way_back` is asked for already."""

    unit_price: Money
    undecided_pieces: int
    pieces_to_give_back: int
    asked_back: Money  # for whole pieces, done or under way; price reductions are not counted here
    free: tuple[Part, ...]
    rest_of_busy: Money  # what stays of held lots after the refunds that are under way


class Plan(NamedTuple):
    """What should be asked of the provider now."""

    refunds: list[Part]
    releases: list[int]


def plan(line: LineMoney) -> Plan:
    """Give back what is owed to the buyer, and let go everything except what is undecided or still owed.

    Reckoned from what has to stay, so that a price reduction or a refused refund can never let too much go.
    """
    owed = Money(line.unit_price.kurus * line.pieces_to_give_back - line.asked_back.kurus)
    refunds = to_refund(line.free, owed) if owed.kurus > 0 else []
    touched = {part.hold_id for part in refunds}
    still_free = [part for part in line.free if part.hold_id not in touched]
    in_trust = sum(part.amount.kurus for part in line.free) + line.rest_of_busy.kurus
    has_to_stay = line.unit_price.kurus * line.undecided_pieces + max(0, owed.kurus)
    return Plan(refunds, to_release(still_free, Money(in_trust - has_to_stay)))

"""Why money does not move: answers for people, and one alarm."""

from __future__ import annotations

from portal.core.errors import Refusal


class Discrepancy(Exception):
    """The provider's figures are not ours. Nothing is booked; a person has to look."""


class NothingToPay(Refusal):
    """The checkout is paid or cancelled."""

    code = "nothing_to_pay"


class RefundUnderway(Refusal):
    """One refund at a time per hold, so that two people cannot give the same money back twice."""

    code = "refund_underway"


class MoreThanIsLeft(Refusal):
    """The refund asks for more than there is."""

    code = "more_than_is_left"


class SellerAlreadyPaid(Refusal):
    """The seller's balance no longer covers it."""

    code = "seller_already_paid"

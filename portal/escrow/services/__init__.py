"""Money in trust: paid in, released to the seller, or given back. One file per direction; used as one."""

from portal.escrow.services.payments import (
    capture,
    expire,
    fail,
    note_page,
    open_payment,
    surplus_returned,
    take_surplus,
)
from portal.escrow.services.refunds import ask_refund, open_refund, refund_done, refund_refused
from portal.escrow.services.refusals import Discrepancy, MoreThanIsLeft, NothingToPay, RefundUnderway, SellerAlreadyPaid
from portal.escrow.services.releases import paid_out, release, release_refused, released

__all__ = [
    "Discrepancy",
    "MoreThanIsLeft",
    "NothingToPay",
    "RefundUnderway",
    "SellerAlreadyPaid",
    "ask_refund",
    "capture",
    "expire",
    "fail",
    "note_page",
    "open_payment",
    "open_refund",
    "paid_out",
    "refund_done",
    "refund_refused",
    "release",
    "release_refused",
    "released",
    "surplus_returned",
    "take_surplus",
]

"""The lives of payments, holds and refunds."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine


class Payment(StrEnum):
    """One attempt to pay a checkout."""

    OPEN = "OPEN"
    PAID = "PAID"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    SURPLUS = "SURPLUS"  # the buyer paid what was already paid or cancelled: it goes back whole
    RETURNED = "RETURNED"


class Hold(StrEnum):
    """Money in trust for one order line."""

    HELD = "HELD"
    RELEASING = "RELEASING"  # the provider has been asked to let it go to the seller
    RELEASED = "RELEASED"
    REFUNDED = "REFUNDED"


class Refund(StrEnum):
    """Money on its way back to the buyer."""

    REQUESTED = "REQUESTED"
    DONE = "DONE"
    REFUSED = "REFUSED"


PAYMENT = StateMachine(
    "payment",
    moves={
        Payment.OPEN: {Payment.PAID, Payment.FAILED, Payment.EXPIRED, Payment.SURPLUS},
        # A card that was declined first may still go through on the same page.
        Payment.FAILED: {Payment.PAID, Payment.SURPLUS},
        Payment.EXPIRED: {Payment.PAID, Payment.SURPLUS},
        Payment.PAID: set(),
        Payment.SURPLUS: {Payment.RETURNED},
        Payment.RETURNED: set(),
    },
    meanings={
        Payment.OPEN: Meaning("◷", _l("Waiting for the buyer"), "wait"),
        Payment.PAID: Meaning("✓", _l("Paid"), "ok"),
        Payment.FAILED: Meaning("✕", _l("Not paid"), "bad"),
        Payment.EXPIRED: Meaning("–", _l("Expired"), "off"),
        Payment.SURPLUS: Meaning("!", _l("Paid twice, goes back"), "warn"),
        Payment.RETURNED: Meaning("↩", _l("Returned"), "off"),
    },
)

HOLD = StateMachine(
    "hold",
    moves={
        Hold.HELD: {Hold.RELEASING, Hold.REFUNDED},
        Hold.RELEASING: {Hold.RELEASED, Hold.HELD},
        Hold.RELEASED: {Hold.REFUNDED},
        Hold.REFUNDED: set(),
    },
    meanings={
        Hold.HELD: Meaning("●", _l("Held in trust"), "wait"),
        Hold.RELEASING: Meaning("◷", _l("Release asked for"), "info"),
        Hold.RELEASED: Meaning("✓", _l("Released to the seller"), "ok"),
        Hold.REFUNDED: Meaning("↩", _l("Refunded"), "off"),
    },
)

REFUND = StateMachine(
    "refund",
    moves={Refund.REQUESTED: {Refund.DONE, Refund.REFUSED}, Refund.DONE: set(), Refund.REFUSED: set()},
    meanings={
        Refund.REQUESTED: Meaning("◷", _l("On its way back"), "wait"),
        Refund.DONE: Meaning("✓", _l("Refunded"), "ok"),
        Refund.REFUSED: Meaning("✕", _l("Refused"), "bad"),
    },
)

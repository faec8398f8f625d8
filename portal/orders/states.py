"""The life of an order, and of its payout."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine


class OrderState(StrEnum):
    """Where an order is (spec §1)."""

    PENDING_PAYMENT = "PENDING_PAYMENT"
    PAID = "PAID"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"
    DISPUTED = "DISPUTED"


class PayoutStatus(StrEnum):
    """Whether the seller's money has left escrow (spec §1)."""

    NONE = "NONE"
    INITIATED = "INITIATED"
    RELEASED = "RELEASED"
    FAILED = "FAILED"


_BACK = (OrderState.PAID, OrderState.PARTIALLY_SHIPPED)

ORDER = StateMachine(
    "order",
    moves={
        OrderState.PENDING_PAYMENT: {OrderState.PAID, OrderState.CANCELLED},
        OrderState.PAID: {
            OrderState.PARTIALLY_SHIPPED,
            OrderState.SHIPPED,
            OrderState.CANCELLED,
            # Finance may give everything back before anything is shipped.
            OrderState.REFUNDED,
        },
        # Back again where a carrier returns a parcel or a piece has to be sent anew.
        OrderState.PARTIALLY_SHIPPED: {OrderState.PAID, OrderState.SHIPPED, OrderState.DISPUTED, OrderState.REFUNDED},
        OrderState.SHIPPED: {*_BACK, OrderState.DELIVERED, OrderState.DISPUTED, OrderState.REFUNDED},
        OrderState.DELIVERED: {*_BACK, OrderState.COMPLETED, OrderState.DISPUTED, OrderState.REFUNDED},
        OrderState.DISPUTED: {
            *_BACK,
            OrderState.SHIPPED,
            OrderState.DELIVERED,
            OrderState.COMPLETED,
            OrderState.REFUNDED,
        },
        OrderState.CANCELLED: {OrderState.REFUNDED},
        OrderState.COMPLETED: {OrderState.REFUNDED},
        OrderState.REFUNDED: set(),
    },
    meanings={
        OrderState.PENDING_PAYMENT: Meaning("◷", _l("Waiting for payment"), "wait"),
        OrderState.PAID: Meaning("●", _l("Paid, to be shipped"), "info"),
        OrderState.PARTIALLY_SHIPPED: Meaning("◐", _l("Partly shipped"), "info"),
        OrderState.SHIPPED: Meaning("→", _l("On its way"), "info"),
        OrderState.DELIVERED: Meaning("⌂", _l("Delivered"), "info"),
        OrderState.COMPLETED: Meaning("✓", _l("Completed"), "ok"),
        OrderState.CANCELLED: Meaning("–", _l("Cancelled"), "off"),
        OrderState.REFUNDED: Meaning("↩", _l("Refunded"), "off"),
        OrderState.DISPUTED: Meaning("!", _l("In dispute"), "bad"),
    },
)

PAYOUT = StateMachine(
    "payout",
    moves={
        PayoutStatus.NONE: {PayoutStatus.INITIATED},
        PayoutStatus.INITIATED: {PayoutStatus.RELEASED, PayoutStatus.FAILED},
        PayoutStatus.FAILED: {PayoutStatus.INITIATED, PayoutStatus.RELEASED},
        PayoutStatus.RELEASED: set(),
    },
    meanings={
        PayoutStatus.NONE: Meaning("·", _l("Held in trust"), "wait"),
        PayoutStatus.INITIATED: Meaning("◷", _l("Release asked for"), "info"),
        PayoutStatus.RELEASED: Meaning("✓", _l("Released to the seller"), "ok"),
        PayoutStatus.FAILED: Meaning("!", _l("Release refused"), "bad"),
    },
    column="payout_status",
)

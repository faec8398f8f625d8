"""What to do with a provider's message: which question to ask, and how to apply the answer."""

from __future__ import annotations

from collections.abc import Callable

from loguru import logger

from portal.core.errors import Refusal, UnknownWords
from portal.core.i18n import noted
from portal.core.ports import Outcome, known, port
from portal.core.unit_of_work import atomic
from portal.escrow.ports import PaymentAnswer, PaymentGateway
from portal.escrow.services import Discrepancy
from portal.inbox import services as inbox
from portal.inbox.models import InboxMessage
from portal.marketplace import queries as marketplace_queries
from portal.marketplace.ports import Storefronts
from portal.shipping import queries as shipping_queries
from portal.workflows import checkout, marketplace_reading, tracking
from portal.workflows.calls import UNFIT
from portal.workflows.checkout import Applied, Waiting
from portal.workflows.standing import with_order

NO_PROVIDER, NO_CARRIER = noted("the provider did not answer"), noted("the carrier did not answer")
NO_STOREFRONT = noted("the storefront did not answer")
# The topic says who is asked for the truth.
HANDLERS: dict[str, Callable[[InboxMessage], None]] = {}


def handle_next() -> bool:
    """Take one due message through one try; False when nothing is due."""
    with atomic():
        message = inbox.claim()
    if message is None:
        return False
    handler = HANDLERS.get(message.topic)
    if handler is None:
        _set_aside(message, f"nobody handles {message.topic}")
    else:
        _handled(handler, message)
    return True


def _handled(handler: Callable[[InboxMessage], None], message: InboxMessage) -> None:
    """One message the books cannot take is set aside with its reason; the others go on."""
    try:
        handler(message)
    except (Refusal, Discrepancy, UnknownWords) as odd:
        logger.error("inbox message {}: {}", message.id, odd)
        _set_aside(message, f"{UNFIT}: {odd}")


def _payment_message(message: InboxMessage) -> None:
    """A hint about a payment: ask the provider, apply what it says."""
    answer = _ask(message.aggregate_key)
    with atomic():
        if inbox.still_mine(message):
            _apply(message, answer)


def _ask(aggregate_key: str) -> PaymentAnswer | None:
    kind, _, key = aggregate_key.partition(":")
    gateway = port(PaymentGateway)
    if kind == "token":
        return gateway.payment_by_token(key)
    if kind == "payment":
        return gateway.payment_by_key(key)
    return None


def _apply(message: InboxMessage, answer: PaymentAnswer | None) -> None:
    if answer is None:
        inbox.set_aside(message, "it names no payment")
    elif answer.state is None:
        inbox.try_later(message, f"{NO_PROVIDER}: {answer.why}")
    else:
        result = checkout.learn(answer.state)
        match result:
            case Applied(what):
                inbox.applied(message, what)
            case Waiting(why):
                inbox.try_later(message, why)


def _set_aside(message: InboxMessage, note: str) -> None:
    with atomic():
        if inbox.still_mine(message):
            inbox.set_aside(message, note[:2000])


def _shipment_message(message: InboxMessage) -> None:
    """A hint about a parcel: ask its carrier, apply what it says."""
    carrier_code, _, key = message.aggregate_key.partition(":")
    with atomic():
        shipment = shipping_queries.parcel_of_key(carrier_code, key)
    if shipment is None:
        _later(message, "we know no parcel with this key (yet)")
        return
    answer = tracking.where_is(shipment)
    with atomic():
        if not inbox.still_mine(message):
            return
        if answer.outcome is Outcome.DONE:
            locked, order = with_order(shipment.id)
            tracking.learn(locked, order, answer)
            inbox.applied(message, noted("the carrier was asked"))
        else:
            inbox.try_later(message, f"{NO_CARRIER}: {answer.why}")


def _later(message: InboxMessage, why: str) -> None:
    with atomic():
        if inbox.still_mine(message):
            inbox.try_later(message, why)


def _order_message(message: InboxMessage) -> None:
    """A hint about a storefront's package: it is read again, unless that was done since the hint came."""
    storefront, _, key = message.aggregate_key.partition(":")
    if storefront not in known(Storefronts).by_code:
        _set_aside(message, f"we do not sell on {storefront}")
        return
    with atomic():
        ours = marketplace_queries.package_by_key(storefront, key)
    if ours is not None and ours.heard_at > message.received_at:
        _applied(message, noted("it was read since"))
        return
    try:
        page = marketplace_reading.read_one(storefront, key, heard_by=noted("hint"))
    except marketplace_reading.NotRead as why:
        _later(message, str(why))
        return
    if page.outcome is not Outcome.DONE:
        _later(message, f"{NO_STOREFRONT}: {page.why}")
    elif not page.packages:
        _later(message, "they do not show this package (yet)")
    else:
        _applied(message, noted("the package was read"))


def _applied(message: InboxMessage, note: str) -> None:
    with atomic():
        if inbox.still_mine(message):
            inbox.applied(message, note)


HANDLERS["payments"] = _payment_message
HANDLERS["shipments"] = _shipment_message
HANDLERS["orders"] = _order_message

"""A basket is paid: from the buyer's click to money in trust."""

from __future__ import annotations

from typing import NamedTuple

from flask import current_app
from flask_babel import lazy_gettext as _l

from portal.accounts.models import Organisation, Person
from portal.core.actor import SYSTEM, Actor
from portal.core.errors import ProviderSilent, Refusal
from portal.core.i18n import noted
from portal.core.money import Money
from portal.core.ports import Outcome, port
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.escrow import services as escrow
from portal.escrow.lots import lots_of
from portal.escrow.models import NetworkPayment
from portal.escrow.ports import CheckoutItem, CheckoutRequest, PaymentGateway, PaymentState, PaymentTruth
from portal.escrow.states import Payment
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Checkout, Order
from portal.orders.services import WantedLine
from portal.orders.states import OrderState
from portal.workflows import set_aside


class SellerNotRegistered(Refusal):
    """The provider does not know the seller yet, so it could not pay him."""

    code = "seller_not_registered"


NOT_PAID_YET = noted("not paid yet")


class Waiting(NamedTuple):
    """Too early to say: look again later."""

    why: str


class Applied(NamedTuple):
    """What the truth changed in our books."""

    what: str


def place(lines: list[WantedLine], *, buyer: Person, by: Actor) -> Checkout:
    """A basket becomes orders, and what of it lies in our warehouse is set aside. Refuses what is not free."""
    placed = orders.place(lines, buyer=buyer, by=by)
    set_aside.for_payment(placed.orders, by=by)
    return placed


def payment_page(checkout: Checkout, buyer: Person, organisation: Organisation, *, ip: str, by: Actor) -> str:
    """The provider's page where this basket is paid, as a URL: asked for once, shown again as long as it lives.

    Opens its own units of work, because the provider is asked in between. Refuses a paid or cancelled
    checkout and a silent provider (503, nothing charged).
    """
    with atomic():
        payment = _live_payment(checkout, by)
    if payment.page_url and escrow_queries.page_is_over(payment):
        payment = _renewed(payment, checkout, by)
    if payment.page_url:
        return payment.page_url
    request = _request(payment, orders_queries.checkout(checkout.id), buyer, organisation, ip)
    page = port(PaymentGateway).open_checkout(request)
    if page.outcome is not Outcome.DONE:
        raise ProviderSilent(
            _l("The payment provider does not answer just now. Nothing was charged; please try again.")
        )
    with atomic():
        payment = escrow_queries.payment_for_update(payment.id)
        escrow.note_page(payment, page)
    assert payment.page_url
    return payment.page_url


def learn(state: PaymentState) -> Applied | Waiting:
    """Bring our books to what the provider says is true of a payment. Idempotent and monotone: repeated, late and
    unordered messages all come down to this one step."""
    payment = escrow_queries.payment_by_attempt(state.attempt_key)
    if payment is None:
        return Waiting(noted("we know no payment with this key (yet)"))
    checkout_orders = orders_queries.orders_of_checkout_for_update(payment.checkout_id)
    payment = escrow_queries.payment_for_update(payment.id)
    match state.truth:
        case PaymentTruth.WAITING if state.provider_payment_key:
            return Waiting(noted("under review at the provider"))
        case PaymentTruth.WAITING:
            # The buyer has not paid (yet). Whatever comes later is announced by itself, or found by asking.
            return Applied(NOT_PAID_YET)
        case PaymentTruth.FAILED:
            return Applied(noted("not paid") if escrow.fail(payment, state) else noted("nothing new"))
        case PaymentTruth.PAID:
            return _paid(payment, checkout_orders, state)


def cancel_unpaid(order_id: int, *, by: Actor, because: str) -> None:
    """The buyer changed his mind before paying: all orders of the basket go. Paid meanwhile: refused."""
    basket = orders_queries.any_order(order_id).checkout_id
    given_up = orders_queries.orders_of_checkout_for_update(basket)
    for order in given_up:
        orders.cancel(order, by=by, because=because)
    set_aside.follow(*given_up, by=by, because=because)


def _paid(payment: NetworkPayment, checkout_orders: list[Order], state: PaymentState) -> Applied:
    if payment.state in (Payment.PAID, Payment.SURPLUS, Payment.RETURNED):
        return Applied(noted("nothing new"))
    if any(order.state != OrderState.PENDING_PAYMENT for order in checkout_orders):
        escrow.take_surplus(payment, state)
        return Applied(noted("paid although nothing was owed: goes back"))
    _retire_other_attempts(payment)
    checkout = orders_queries.checkout(payment.checkout_id)
    lots = {lot.item_key: lot for order in checkout.orders for line in order.lines for lot in lots_of(line)}
    escrow.capture(payment, lots, state)
    for order in checkout_orders:
        orders.paid(order, by=SYSTEM, because=noted("the buyer paid"))
    set_aside.follow(*checkout_orders, by=SYSTEM, because=noted("the buyer paid"))
    return Applied(noted("paid, held in trust"))


def _retire_other_attempts(payment: NetworkPayment) -> None:
    """A late success of an older page takes the place of a newer, still open attempt."""
    for other in escrow_queries.payments_of(payment.checkout_id):
        if other.id != payment.id and other.state == Payment.OPEN:
            escrow.expire(other, because=noted("another attempt was paid"))


def _live_payment(checkout: Checkout, by: Actor) -> NetworkPayment:
    locked = orders_queries.orders_of_checkout_for_update(checkout.id)
    if any(order.state != OrderState.PENDING_PAYMENT for order in locked):
        raise escrow.NothingToPay(_l("There is nothing to pay here any more."))
    for order in orders_queries.checkout(checkout.id).orders:
        if not order.seller.provider_seller_key:
            raise SellerNotRegistered(
                _l("The seller is just being registered with the payment provider. Please try again in a minute.")
            )
    payment = escrow.open_payment(checkout, provider=port_name(), by=by)
    set_aside.for_payment(locked, by=by)
    return payment


def _renewed(payment: NetworkPayment, checkout: Checkout, by: Actor) -> NetworkPayment:
    """The page has run out. It may have been paid in its last minute: ask before opening another."""
    assert payment.provider_token
    answer = port(PaymentGateway).payment_by_token(payment.provider_token)
    if answer.state is None:
        raise ProviderSilent(
            _l("The payment provider does not answer just now. Nothing was charged; please try again.")
        )
    with atomic():
        learn(answer.state)
        fresh = escrow_queries.payment_for_update(payment.id)
        if fresh.state == Payment.OPEN:
            escrow.expire(fresh, because=noted("the payment page ran out"))
    with atomic():
        return _live_payment(checkout, by)


def port_name() -> str:
    """The name of the payment provider in use."""
    return str(current_app.config["PAYMENT_PROVIDER"])


def _request(
    payment: NetworkPayment, checkout: Checkout, buyer: Person, organisation: Organisation, ip: str
) -> CheckoutRequest:
    items = [
        CheckoutItem(
            item_key=lot.item_key,
            name=line.name,
            amount=lot.amount,
            seller_key=order.seller.provider_seller_key or "",
            seller_share=lot.seller_share,
        )
        for order in checkout.orders
        for line in order.lines
        for lot in lots_of(line)
    ]
    return CheckoutRequest(
        attempt_key=payment.attempt_key,
        total=Money(checkout.total_kurus),
        items=items,
        buyer_key=f"P{buyer.id}",
        buyer_name=buyer.full_name,
        buyer_email=buyer.email,
        buyer_phone=organisation.phone,
        buyer_tax_number=organisation.tax_number,
        buyer_address=organisation.address,
        buyer_city=organisation.city,
        buyer_ip=ip,
        callback_url=f"{current_app.config['PORTAL_URL']}/payments/{payment.provider}/callback",
        language=buyer.language,
    )

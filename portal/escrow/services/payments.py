"""Money comes into trust."""

from __future__ import annotations

import uuid
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.i18n import noted
from portal.escrow.lots import Lot
from portal.escrow.models import EscrowHold, NetworkPayment
from portal.escrow.ports import CheckoutPage, PaidItem, PaymentState
from portal.escrow.services.refusals import Discrepancy, NothingToPay
from portal.escrow.states import HOLD, PAYMENT, Hold, Payment
from portal.ledger import accounts
from portal.ledger import services as ledger
from portal.ledger.services import Pair
from portal.orders.models import Checkout
from portal.outbox import services as outbox


def open_payment(checkout: Checkout, *, provider: str, by: Actor) -> NetworkPayment:
    """The one live attempt to pay this checkout: the open one again, or a new one."""
    live = db.session.execute(
        select(NetworkPayment).where(
            NetworkPayment.checkout_id == checkout.id, NetworkPayment.state.in_((Payment.OPEN, Payment.PAID))
        )
    ).scalar_one_or_none()
    if live is not None and live.state == Payment.PAID:
        raise NothingToPay(_l("This has already been paid."))
    if live is not None:
        return live
    payment = NetworkPayment(
        checkout_id=checkout.id,
        provider=provider,
        attempt_key=uuid.uuid4().hex,
        state=Payment.OPEN,
        amount_kurus=checkout.total_kurus,
        opened_at=clock.now(),
    )
    db.session.add(payment)
    PAYMENT.begin(payment, actor=by, reason=noted("opened"))
    return payment


def note_page(payment: NetworkPayment, page: CheckoutPage) -> None:
    """Keep where the buyer pays. The first page shown stays: two live pages could both be paid."""
    if payment.provider_token is None:
        payment.provider_token = page.token
        payment.page_url = page.url
        payment.page_expires_at = clock.now() + timedelta(seconds=page.expires_in_seconds)


def expire(payment: NetworkPayment, *, because: str) -> None:
    """Nobody can pay on this page any more; the next try is a new attempt."""
    PAYMENT.move(payment, Payment.EXPIRED, actor=SYSTEM, reason=because)


def fail(payment: NetworkPayment, state: PaymentState) -> bool:
    """The provider says it was not paid; False when we already know better."""
    if payment.state != Payment.OPEN:
        return False
    PAYMENT.move(payment, Payment.FAILED, actor=SYSTEM, reason=state.why or "refused", provider_words=state.words)
    return True


def capture(payment: NetworkPayment, lots: dict[str, Lot], state: PaymentState) -> None:
    """The buyer has paid: the money is in trust, one hold per lot. Raises Discrepancy when a figure differs."""
    _compare(payment, lots, state)
    _moved_to_paid(payment, Payment.PAID, state)
    pairs = [_hold_and_pair(payment, lots[item.item_key], item) for item in state.items]
    fee = Pair(accounts.PROVIDER_FEE, accounts.provider(payment.provider), state.provider_fee)
    ledger.post(
        "CAPTURE",
        [*pairs, fee],
        key=f"capture:{payment.id}",
        subject=("payment", payment.id),
        by=SYSTEM,
        because=noted("the buyer paid; held in trust"),
        effective_on=clock.today(),
    )


def take_surplus(payment: NetworkPayment, state: PaymentState) -> None:
    """Paid although there was nothing to pay any more: the whole payment goes straight back."""
    _moved_to_paid(payment, Payment.SURPLUS, state)
    provider = accounts.provider(payment.provider)
    ledger.post(
        "SURPLUS",
        [Pair(provider, accounts.ESCROW, state.paid), Pair(accounts.PROVIDER_FEE, provider, state.provider_fee)],
        key=f"surplus:{payment.id}",
        subject=("payment", payment.id),
        by=SYSTEM,
        because=noted("paid although nothing was owed"),
        effective_on=clock.today(),
    )
    outbox.intend(
        "cancel_payment",
        provider=payment.provider,
        key=f"cancel:{payment.id}",
        subject=("payment", payment.id),
        request={"payment_key": payment.provider_payment_key, "because": "surplus"},
        by=SYSTEM,
    )


def surplus_returned(payment: NetworkPayment, *, entry_id: int) -> None:
    """The provider has cancelled the surplus payment."""
    PAYMENT.move(payment, Payment.RETURNED, actor=SYSTEM, reason=noted("cancelled at the provider"))
    ledger.reverse(
        entry_id,
        key=f"surplus-returned:{payment.id}",
        by=SYSTEM,
        because=noted("the surplus payment was cancelled"),
        effective_on=clock.today(),
    )


def _compare(payment: NetworkPayment, lots: dict[str, Lot], state: PaymentState) -> None:
    """The provider's basket must be ours, to the kuruş."""
    if state.paid.kurus != payment.amount_kurus:
        raise Discrepancy(f"paid {state.paid.kurus} kuruş instead of {payment.amount_kurus}")
    if {item.item_key for item in state.items} != lots.keys() or len(state.items) != len(lots):
        raise Discrepancy("the items are not the ones we sent")
    for item in state.items:
        lot = lots[item.item_key]
        if (item.amount, item.seller_share) != (lot.amount, lot.seller_share):
            raise Discrepancy(f"item {item.item_key}: {item.amount.kurus}/{item.seller_share.kurus} kuruş")


def _moved_to_paid(payment: NetworkPayment, to: Payment, state: PaymentState) -> None:
    PAYMENT.move(
        payment,
        to,
        actor=SYSTEM,
        reason=noted("the provider confirms the payment"),
        provider_payment_key=state.provider_payment_key,
        provider_fee_kurus=state.provider_fee.kurus,
        provider_words=state.words,
        paid_at=clock.now(),
    )


def _hold_and_pair(payment: NetworkPayment, lot: Lot, item: PaidItem) -> Pair:
    hold = EscrowHold(
        payment_id=payment.id,
        order_id=lot.line.order_id,
        order_line_id=lot.line.id,
        lot_no=lot.lot_no,
        pieces=lot.pieces,
        provider=payment.provider,
        provider_item_key=item.provider_item_key,
        amount_kurus=lot.amount.kurus,
        seller_share_kurus=lot.seller_share.kurus,
        commission_kurus=lot.commission.kurus,
        held_kurus=lot.amount.kurus,
        state=Hold.HELD,
    )
    db.session.add(hold)
    HOLD.begin(hold, actor=SYSTEM, reason=noted("the buyer paid"))
    provider = accounts.provider(payment.provider)
    return Pair(provider, accounts.ESCROW, lot.amount, order_id=lot.line.order_id, hold_id=hold.id)

"""Calls to the payment provider: approve, refund, cancel, register."""

from __future__ import annotations

from loguru import logger
from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.i18n import noted
from portal.core.money import Money
from portal.core.ports import CallAnswer, Outcome, port
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.escrow import services as escrow
from portal.escrow.models import EscrowHold, NetworkPayment
from portal.escrow.ports import PaymentGateway, Seller
from portal.ledger.models import JournalEntry
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Order
from portal.orders.states import PayoutStatus
from portal.outbox import services as outbox
from portal.outbox.models import ProviderIntent
from portal.workflows import money, sales, set_aside
from portal.workflows.calls import Found, Operation

# approve_item: the seller's money leaves trust ------------------------------------------------------------


def _approve(intent: ProviderIntent) -> CallAnswer:
    return port(PaymentGateway).approve(intent.request["item_key"], key=intent.idempotency_key)


def _approved_there(intent: ProviderIntent) -> Found:
    payment = _payment_of_hold(int(intent.subject_id))
    answer = port(PaymentGateway).payment_by_key(payment)
    if answer.state is None:
        return Found.NO_ANSWER
    wanted = intent.request["item_key"]
    approved = any(item.approved for item in answer.state.items if item.provider_item_key == wanted)
    return Found.DONE if approved else Found.NOT_DONE


def _released(intent: ProviderIntent, _reference: str) -> None:
    order = _order_of_hold(int(intent.subject_id))
    hold = escrow_queries.hold_for_update(int(intent.subject_id))
    escrow.released(hold, order.seller_organisation_id)
    money.payout_follows(order, because=noted("approved at the provider"))


def _release_refused(intent: ProviderIntent, why: str) -> None:
    order = _order_of_hold(int(intent.subject_id))
    escrow.release_refused(escrow_queries.hold_for_update(int(intent.subject_id)), why=why)
    orders.payout_moves(order, PayoutStatus.FAILED, by=SYSTEM, because=why)


# refund_item: money back to the buyer ---------------------------------------------------------------------


def _refund(intent: ProviderIntent) -> CallAnswer:
    amount = Money(intent.request["amount_kurus"])
    because = str(intent.request["because"])
    return port(PaymentGateway).refund(intent.request["item_key"], amount, key=intent.idempotency_key, because=because)


def _refunded_there(intent: ProviderIntent) -> Found:
    with atomic():
        hold_id = escrow_queries.refund_for_update(int(intent.subject_id)).hold_id
    answer = port(PaymentGateway).refunds_of(_payment_of_hold(hold_id))
    if answer.outcome is not Outcome.DONE:
        return Found.NO_ANSWER
    mine = [fact for fact in answer.refunds if fact.our_key == intent.idempotency_key and fact.succeeded]
    return Found.DONE if mine else Found.NOT_DONE


def _refund_done(intent: ProviderIntent, _reference: str) -> None:
    order = _order_of_hold(escrow_queries.refund_hold(int(intent.subject_id)))
    refund = escrow_queries.refund_for_update(int(intent.subject_id))
    escrow.refund_done(refund, escrow_queries.hold_for_update(refund.hold_id))
    money.follow_pieces(order, by=SYSTEM, because=noted("a refund is done"))
    if money.is_all_back(order.id):
        orders.refunded(order, by=SYSTEM, because=noted("all of it was refunded"))
    money.payout_follows(order, because=noted("nothing is held any more"))
    set_aside.follow(order, by=SYSTEM, because=noted("a refund is done"))
    sales.price_follows(order)


def _refund_refused(intent: ProviderIntent, why: str) -> None:
    order = _order_of_hold(escrow_queries.refund_hold(int(intent.subject_id)))
    refund = escrow_queries.refund_for_update(int(intent.subject_id))
    taken_back = _entry_id(f"refund-take-back:{refund.id}")
    escrow.refund_refused(refund, why=why, taken_back_entry_id=taken_back)
    money.follow_pieces(order, by=SYSTEM, because=noted("a refund was refused"), refunds=False)


# cancel_payment: a surplus payment goes back whole --------------------------------------------------------


def _cancel(intent: ProviderIntent) -> CallAnswer:
    key, because = str(intent.request["payment_key"]), str(intent.request["because"])
    return port(PaymentGateway).cancel(key, key=intent.idempotency_key, because=because)


def _cancelled_there(intent: ProviderIntent) -> Found:
    answer = port(PaymentGateway).refunds_of(str(intent.request["payment_key"]))
    if answer.outcome is not Outcome.DONE:
        return Found.NO_ANSWER
    return Found.DONE if answer.cancelled else Found.NOT_DONE


def _cancel_done(intent: ProviderIntent, _reference: str) -> None:
    payment = escrow_queries.payment_for_update(int(intent.subject_id))
    entry_id = _entry_id(f"surplus:{payment.id}")
    assert entry_id is not None, "a surplus payment without its entry"
    escrow.surplus_returned(payment, entry_id=entry_id)


def _cancel_refused(intent: ProviderIntent, why: str) -> None:
    logger.error("surplus payment {} could not be cancelled: {}", intent.subject_id, why)


# register_seller: the provider must know whom it pays -----------------------------------------------------


def _register(intent: ProviderIntent) -> CallAnswer:
    return port(PaymentGateway).register_seller(Seller(**intent.request), key=intent.idempotency_key)


def _registered_there(_intent: ProviderIntent) -> Found:
    # Registering again answers the same key, so asking is calling.
    return Found.NOT_DONE


def _registered(intent: ProviderIntent, reference: str) -> None:
    organisation = db.session.get_one(Organisation, int(intent.subject_id), with_for_update=True)
    organisation.provider_seller_key = reference


def _not_registered(intent: ProviderIntent, why: str) -> None:
    logger.error("seller {} could not be registered: {}", intent.subject_id, why)


def register_seller(organisation: Organisation, *, by: Actor, provider: str) -> None:
    """Make a seller known to the provider, so that he can be paid."""
    outbox.intend(
        "register_seller",
        provider=provider,
        key=f"register:{organisation.id}",
        subject=("organisation", organisation.id),
        request={
            "external_key": f"ORG{organisation.id}",
            "legal_title": organisation.legal_title,
            "tax_office": organisation.tax_office,
            "tax_number": organisation.tax_number,
            "iban": organisation.iban,
            "email": organisation.email,
            "phone": organisation.phone,
            "address": organisation.address,
        },
        by=by,
    )


def _order_of_hold(hold_id: int) -> Order:
    """Order first, then hold: everybody locks in this order, so nobody deadlocks."""
    return orders_queries.hold_still(escrow_queries.hold(hold_id).order_id)


def _payment_of_hold(hold_id: int) -> str:
    with atomic():
        wanted = (
            select(NetworkPayment.provider_payment_key)
            .join(EscrowHold, EscrowHold.payment_id == NetworkPayment.id)
            .where(EscrowHold.id == hold_id)
        )
        key = db.session.scalar(wanted)
    assert key, "a hold without a paid payment"
    return key


def _entry_id(key: str) -> int | None:
    return db.session.scalar(select(JournalEntry.id).where(JournalEntry.idempotency_key == key))


OPERATIONS = {
    "approve_item": Operation(_approve, _approved_there, _released, _release_refused, may_be_sent_again=True),
    "refund_item": Operation(_refund, _refunded_there, _refund_done, _refund_refused, may_be_sent_again=False),
    "cancel_payment": Operation(_cancel, _cancelled_there, _cancel_done, _cancel_refused, may_be_sent_again=False),
    "register_seller": Operation(_register, _registered_there, _registered, _not_registered, may_be_sent_again=True),
}

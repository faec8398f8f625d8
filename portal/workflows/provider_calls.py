"""Every call that changes something at a provider, in one table: how to call, how to ask, what the answer means.

No transaction is open while a provider thinks: claim and commit, call, note the answer under a fence.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from loguru import logger
from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.errors import UnknownWords
from portal.core.i18n import noted
from portal.core.money import Money
from portal.core.ports import CallAnswer, Outcome, port
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.escrow import services as escrow
from portal.escrow.models import EscrowHold, NetworkPayment
from portal.escrow.ports import PaymentGateway, Seller
from portal.escrow.states import Hold
from portal.ledger.models import JournalEntry
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Order
from portal.orders.states import OrderState, PayoutStatus
from portal.outbox import queries as outbox_queries
from portal.outbox import services as outbox
from portal.outbox.models import ProviderIntent


class Found(StrEnum):
    """What asking about a call brought to light."""

    DONE = "DONE"
    NOT_DONE = "NOT_DONE"
    NO_ANSWER = "NO_ANSWER"


class Operation(NamedTuple):
    """How one kind of call is made, asked about and noted."""

    call: Callable[[ProviderIntent], CallAnswer]
    ask: Callable[[ProviderIntent], Found]
    done: Callable[[ProviderIntent, str], None]
    refused: Callable[[ProviderIntent, str], None]
    # False where doing it twice costs money: a machine never sends it again, a person decides.
    may_be_sent_again: bool


def dispatch_next() -> bool:
    """Take one due call through one step; False when nothing is due."""
    with atomic():
        claimed = outbox.claim()
    if claimed is None:
        return False
    if claimed.step is outbox.Step.SEND:
        _send(claimed.intent)
    elif claimed.step is outbox.Step.ASK:
        _ask(claimed.intent)
    return True


def _send(intent: ProviderIntent) -> None:
    operation = OPERATIONS[intent.operation]
    answer = operation.call(intent)
    if answer.outcome is Outcome.REFUSED and operation.may_be_sent_again and _says_done(operation, intent):
        # "Already approved" is a refusal in their words and a success in ours.
        answer = CallAnswer(Outcome.DONE, why=f"{answer.why} (already done)")
    with atomic():
        if not outbox.still_mine(intent):
            logger.warning("intent {}: an answer came after the lease had run out", intent.id)
            return
        _note(intent, operation, answer)


def _note(intent: ProviderIntent, operation: Operation, answer: CallAnswer) -> None:
    match answer.outcome:
        case Outcome.DONE:
            operation.done(intent, answer.reference)
            outbox.succeeded(intent, reference=answer.reference, note=answer.why or noted("done"), kind="CALL")
        case Outcome.REFUSED:
            why = f"{answer.why} ({answer.code})" if answer.code else answer.why
            operation.refused(intent, why)
            outbox.failed(intent, note=why, kind="CALL")
        case Outcome.UNKNOWN:
            outbox.unknown(intent, note=answer.why)
        case Outcome.NOT_SENT:
            outbox.never_arrived(intent, note=answer.why)


def _ask(intent: ProviderIntent) -> None:
    operation = OPERATIONS[intent.operation]
    found = _asked(operation, intent)
    with atomic():
        if not outbox.still_mine(intent):
            return
        if found is Found.DONE:
            operation.done(intent, "")
            outbox.succeeded(intent, reference="", note=noted("the provider says it was done"), kind="ASK")
        elif found is Found.NO_ANSWER:
            outbox.not_answered(intent, note=noted("no answer to our question"))
        elif operation.may_be_sent_again:
            outbox.not_done(intent, note=noted("the provider says it was not done"))
        else:
            outbox.leave_to_a_person(intent, note=noted("the provider does not show it; sending again could pay twice"))


def _asked(operation: Operation, intent: ProviderIntent) -> Found:
    try:
        return operation.ask(intent)
    except UnknownWords as words:
        logger.error("intent {}: {}", intent.id, words)
        return Found.NO_ANSWER


def _says_done(operation: Operation, intent: ProviderIntent) -> bool:
    return _asked(operation, intent) is Found.DONE


def settle_by_hand(intent_id: int, *, done: bool, by: Actor, because: str) -> None:
    """A person has looked at the provider's list: it was done, or it was not. The books follow."""
    intent = outbox_queries.intent_for_update(intent_id)
    outbox.settle_by_hand(intent, done=done, by=by, because=because)
    operation = OPERATIONS[intent.operation]
    if done:
        operation.done(intent, "")
    else:
        operation.refused(intent, because)


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
    payout_follows(order, because=noted("approved at the provider"))


def _release_refused(intent: ProviderIntent, why: str) -> None:
    order = _order_of_hold(int(intent.subject_id))
    escrow.release_refused(escrow_queries.hold_for_update(int(intent.subject_id)), why=why)
    orders.payout_moves(order, PayoutStatus.FAILED, by=SYSTEM, because=why)


def payout_follows(order: Order, *, because: str) -> None:
    """The payout is RELEASED once no hold of the order waits any more."""
    states = {hold.state for hold in escrow_queries.holds_of([order.id])}
    if states <= {Hold.RELEASED, Hold.REFUNDED} and order.state == OrderState.COMPLETED:
        if order.payout_status == PayoutStatus.NONE:
            orders.payout_moves(order, PayoutStatus.INITIATED, by=SYSTEM, because=because)
        orders.payout_moves(order, PayoutStatus.RELEASED, by=SYSTEM, because=because)


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
    refund = escrow_queries.refund_for_update(int(intent.subject_id))
    order = _order_of_hold(refund.hold_id)
    escrow.refund_done(refund, escrow_queries.hold_for_update(refund.hold_id))
    if all(hold.state == Hold.REFUNDED for hold in escrow_queries.holds_of([order.id])):
        orders.refunded(order, by=SYSTEM, because=noted("all of it was refunded"))
    payout_follows(order, because=noted("nothing is held any more"))


def _refund_refused(intent: ProviderIntent, why: str) -> None:
    refund = escrow_queries.refund_for_update(int(intent.subject_id))
    taken_back = _entry_id(f"refund-take-back:{refund.id}")
    escrow.refund_refused(refund, why=why, taken_back_entry_id=taken_back)


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


# What the calls are called on screens.
OPERATION_NAMES = {
    "approve_item": noted("Release to the seller"),
    "refund_item": noted("Refund to the buyer"),
    "cancel_payment": noted("Cancel a surplus payment"),
    "register_seller": noted("Register a seller"),
}

OPERATIONS: dict[str, Operation] = {
    "approve_item": Operation(_approve, _approved_there, _released, _release_refused, may_be_sent_again=True),
    "refund_item": Operation(_refund, _refunded_there, _refund_done, _refund_refused, may_be_sent_again=False),
    "cancel_payment": Operation(_cancel, _cancelled_there, _cancel_done, _cancel_refused, may_be_sent_again=False),
    "register_seller": Operation(_register, _registered_there, _registered, _not_registered, may_be_sent_again=True),
}


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


def ask_now(intent: ProviderIntent) -> Found:
    """What the provider says about a call, for somebody who wants to know; changes nothing."""
    return _asked(OPERATIONS[intent.operation], intent)

"""Every call that changes something at a provider: claim and commit, call, note the answer under a fence.

No transaction is open while a provider thinks. How each kind of call is made stands in one table.
"""

from __future__ import annotations

from collections.abc import Callable

from loguru import logger

from portal.core.actor import Actor
from portal.core.errors import Refusal, UnknownWords
from portal.core.i18n import noted
from portal.core.ports import CallAnswer, Outcome
from portal.core.unit_of_work import atomic
from portal.escrow.services import Discrepancy
from portal.outbox import queries as outbox_queries
from portal.outbox import services as outbox
from portal.outbox.models import ProviderIntent
from portal.outbox.services import Fence
from portal.workflows import carrier_calls, despatch_calls, marketplace_calls, payment_calls
from portal.workflows.calls import UNFIT, Found, Operation

OPERATIONS: dict[str, Operation] = {
    **payment_calls.OPERATIONS,
    **carrier_calls.OPERATIONS,
    **despatch_calls.OPERATIONS,
    **marketplace_calls.OPERATIONS,
}
# What the calls are called on screens.
OPERATION_NAMES = {
    "approve_item": noted("Release to the seller"),
    "refund_item": noted("Refund to the buyer"),
    "cancel_payment": noted("Cancel a surplus payment"),
    "register_seller": noted("Register a seller"),
    "create_consignment": noted("Announce a parcel to the carrier"),
    "cancel_consignment": noted("Take a parcel back from the carrier"),
    "draft_despatch": noted("Lay down a despatch note"),
    "send_despatch": noted("Send a despatch note to the tax office"),
    "storefront_picking": noted("Tell a storefront that a package is packed"),
    "storefront_invoiced": noted("Tell a storefront that a package is invoiced"),
    "storefront_split": noted("Ask a storefront to split a package"),
    "storefront_cannot_supply": noted("Tell a storefront what cannot be supplied"),
}
# What a call is about.
ABOUT_NAMES = {
    "hold": noted("hold"),
    "refund": noted("refund"),
    "payment": noted("payment"),
    "organisation": noted("organisation"),
    "shipment": noted("parcel"),
    "despatch note": noted("despatch note"),
    "storefront package": noted("marketplace package"),
}


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
    operation, ours = OPERATIONS[intent.operation], outbox.fence(intent)
    answer = operation.call(intent)
    if answer.outcome is Outcome.REFUSED and operation.may_be_sent_again and _says_done(operation, intent):
        # "Already approved" is a refusal in their words and a success in ours.
        answer = CallAnswer(Outcome.DONE, why=f"{answer.why} (already done)")
    _into_the_books(intent, ours, lambda: _note(intent, operation, answer))


def _into_the_books(intent: ProviderIntent, ours: Fence, note: Callable[[], None]) -> None:
    """The answer is applied if the call is still ours. One the books cannot take must not hold up the others."""
    try:
        with atomic():
            if not outbox.still_mine(intent, ours):
                logger.warning("intent {}: an answer came after the lease had run out", intent.id)
                return
            note()
    except (Refusal, Discrepancy) as odd:
        logger.error("intent {}: the books do not take the answer: {}", intent.id, odd)
        with atomic():
            if outbox.still_mine(intent, ours):
                outbox.does_not_fit(intent, note=f"{UNFIT}: {odd}")


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
    operation, ours = OPERATIONS[intent.operation], outbox.fence(intent)
    found = _asked(operation, intent)
    _into_the_books(intent, ours, lambda: _note_found(intent, operation, found))


def _note_found(intent: ProviderIntent, operation: Operation, found: Found) -> None:
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


def ask_now(intent: ProviderIntent) -> Found:
    """What the provider says about a call, for somebody who wants to know; changes nothing."""
    return _asked(OPERATIONS[intent.operation], intent)

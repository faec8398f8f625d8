"""Money in trust: paid in, released to the seller, or given back."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.errors import BadInput, Refusal
from portal.core.i18n import noted
from portal.core.money import Money
from portal.core.state_machine import WrongMoment
from portal.escrow import rules
from portal.escrow.models import EscrowHold, EscrowRefund, NetworkPayment, ProviderPayout
from portal.escrow.ports import CheckoutPage, PaidItem, PaidOut, PaymentState
from portal.escrow.states import HOLD, PAYMENT, REFUND, Hold, Payment, Refund
from portal.ledger import accounts
from portal.ledger import services as ledger
from portal.ledger.models import Account
from portal.ledger.services import Pair
from portal.orders.models import Checkout, OrderLine
from portal.outbox import services as outbox


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


def item_key(line: OrderLine) -> str:
    """Our name of a basket item at the provider."""
    return f"L{line.id}"


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


def capture(payment: NetworkPayment, lines: dict[str, OrderLine], state: PaymentState) -> None:
    """The buyer has paid: the money is in trust, one hold per line. Raises Discrepancy when a figure differs."""
    _compare(payment, lines, state)
    _moved_to_paid(payment, Payment.PAID, state)
    pairs = [_hold_and_pair(payment, lines[item.item_key], item) for item in state.items]
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


def release(hold: EscrowHold, *, by: Actor, because: str) -> None:
    """The seller may be paid: the buyer has the goods, and nobody objected in time. The provider is asked afterwards."""
    if _open_refund(hold.id):
        raise RefundUnderway(_l("A refund of this amount is on its way; it has to be settled first."))
    HOLD.move(hold, Hold.RELEASING, actor=by, reason=because, release_number=hold.release_number + 1)
    outbox.intend(
        "approve_item",
        provider=hold.provider,
        key=f"approve:{hold.id}:{hold.release_number}",
        subject=("hold", hold.id),
        request={"item_key": hold.provider_item_key},
        by=by,
    )


def released(hold: EscrowHold, seller_organisation_id: int) -> bool:
    """The provider let it go: the seller's balance and our commission are posted. False when that was known."""
    if hold.state == Hold.RELEASED:
        return False
    left = hold.held_kurus
    seller_left = hold.seller_share_kurus - hold.refunded_seller_kurus
    HOLD.move(
        hold,
        Hold.RELEASED,
        actor=SYSTEM,
        reason=noted("approved at the provider"),
        held_kurus=0,
        released_kurus=left,
        released_at=clock.now(),
    )
    about = {"order_id": hold.order_id, "hold_id": hold.id}
    ledger.post(
        "RELEASE",
        [
            Pair(accounts.ESCROW, accounts.seller(seller_organisation_id), Money(seller_left), **about),
            Pair(accounts.ESCROW, accounts.COMMISSION, Money(left - seller_left), **about),
        ],
        key=f"release:{hold.id}",
        subject=("hold", hold.id),
        by=SYSTEM,
        because=noted("delivered and accepted"),
        effective_on=clock.today(),
    )
    return True


def release_refused(hold: EscrowHold, *, why: str) -> None:
    """The provider will not let it go; the money stays in trust and reconciliation tries again."""
    if hold.state == Hold.RELEASING:
        HOLD.move(hold, Hold.HELD, actor=SYSTEM, reason=why)


def ask_refund(
    hold: EscrowHold, amount: Money, seller_organisation_id: int, *, by: Actor, because: str
) -> EscrowRefund:
    """Give money back to the buyer, mirroring the split; from trust, or from what was already released.

    `hold` is locked by the caller. Refuses more than is left, a second refund at the same time, and what the
    seller's balance no longer covers.
    """
    _refund_possible(hold, amount, because)
    parts = rules.refund_parts(
        amount,
        amount=Money(hold.amount_kurus),
        seller_share=Money(hold.seller_share_kurus),
        refunded=Money(hold.refunded_kurus),
        refunded_seller=Money(hold.refunded_seller_kurus),
    )
    refund = EscrowRefund(
        hold_id=hold.id,
        amount_kurus=amount.kurus,
        seller_part_kurus=parts.seller.kurus,
        commission_part_kurus=parts.commission.kurus,
        after_release=hold.state == Hold.RELEASED,
        because=because.strip(),
        state=Refund.REQUESTED,
        requested_by=by.name,
        requested_by_person_id=by.person_id,
        requested_at=clock.now(),
    )
    db.session.add(refund)
    REFUND.begin(refund, actor=by, reason=because)
    if refund.after_release:
        _take_back(hold, refund, seller_organisation_id, by)
    outbox.intend(
        "refund_item",
        provider=hold.provider,
        key=f"refund:{refund.id}",
        subject=("refund", refund.id),
        request={"item_key": hold.provider_item_key, "amount_kurus": amount.kurus, "because": because.strip()},
        by=by,
    )
    return refund


def refund_done(refund: EscrowRefund, hold: EscrowHold) -> None:
    """The provider gave the money back."""
    REFUND.move(refund, Refund.DONE, actor=SYSTEM, reason=noted("refunded at the provider"), settled_at=clock.now())
    source = "released_kurus" if refund.after_release else "held_kurus"
    figures = {
        source: getattr(hold, source) - refund.amount_kurus,
        "refunded_kurus": hold.refunded_kurus + refund.amount_kurus,
        "refunded_seller_kurus": hold.refunded_seller_kurus + refund.seller_part_kurus,
    }
    _note_figures(hold, figures, emptied=figures[source] == 0)
    pair = Pair(
        accounts.ESCROW,
        accounts.provider(hold.provider),
        Money(refund.amount_kurus),
        order_id=hold.order_id,
        hold_id=hold.id,
    )
    ledger.post(
        "REFUND",
        [pair],
        key=f"refund:{refund.id}",
        subject=("refund", refund.id),
        by=SYSTEM,
        because=refund.because,
        effective_on=clock.today(),
    )


def refund_refused(refund: EscrowRefund, *, why: str, taken_back_entry_id: int | None) -> None:
    """The provider will not give it back: what was taken from the seller for it is returned."""
    REFUND.move(refund, Refund.REFUSED, actor=SYSTEM, reason=why, settled_at=clock.now())
    if taken_back_entry_id is not None:
        ledger.reverse(
            taken_back_entry_id,
            key=f"refund-take-back-undone:{refund.id}",
            by=SYSTEM,
            because=why,
            effective_on=clock.today(),
        )


def paid_out(hold: EscrowHold, row: PaidOut, seller_organisation_id: int) -> bool:
    """The provider sent money to a bank account; False when we knew."""
    receiver = "SELLER" if row.seller_key else "PLATFORM"
    new = db.session.execute(
        insert(ProviderPayout)
        .values(
            provider=hold.provider,
            provider_item_key=row.provider_item_key,
            receiver=receiver,
            hold_id=hold.id,
            amount_kurus=row.amount.kurus,
            paid_on=row.paid_on,
        )
        .on_conflict_do_nothing(constraint="one_payout_per_item_and_receiver")
        .returning(ProviderPayout.id)
    ).scalar()
    if new is None:
        return False
    debit = accounts.seller(seller_organisation_id) if row.seller_key else accounts.BANK
    ledger.post(
        "PAYOUT",
        [Pair(debit, accounts.provider(hold.provider), row.amount, order_id=hold.order_id, hold_id=hold.id)],
        key=f"payout:{hold.provider}:{row.provider_item_key}:{receiver}",
        subject=("payout", new),
        by=SYSTEM,
        because=noted("the provider paid it out"),
        effective_on=row.paid_on,
    )
    return True


def _compare(payment: NetworkPayment, lines: dict[str, OrderLine], state: PaymentState) -> None:
    """The provider's basket must be ours, to the kuruş."""
    if state.paid.kurus != payment.amount_kurus:
        raise Discrepancy(f"paid {state.paid.kurus} kuruş instead of {payment.amount_kurus}")
    if {item.item_key for item in state.items} != lines.keys() or len(state.items) != len(lines):
        raise Discrepancy("the items are not the ones we sent")
    for item in state.items:
        line = lines[item.item_key]
        if (item.amount.kurus, item.seller_share.kurus) != (line.total_kurus, line.seller_share_kurus):
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


def _hold_and_pair(payment: NetworkPayment, line: OrderLine, item: PaidItem) -> Pair:
    hold = EscrowHold(
        payment_id=payment.id,
        order_id=line.order_id,
        order_line_id=line.id,
        pieces=line.quantity,
        provider=payment.provider,
        provider_item_key=item.provider_item_key,
        amount_kurus=line.total_kurus,
        seller_share_kurus=line.seller_share_kurus,
        commission_kurus=line.commission_kurus,
        held_kurus=line.total_kurus,
        state=Hold.HELD,
    )
    db.session.add(hold)
    HOLD.begin(hold, actor=SYSTEM, reason=noted("the buyer paid"))
    provider = accounts.provider(payment.provider)
    return Pair(provider, accounts.ESCROW, Money(line.total_kurus), order_id=line.order_id, hold_id=hold.id)


def _refund_possible(hold: EscrowHold, amount: Money, because: str) -> None:
    if not because.strip():
        raise BadInput(fields={"because": _l("Say why, so that others understand it later.")})
    if amount.kurus <= 0:
        raise BadInput(fields={"amount": _l("More than nothing.")})
    if hold.state == Hold.RELEASING:
        raise WrongMoment(_l("The release is just being asked for. Try again when the answer is here."))
    if _open_refund(hold.id):
        raise RefundUnderway(_l("A refund of this amount is already on its way."))
    if amount.kurus > hold.amount_kurus - hold.refunded_kurus:
        raise MoreThanIsLeft(_l("That is more than is left."), left_kurus=hold.amount_kurus - hold.refunded_kurus)


def _open_refund(hold_id: int) -> int | None:
    asked = select(EscrowRefund.id).where(EscrowRefund.hold_id == hold_id, EscrowRefund.state == Refund.REQUESTED)
    return db.session.scalar(asked)


def _take_back(hold: EscrowHold, refund: EscrowRefund, seller_organisation_id: int, by: Actor) -> None:
    """Back into trust first: if the seller's balance does not cover it, nothing has been asked of anybody."""
    seller = accounts.seller(seller_organisation_id)
    account = db.session.execute(select(Account).where(Account.code == seller).with_for_update()).scalar_one()
    if account.balance_kurus < refund.seller_part_kurus:
        raise SellerAlreadyPaid(_l("The seller has already been paid out; the balance does not cover this refund."))
    about: dict[str, Any] = {"order_id": hold.order_id, "hold_id": hold.id}
    ledger.post(
        "REFUND_TAKE_BACK",
        [
            Pair(seller, accounts.ESCROW, Money(refund.seller_part_kurus), **about),
            Pair(accounts.COMMISSION, accounts.ESCROW, Money(refund.commission_part_kurus), **about),
        ],
        key=f"refund-take-back:{refund.id}",
        subject=("refund", refund.id),
        by=by,
        because=refund.because,
        effective_on=clock.today(),
    )


def _note_figures(hold: EscrowHold, figures: dict[str, int], *, emptied: bool) -> None:
    if emptied:
        HOLD.move(hold, Hold.REFUNDED, actor=SYSTEM, reason=noted("all of it was refunded"), **figures)
        return
    for name, kurus in figures.items():
        setattr(hold, name, kurus)
    db.session.flush()

"""Money goes back to the buyer, mirroring the split."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.errors import BadInput
from portal.core.i18n import noted
from portal.core.money import Money
from portal.core.state_machine import WrongMoment
from portal.escrow import rules
from portal.escrow.models import EscrowHold, EscrowRefund
from portal.escrow.services.refusals import MoreThanIsLeft, RefundUnderway, SellerAlreadyPaid
from portal.escrow.states import HOLD, REFUND, Hold, Refund
from portal.ledger import accounts
from portal.ledger import services as ledger
from portal.ledger.models import Account
from portal.ledger.services import Pair
from portal.outbox import services as outbox


def ask_refund(
    hold: EscrowHold,
    amount: Money,
    seller_organisation_id: int,
    *,
    by: Actor,
    because: str,
    for_pieces: bool = False,
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
        for_pieces=for_pieces,
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


def _refund_possible(hold: EscrowHold, amount: Money, because: str) -> None:
    if not because.strip():
        raise BadInput(fields={"because": _l("Say why, so that others understand it later.")})
    if amount.kurus <= 0:
        raise BadInput(fields={"amount": _l("More than nothing.")})
    if hold.state == Hold.RELEASING:
        raise WrongMoment(_l("The release is just being asked for. Try again when the answer is here."))
    if open_refund(hold.id):
        raise RefundUnderway(_l("A refund of this amount is already on its way."))
    if amount.kurus > hold.amount_kurus - hold.refunded_kurus:
        raise MoreThanIsLeft(_l("That is more than is left."), left_kurus=hold.amount_kurus - hold.refunded_kurus)


def open_refund(hold_id: int) -> int | None:
    """The refund of a hold that is on its way, if there is one."""
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

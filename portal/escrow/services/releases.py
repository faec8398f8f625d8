"""Money leaves trust for the seller."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.i18n import noted
from portal.core.money import Money
from portal.escrow.models import EscrowHold, ProviderPayout
from portal.escrow.ports import PaidOut
from portal.escrow.services.refunds import open_refund
from portal.escrow.services.refusals import Discrepancy, RefundUnderway
from portal.escrow.states import HOLD, Hold
from portal.ledger import accounts
from portal.ledger import services as ledger
from portal.ledger.models import Account
from portal.ledger.services import Pair
from portal.outbox import services as outbox


def release(hold: EscrowHold, *, by: Actor, because: str) -> None:
    """The seller may be paid: the buyer has the goods, and nobody objected in time. The provider is asked afterwards."""
    if open_refund(hold.id):
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
    """The provider let it go: the seller's balance and our commission are posted. False when that was known.

    It may be news of long ago: found by reconciliation since, and even refunded since.
    """
    if hold.released_at is not None:
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


def paid_out(hold: EscrowHold, row: PaidOut, seller_organisation_id: int) -> bool:
    """The provider sent money to a bank account; False when we knew."""
    receiver = "SELLER" if row.seller_key else "PLATFORM"
    if row.seller_key and not _balance_covers(seller_organisation_id, row):
        raise Discrepancy(f"{row.amount.kurus} kuruş paid out for item {row.provider_item_key}: more than is owed")
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


def _balance_covers(seller_organisation_id: int, row: PaidOut) -> bool:
    """A payout we knew is no new one; any other must be covered by what we owe the seller."""
    known = select(ProviderPayout.id).where(
        ProviderPayout.provider_item_key == row.provider_item_key, ProviderPayout.receiver == "SELLER"
    )
    owed = select(Account.balance_kurus).where(Account.code == accounts.seller(seller_organisation_id))
    return db.session.scalar(known) is not None or (db.session.scalar(owed) or 0) >= row.amount.kurus

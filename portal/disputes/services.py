"""What buyer, seller and finance do in an argument. Pieces and money are moved by the workflow that calls these."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.errors import BadInput, Refusal
from portal.core.i18n import noted
from portal.disputes.models import DisputeMessage, DisputePhoto, PieceDispute
from portal.disputes.pictures import Picture
from portal.disputes.states import DISPUTE, UNSETTLED, Dispute, Problem, Resolution
from portal.orders.models import OrderLine

MOST_PHOTOS = 10


class NothingOffered(Refusal):
    """There is no offer to agree to."""

    code = "nothing_offered"

    def __init__(self) -> None:
        super().__init__(_l("Nothing that you could agree to has been offered, or it was settled meanwhile."))


class TooManyPhotos(Refusal):
    """Enough pictures of one trouble."""

    code = "too_many_photos"


def open_dispute(
    line: OrderLine, *, shipment_id: int, problem: Problem, pieces: int, days: int, by: Actor
) -> PieceDispute:
    """The buyer objects to some pieces; seller and buyer have some days to settle it among themselves."""
    dispute = PieceDispute(
        order_id=line.order_id,
        shipment_id=shipment_id,
        order_line_id=line.id,
        problem=problem,
        pieces=pieces,
        amount_kurus=line.unit_price_kurus * pieces,
        state=Dispute.OPEN,
        answer_by_on=clock.today() + timedelta(days=days),
        opened_by=by.name,
        opened_at=clock.now(),
    )
    db.session.add(dispute)
    DISPUTE.begin(dispute, actor=by, reason=noted("the buyer objects"))
    return dispute


def say(dispute: PieceDispute, body: str, *, role: str, by: Actor) -> None:
    """One more sentence in the conversation; settled ones stay open for talking."""
    if not body.strip():
        raise BadInput(fields={"body": _l("Write something.")})
    db.session.add(
        DisputeMessage(
            dispute_id=dispute.id,
            author=by.name,
            author_person_id=by.person_id,
            author_role=role,
            body=body.strip()[:2000],
            said_at=clock.now(),
        )
    )
    db.session.flush()


def add_photo(dispute: PieceDispute, picture: Picture, *, count: int, by: Actor) -> None:
    """A picture of the trouble; the same one again is kept once."""
    if count >= MOST_PHOTOS:
        raise TooManyPhotos(_l("Ten pictures are enough for one trouble."))
    db.session.execute(
        insert(DisputePhoto)
        .values(dispute_id=dispute.id, taken_by=by.name, **picture._asdict())
        .on_conflict_do_nothing(constraint="one_copy_of_a_picture")
    )


def offer_replacement(dispute: PieceDispute, *, by: Actor) -> None:
    """The seller would send new pieces, if the buyer agrees."""
    if dispute.state not in UNSETTLED:
        raise NothingOffered
    dispute.offer = Resolution.REPLACEMENT
    say(dispute, noted("New pieces are offered."), role="seller", by=by)


def escalate(dispute: PieceDispute) -> None:
    """The days have passed without an agreement: finance decides."""
    DISPUTE.move(dispute, Dispute.ESCALATED, actor=SYSTEM, reason=noted("no agreement in the agreed days"))


def await_return(dispute: PieceDispute, return_shipment_id: int, *, days: int, by: Actor, because: str) -> None:
    """The money goes back as soon as the goods are with the seller again; after some days finance looks."""
    DISPUTE.move(
        dispute,
        Dispute.AWAITING_RETURN,
        actor=by,
        reason=because,
        return_shipment_id=return_shipment_id,
        answer_by_on=clock.today() + timedelta(days=days),
    )


def settle(dispute: PieceDispute, resolution: Resolution, *, by: Actor, because: str) -> None:
    """It is over, and how."""
    if not because.strip():
        raise BadInput(fields={"because": _l("Say why, so that others understand it later.")})
    DISPUTE.move(
        dispute,
        Dispute.SETTLED,
        actor=by,
        reason=because,
        resolution=resolution.value,
        because=because.strip(),
        settled_by=by.name,
        settled_at=clock.now(),
    )

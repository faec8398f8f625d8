"""The buyer's answer to a parcel, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput, Refusal
from portal.orders import services as orders
from portal.shipping.models import DeliveryReceipt, DeliveryReceiptLine, Shipment
from portal.shipping.states import ANSWERED, PARCEL, Parcel


class LineAnswer(NamedTuple):
    """What the buyer says of one line in a parcel: pieces."""

    line_id: int
    accepted: int
    damaged: int = 0
    missing: int = 0

    @property
    def objected(self) -> int:
        """Pieces the buyer objects to."""
        return self.damaged + self.missing


class AlreadyAnswered(Refusal):
    """The parcel was answered before, and differently. An answer is not taken back."""

    code = "already_answered"


class DoesNotAddUp(BadInput):
    """Accepted, damaged and missing must add up to what is in the parcel."""

    code = "does_not_add_up"


def answer(
    shipment: Shipment, answers: Sequence[LineAnswer] | None, *, by: Actor, because: str, via: str, note: str = ""
) -> list[LineAnswer]:
    """The buyer has looked into the parcel; None means everything is there. The same again changes nothing.

    Returns what was said now (empty for a repeat). Refuses another answer than the first, and one that does not add up.
    """
    said = everything(shipment) if answers is None else sorted(answers)
    if shipment.state in ANSWERED:
        # "Everything is here" said of all parcels does not speak about those already answered.
        if answers is not None and said != answered(shipment):
            raise AlreadyAnswered(_l("This parcel has already been answered; an answer cannot be taken back."))
        return []
    _adds_up(shipment, said)
    state = Parcel.OBJECTED if any(line.objected for line in said) else Parcel.ACCEPTED
    PARCEL.move(shipment, state, actor=by, reason=because, accepted_at=clock.now(), accepted_by=by.name)
    _write_down(shipment, said, by, via, note)
    for line in said:
        orders.answer_pieces(line.line_id, accepted=line.accepted, disputed=line.objected)
    return said


def everything(shipment: Shipment) -> list[LineAnswer]:
    """All pieces of the parcel, accepted."""
    return sorted(LineAnswer(item["line_id"], item["quantity"]) for item in shipment.items)


def answered(shipment: Shipment) -> list[LineAnswer]:
    """What was answered."""
    wanted = (
        select(DeliveryReceiptLine)
        .join(DeliveryReceipt, DeliveryReceipt.id == DeliveryReceiptLine.receipt_id)
        .where(DeliveryReceipt.shipment_id == shipment.id)
    )
    return sorted(LineAnswer(x.order_line_id, x.accepted, x.damaged, x.missing) for x in db.session.scalars(wanted))


def _adds_up(shipment: Shipment, said: Sequence[LineAnswer]) -> None:
    inside = {item["line_id"]: item["quantity"] for item in shipment.items}
    wrong = {
        f"lines[{line.line_id}]": _l("Accepted, damaged and missing must add up to what is in the parcel.")
        for line in said
        if min(line.accepted, line.damaged, line.missing) < 0
        or inside.get(line.line_id) != line.accepted + line.objected
    }
    named = [line.line_id for line in said]
    if sorted(named) != sorted(inside):
        wrong.setdefault("lines", _l("Say something about every line of the parcel, once."))
    if wrong:
        raise DoesNotAddUp(fields=wrong)


def _write_down(shipment: Shipment, said: Sequence[LineAnswer], by: Actor, via: str, note: str) -> None:
    receipt = DeliveryReceipt(
        shipment_id=shipment.id,
        via=via,
        note=note.strip()[:2000],
        answered_by=by.name,
        answered_by_person_id=by.person_id,
        answered_at=clock.now(),
    )
    db.session.add(receipt)
    db.session.flush()
    for line in said:
        db.session.add(
            DeliveryReceiptLine(
                receipt_id=receipt.id,
                order_line_id=line.line_id,
                accepted=line.accepted,
                damaged=line.damaged,
                missing=line.missing,
            )
        )
    db.session.flush()

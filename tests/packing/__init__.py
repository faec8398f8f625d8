"""The packing table of the tests: Deniz's parcel, Cem's scanner."""

from __future__ import annotations

import uuid

from portal.core import clock
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.packing import queries
from portal.packing.services import Answer, Heard
from portal.packing.states import Source
from portal.workflows import delivery, set_aside
from portal.workflows import packing as story
from tests.cast import Cast, actor
from tests.story import FILM, TAPE

CASE = f"1{FILM}"
IN_A_CASE = 12


class Table:
    """A task with three rolls of tape and fourteen of film; every act in a unit of its own, as a view would do it."""

    def __init__(self, cast: Cast, shipment_id: int) -> None:
        self.cem, self.shipment_id = actor(cast.cem), shipment_id
        with atomic():
            self.task = story.take_in_hand(Source.SHIPMENT, shipment_id, by=self.cem)
        self.box = queries.boxes(self.task)[0].id
        self.lines = {line.barcode: line.id for line in queries.lines(self.task)}
        db.session.rollback()

    def say(self, *heard: Heard, device: str = "one") -> list[Answer]:
        """One message of a device."""
        with atomic():
            return story.scan(self.task, heard, device=device, by=self.cem).answers

    def heard(self, barcode: str, *, kind: str = "scan", box: uuid.UUID | None = None, refused: bool = False) -> Heard:
        """One thing to say."""
        return Heard(uuid.uuid4(), kind, clock.now(), barcode, box or self.box, refused)

    def scan(self, barcode: str, times: int = 1, *, box: uuid.UUID | None = None, device: str = "one") -> list[str]:
        """Scan something so many times, one message each; the verdicts."""
        return [self.say(self.heard(barcode, box=box), device=device)[0].verdict for _ in range(times)]

    def undo(self, device: str = "one") -> str:
        """Take back the last one."""
        return self.say(self.heard("", kind="undo"), device=device)[0].verdict

    def new_box(self) -> uuid.UUID:
        """Open a further box."""
        box = uuid.uuid4()
        self.say(Heard(uuid.uuid4(), "box", clock.now(), "", box))
        return box

    def fill(self) -> None:
        """Everything goes into the first box."""
        self.say(*[self.heard(TAPE) for _ in range(3)], self.heard(CASE), self.heard(FILM), self.heard(FILM))

    def confirm(self) -> list[str]:
        """Close the boxes, as the view does."""
        with set_aside.shortages_noted(by=self.cem), atomic():
            return story.confirm(self.task, by=self.cem)

    def packed(self) -> dict[str, int]:
        """Pieces packed, by barcode."""
        found = {line.barcode: line.packed for line in queries.lines(self.task)}
        db.session.rollback()
        return found


def prepared(cast: Cast, order_id: int) -> int:
    """Deniz gives the whole order to the packers; the parcel's id."""
    with atomic():
        return delivery.prepare_parcel(order_id, by=actor(cast.deniz)).id

"""Parcels where a test needs them: with a carrier, on its way, answered; and time that passes for those who ask."""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import func, select, update

from portal.core.database import DB_NOW, db
from portal.core.ports import Outcome
from portal.core.unit_of_work import atomic
from portal.despatch.models import DespatchNote
from portal.inbox.models import InboxMessage
from portal.integrations.mock_carrier.adapter import MockCarrier
from portal.orders import queries as orders_queries
from portal.orders.models import Order
from portal.outbox.models import ProviderIntent
from portal.outbox.states import Intent
from portal.sandbox.carriers import MOCK_WEBHOOK_SECRET
from portal.shipping import queries as shipping_queries
from portal.shipping.models import CarrierScan, Shipment, ShipmentWatch
from portal.shipping.ports import Carriers, Scan, Tracked, TrackingAnswer
from portal.shipping.services import LineAnswer, Piece
from portal.workflows import delivery, tracking
from portal.workflows.standing import with_order
from tests import story
from tests.cast import Cast, actor
from tests.world import SandboxControl

R = TypeVar("R")
CARRIERS = ("mock", "yurtici", "aras")
THE_WHOLE_WAY = ("picked_up", "in_transit", "out_for_delivery", "attempt_failed", "delivered")
LATER = timedelta(minutes=-1)


# Orders and parcels ---------------------------------------------------------------------------------------


def tapes(app: Flask, cast: Cast, sandbox: SandboxControl, pieces: int = 4) -> Order:
    """Fatma's paid order of so many rolls of tape at Deniz."""
    return story.paid(app, cast, sandbox, (story.TAPE, pieces))[0]


def packed(order: Order, cast: Cast, carrier: str = "manual", pieces: int | None = None) -> Shipment:
    """Prepared by Deniz, packed by Cem: the carrier is to be told."""
    line = orders_queries.lines_of(order.id)[0]
    some = None if pieces is None else [Piece(line.id, pieces)]
    with atomic():
        parcel = delivery.prepare_parcel(order.id, by=actor(cast.deniz), carrier_code=carrier, pieces=some)
    with atomic():
        return delivery.pack_parcel(parcel.id, by=actor(cast.cem))


def announced(order: Order, cast: Cast, carrier: str, pieces: int | None = None) -> Shipment:
    """And its carrier knows it."""
    parcel = packed(order, cast, carrier, pieces)
    story.drain("provider_calls")
    return parcel


def handed_over(order: Order, cast: Cast, carrier: str = "manual", pieces: int | None = None) -> Shipment:
    """And gone."""
    parcel = packed(order, cast, carrier, pieces)
    hand_over(parcel, cast)
    return parcel


def hand_over(parcel: Shipment, cast: Cast) -> None:
    """Deniz gives it to whoever carries it."""
    with atomic():
        delivery.hand_over_parcel(parcel.id, carrier="Elden", tracking_number="", by=actor(cast.deniz))


def arrives(parcel: Shipment, cast: Cast) -> None:
    """It is there."""
    with atomic():
        delivery.parcel_delivered(parcel.id, by=actor(cast.deniz), because="brought by hand")


def answer(parcel: Shipment, cast: Cast, *said: LineAnswer, note: str = "") -> None:
    """Fatma has looked into it."""
    with atomic():
        delivery.confirm_delivery(
            parcel.order_id, by=actor(cast.fatma), because="teslim aldım", answers={parcel.id: said}, note=note
        )


def fresh(parcel: Shipment) -> Shipment:
    """The parcel as it is now."""
    db.session.rollback()
    found = db.session.get_one(Shipment, parcel.id, populate_existing=True)
    db.session.rollback()
    return found


def states(parcel: Shipment) -> tuple[str, str]:
    """Where parcel and order are."""
    return fresh(parcel).state, orders_queries.any_order(parcel.order_id).state


# What carriers and offices said ---------------------------------------------------------------------------


def watch_of(parcel: Shipment) -> ShipmentWatch:
    """How the asking goes."""
    db.session.rollback()
    found = shipping_queries.watch_of(parcel.id)
    assert found, "nobody asks about it"
    return found


def heard(parcel: Shipment) -> list[CarrierScan]:
    """What the carrier said, in the order in which we heard it."""
    db.session.rollback()
    return list(
        db.session.scalars(select(CarrierScan).where(CarrierScan.shipment_id == parcel.id).order_by(CarrierScan.id))
    )


def words(parcel: Shipment) -> list[str]:
    """And how each was understood."""
    return [scan.status for scan in heard(parcel)]


def count(wanted: type[object], *where: object) -> int:
    """How many rows there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(wanted).where(*where)) or 0  # type: ignore[arg-type]


# What the carrier calls about -----------------------------------------------------------------------------


def notify(app: Flask, webhook: dict[str, Any], *, carrier: str = "mock", signature: str = "") -> int:
    """Örnek Kargo calls; the status of our answer."""
    headers = {"X-Ornek-Signature": signature or webhook["signature"]}
    address = f"/api/webhooks/shipments/{carrier}"
    client = app.test_client()
    return client.post(address, data=webhook["raw"], content_type="application/json", headers=headers).status_code


def signed(key: str) -> dict[str, Any]:
    """A message as the carrier would sign it."""
    raw = json.dumps({"event_id": "1", "key": key, "status": "delivered", "at": "2026-11-20T12:00:00+03:00"})
    return {"raw": raw, "signature": hmac.new(MOCK_WEBHOOK_SECRET.encode(), raw.encode(), "sha256").hexdigest()}


class Counting(MockCarrier):
    """Örnek Kargo, which takes a moment to answer; every question is written down."""

    def __init__(self, carrier: MockCarrier) -> None:
        super().__init__(carrier.client)
        self.questions: list[str] = []

    def track(self, key: str) -> TrackingAnswer:
        """Where is it?"""
        self.questions.append(key)
        time.sleep(0.1)
        return super().track(key)


def count_questions(app: Flask) -> list[str]:
    """Every question to Örnek Kargo from now on."""
    by_code = app.extensions["ports"][Carriers].by_code
    by_code["mock"] = Counting(by_code["mock"])
    questions: list[str] = by_code["mock"].questions
    return questions


# Words in whatever order -----------------------------------------------------------------------------------

USUAL = (Tracked.PICKED_UP, Tracked.IN_TRANSIT, Tracked.OUT_FOR_DELIVERY)
NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class End:
    """Where parcel and order stand, and what the parcel's history says."""

    parcel: str
    order: str
    furthest: str | None
    shipped: int
    kept: int


def said(status: Tracked) -> Scan:
    """One scan, an hour later for each step further."""
    at = NOON + timedelta(hours=list(Tracked).index(status))
    return Scan(status, status.value.lower(), f"words of {status.value}", at)


def hear_one(parcel_id: int, status: Tracked) -> None:
    """The carrier says one thing."""
    shipment, order = with_order(parcel_id)
    tracking.learn(shipment, order, TrackingAnswer(Outcome.DONE, scans=(said(status),)))


def end_of(parcel_id: int) -> End:
    """What came of it, inside the same unit of work."""
    shipment, order = with_order(parcel_id)
    kept = db.session.scalar(select(func.count()).where(CarrierScan.shipment_id == parcel_id)) or 0
    shipped = sum(line.shipped_quantity for line in orders_queries.lines_of(order.id))
    return End(shipment.state, order.state, shipment.carrier_status, shipped, kept)


def ends(parcel_id: int, events: tuple[Tracked, ...]) -> list[End]:
    """What comes of the events in every possible order; each is tried and undone."""
    with atomic():
        return list(_ends(parcel_id, events))


def _ends(parcel_id: int, left: tuple[Tracked, ...]) -> Iterator[End]:
    if not left:
        yield end_of(parcel_id)
    for status in left:
        before = db.session.begin_nested()
        hear_one(parcel_id, status)
        yield from _ends(parcel_id, tuple(other for other in left if other is not status))
        before.rollback()
        db.session.expire_all()


# Time passes for those who ask ----------------------------------------------------------------------------


def ask_carriers() -> int:
    """Every parcel still asked about is due now; how many questions there were."""
    with atomic() as session:
        session.execute(update(ShipmentWatch).values(next_ask_at=DB_NOW + LATER))
    return story.drain("shipment_sync")


def ask_office() -> None:
    """Every note is due now."""
    with atomic() as session:
        session.execute(update(DespatchNote).values(next_ask_at=DB_NOW + LATER))
    story.drain("despatch")


def read_inbox() -> None:
    """Every message is due now."""
    with atomic() as session:
        session.execute(update(InboxMessage).values(next_attempt_at=DB_NOW + LATER))
    story.drain("inbox")


def calls_settle(tries: int = 8) -> None:
    """Until no call is open any more, however often one has to be asked about."""
    for _ in range(tries):
        story.drain("provider_calls")
        with atomic() as session:
            still_open = ProviderIntent.state.in_((Intent.READY, Intent.SENDING, Intent.UNKNOWN))
            waiting = update(ProviderIntent).where(still_open).values(next_attempt_at=DB_NOW + LATER)
            if not session.scalars(waiting.returning(ProviderIntent.id)).all():
                return
    raise AssertionError("a call never came to an end")


def intent_of(operation: str) -> ProviderIntent:
    """The only call of its kind, as it is now."""
    db.session.rollback()
    wanted = select(ProviderIntent).where(ProviderIntent.operation == operation)
    return db.session.execute(wanted.execution_options(populate_existing=True)).scalar_one()


# Many at once ---------------------------------------------------------------------------------------------


def all_at_once(app: Flask, deeds: Sequence[Callable[[], R]]) -> list[R]:
    """Everybody in a thread and context of their own; they start together."""
    db.session.rollback()
    meet, done = threading.Barrier(len(deeds)), list[R]()

    def one(deed: Callable[[], R]) -> None:
        with app.app_context():
            meet.wait()
            done.append(deed())

    crowd = [threading.Thread(target=one, args=(deed,)) for deed in deeds]
    for person in crowd:
        person.start()
    for person in crowd:
        person.join()
    assert len(done) == len(deeds), "somebody came to grief"
    return done

"""Where is it? Carriers are asked about parcels on their way, and what they say moves the parcels on."""

from __future__ import annotations

from loguru import logger

from portal.core.actor import Actor
from portal.core.errors import UnknownWords
from portal.core.i18n import noted
from portal.core.ports import Outcome, port
from portal.core.unit_of_work import atomic
from portal.orders.models import Order
from portal.shipping import queries as shipping_queries
from portal.shipping import rules
from portal.shipping import services as shipping
from portal.shipping.models import Shipment, ShipmentWatch
from portal.shipping.ports import Carriers, Scan, Tracked, TrackingAnswer
from portal.shipping.states import ANSWERED, Parcel
from portal.workflows import delivery, set_aside
from portal.workflows.consignments import MANUAL, title_of
from portal.workflows.standing import order_follows, with_order


def ask_next() -> bool:
    """Ask the carrier about the next parcel that is due; False when none is."""
    with atomic():
        watched = shipping.claim_watch()
        shipment = shipping_queries.parcel(watched.shipment_id) if watched else None
    if watched is None or shipment is None:
        return False
    answer = where_is(shipment)
    with atomic():
        _noted(watched, answer)
    return True


def where_is(shipment: Shipment) -> TrackingAnswer:
    """What the carrier says about a parcel; words nobody can read count as silence, and are kept."""
    found = port(Carriers).by_code.get(shipment.carrier_code)
    if found is None:
        return TrackingAnswer(Outcome.REFUSED, why="no such carrier here")
    try:
        return found.track(shipment.key)
    except UnknownWords as words:
        logger.error("parcel {}: {}", shipment.key, words)
        return TrackingAnswer(Outcome.UNKNOWN, why=str(words)[:300])


def _noted(watched: ShipmentWatch, answer: TrackingAnswer) -> None:
    shipment, order = with_order(watched.shipment_id)
    if not shipping.still_watching(watched):
        return
    if answer.outcome is Outcome.DONE:
        learn(shipment, order, answer)
        shipping.heard_nothing_new(watched)
    elif shipping.did_not_answer(watched, answer.why):
        shipping.look_at(shipment, f"{title_of(shipment)}: {answer.why}")


def learn(shipment: Shipment, order: Order, answer: TrackingAnswer) -> None:
    """Bring a parcel to where its carrier says it is. Repeats, late and lower words change nothing but the history."""
    if answer.tracking_number and not shipment.tracking_number:
        shipment.tracking_number = answer.tracking_number[:100]
        shipment.tracking_url = answer.tracking_url[:300]
    new = shipping.hear(shipment, answer.scans)
    loud = shipping.loudest(new)
    if loud is not None:
        shipping.look_at(shipment, f"{title_of(shipment)}: {loud.words} ({loud.code})")
    furthest = rules.furthest(new)
    if furthest is not None:
        _follow_word(shipment, order, furthest)


def _follow_word(shipment: Shipment, order: Order, scan: Scan) -> None:
    by = Actor(title_of(shipment) or MANUAL)
    said = noted("the carrier says so")
    if shipment.state == Parcel.RETURNED:
        return  # whatever else is said came late
    if shipment.state in (Parcel.CANCELLED, Parcel.LOST):
        if scan.status not in (Tracked.CREATED, Tracked.LABELLED):
            shipping.look_at(shipment, f"{by.name}: {scan.words}")
        return
    if rules.RANK[scan.status] >= rules.RANK[Tracked.PICKED_UP] and shipment.state == Parcel.PACKED:
        delivery.hand_over_parcel(shipment.id, carrier=by.name, tracking_number="", by=by)
    if scan.status is Tracked.DELIVERED:
        delivery.delivered(shipment, order, by=by, because=said)
    elif scan.status is Tracked.RETURNED and shipment.state in ANSWERED:
        shipping.look_at(shipment, f"{by.name}: {scan.words}")
    elif scan.status is Tracked.RETURNED:
        shipping.came_back(shipment, by=by, because=said)
        order_follows(order, by=by, because=said)
        set_aside.put_back(shipment, order, by=by, because=said, from_the_road=True)
        set_aside.follow(order, by=by, because=said)


def sync_now(*, by: Actor) -> int:
    """Ask about every parcel on its way, now, but not those an operator has to decide about. Returns how many."""
    logger.info("shipment sync started by {}", by.name)
    with atomic():
        return shipping.ask_again()

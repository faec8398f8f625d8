"""Calls to carriers: announce a parcel, take it back."""

from __future__ import annotations

from portal.core.actor import SYSTEM
from portal.core.i18n import noted
from portal.core.ports import CallAnswer, Outcome, port
from portal.core.unit_of_work import atomic
from portal.outbox.models import ProviderIntent
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.ports import Address, Carrier, Carriers, Consignment
from portal.shipping.states import ON_THE_ROAD, Parcel
from portal.workflows import consignments
from portal.workflows.calls import Found, Operation
from portal.workflows.standing import with_order

CANCELLED_MEANWHILE = noted("the parcel was cancelled meanwhile")


def _carrier(intent: ProviderIntent) -> Carrier:
    return port(Carriers).by_code[intent.provider]


def _announce(intent: ProviderIntent) -> CallAnswer:
    with atomic():
        cancelled = shipping_queries.parcel(int(intent.subject_id)).state == Parcel.CANCELLED
    if cancelled:
        return CallAnswer(Outcome.REFUSED, why=CANCELLED_MEANWHILE)
    asked = dict(intent.request)
    sender, receiver = Address(**asked.pop("sender")), Address(**asked.pop("receiver"))
    return _carrier(intent).create(Consignment(sender=sender, receiver=receiver, **asked))


def _announced_there(intent: ProviderIntent) -> Found:
    """Aras shows a parcel only when a branch has it, so "nothing to show" proves nothing: announced again, which a
    carrier that knows the key takes as done."""
    answer = _carrier(intent).track(str(intent.request["key"]))
    if answer.outcome not in (Outcome.DONE, Outcome.REFUSED):
        return Found.NO_ANSWER
    return Found.DONE if answer.tracking_number or answer.scans else Found.NOT_DONE


def _announced(intent: ProviderIntent, _reference: str) -> None:
    """What they answer here is a job number at some; the tracking number comes with the first scans."""
    shipment, _order = with_order(int(intent.subject_id))
    if shipment.state == Parcel.CANCELLED:
        # The cancellation was faster than the announcement that was in doubt: taken back once more.
        consignments.take_back(shipment, by=SYSTEM, again=True)
        return
    if shipment.state not in ON_THE_ROAD:
        return
    # From here on their branch may scan it before anybody here says that it has left.
    shipping.watch(shipment)


def _not_announced(intent: ProviderIntent, why: str) -> None:
    shipment = shipping_queries.parcel_for_update(int(intent.subject_id))
    if shipment.state != Parcel.CANCELLED:
        shipping.look_at(shipment, f"{intent.provider}: {why}")


def _take_back(intent: ProviderIntent) -> CallAnswer:
    return _carrier(intent).cancel(str(intent.request["key"]))


def _taken_back_there(_intent: ProviderIntent) -> Found:
    # Taking back twice is taking back once, so asking is calling.
    return Found.NOT_DONE


def _taken_back(intent: ProviderIntent, _reference: str) -> None:
    shipping.stop_watching(shipping_queries.parcel_for_update(int(intent.subject_id)))


OPERATIONS = {
    "create_consignment": Operation(_announce, _announced_there, _announced, _not_announced, may_be_sent_again=True),
    "cancel_consignment": Operation(_take_back, _taken_back_there, _taken_back, _not_announced, may_be_sent_again=True),
}

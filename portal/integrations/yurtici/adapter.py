"""Yurtiçi Kargo plays the Carrier."""

from __future__ import annotations

from portal.core.ports import CallAnswer, Outcome
from portal.integrations.soap import Heard, text
from portal.integrations.yurtici import wire
from portal.integrations.yurtici.client import YurticiClient
from portal.shipping.ports import Consignment, TrackingAnswer


class YurticiCarrier:
    """They know a parcel by our key, and give it a number of theirs when a branch takes it in."""

    code = "yurtici"
    title = "Yurtiçi Kargo"
    legal_title = "Yurtiçi Kargo Servisi A.Ş."
    tax_number = "9860008925"  # as in their published contracts; the check digit fits

    def __init__(self, client: YurticiClient) -> None:
        self.client = client

    def create(self, consignment: Consignment) -> CallAnswer:
        """Announce a parcel; a key they know already is the parcel we announced before."""
        heard = self.client.ask("createShipment", wire.order(consignment))
        if heard.body is None:
            return _unheard(heard)
        said = wire.reading(heard.body, consignment.key, "shippingOrderDetailVO")
        reference = text(heard.body, "jobId")
        if said.code == wire.KEY_EXISTS or (said.yes and said.row is not None):
            return CallAnswer(Outcome.DONE, reference, said.words, said.code)
        return _no(said)

    def cancel(self, key: str) -> CallAnswer:
        """Take an announcement back, while no branch has taken the parcel in."""
        heard = self.client.ask("cancelShipment", wire.cancellation(key))
        if heard.body is None:
            return _unheard(heard)
        said = wire.reading(heard.body, key, "shippingCancelDetailVO")
        letters = "" if said.row is None else wire.operation_status(said.row)
        if said.code in wire.NOTHING_TO_CANCEL or (said.yes and letters in ("CNL", "ISC")):
            return CallAnswer(Outcome.DONE, why=said.words, code=said.code)
        if said.yes and letters in ("IND", "ISR", "DLV", "BI"):
            words = text(said.row, "operationMessage") or said.words
            return CallAnswer(Outcome.REFUSED, why=words, code=letters)
        return _no(said)

    def track(self, key: str) -> TrackingAnswer:
        """Where it is, and what went wrong on the way."""
        heard = self.client.ask("queryShipment", wire.question(key), language_field="wsLanguage")
        if heard.body is None:
            return TrackingAnswer(heard.outcome, why=heard.why)
        said = wire.reading(heard.body, key, "shippingDeliveryDetailVO")
        if not said.yes:
            no = _no(said)
            return TrackingAnswer(no.outcome, why=f"{no.code} {no.why}".strip())
        if said.row is None or not wire.operation_status(said.row):
            return TrackingAnswer(Outcome.UNKNOWN, why="an answer about no parcel of ours")
        number = wire.tracking_number(said.row)
        return TrackingAnswer(Outcome.DONE, number, wire.tracking_page(number), wire.scans(said.row))


def _unheard(heard: Heard) -> CallAnswer:
    return CallAnswer(heard.outcome, why=heard.why)


def _no(said: wire.Said) -> CallAnswer:
    """A named error is a no. Their 936, and answers that name nothing, leave open whether it was done."""
    named = said.code not in ("", "0", wire.UNEXPECTED)
    # Unsure: public integrations read flag 1 as an error of ours and 2 as one of theirs.
    refused = named or (said.flag == "1" and said.code != wire.UNEXPECTED)
    words = said.words or "an answer that says neither yes nor no"
    return CallAnswer(Outcome.REFUSED if refused else Outcome.UNKNOWN, why=words, code=said.code)

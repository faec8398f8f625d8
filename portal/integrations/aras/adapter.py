"""Aras Kargo plays the Carrier."""

from __future__ import annotations

from portal.core.ports import CallAnswer, Outcome
from portal.integrations.aras import wire
from portal.integrations.aras.client import ArasClient
from portal.shipping.ports import Consignment, TrackingAnswer


class ArasCarrier:
    """They know a parcel by our key, and give it thirteen digits when the branch invoices it."""

    code = "aras"
    title = "Aras Kargo"
    legal_title = "Aras Kargo Yurtiçi Yurtdışı Taşımacılık A.Ş."
    tax_number = "0720039666"

    def __init__(self, client: ArasClient) -> None:
        self.client = client

    def create(self, consignment: Consignment) -> CallAnswer:
        """Order a parcel. They give no number of their own yet."""
        heard = self.client.order("SetOrder", wire.order(consignment, self.client.user, self.client.password))
        if heard.body is None:
            return CallAnswer(heard.outcome, why=heard.why)
        code, words = wire.result(heard.body)
        if code in (wire.ORDER_TAKEN, wire.ORDER_KNOWN):
            return CallAnswer(Outcome.DONE, why=words, code=code)
        return _no(code, words)

    def cancel(self, key: str) -> CallAnswer:
        """Take an order back, while the branch has not invoiced it."""
        heard = self.client.order("CancelDispatch", wire.cancellation(key))
        if heard.body is None:
            return CallAnswer(heard.outcome, why=heard.why)
        code, words = wire.result(heard.body)
        if code in wire.CANCELLED:
            return CallAnswer(Outcome.DONE, why=words, code=code)
        return _no(code, words)

    def track(self, key: str) -> TrackingAnswer:
        """Where it is, then the road it took. Without the road, where it is still counts."""
        heard = self.client.query(wire.BY_INTEGRATION_CODE, {"IntegrationCode": key})
        if heard.body is None:
            return TrackingAnswer(heard.outcome, why=heard.why)
        outcome, parcels, why = wire.rows(heard.body, "Cargo")
        if outcome is not Outcome.DONE:
            return TrackingAnswer(outcome, why=why)
        if not parcels:
            # The query service only knows what a branch has invoiced: an ordered parcel is nothing to it yet.
            return TrackingAnswer(Outcome.DONE, why="no branch has taken it in yet")
        parcel = parcels[-1]
        number = wire.tracking_number(parcel)
        return TrackingAnswer(
            Outcome.DONE, number, wire.tracking_page(number), wire.scans(parcel, self._road(key, number))
        )

    def _road(self, key: str, number: str) -> list[wire.Row]:
        # Unsure whether they want the integration code or their own number here: they are given both.
        heard = self.client.query(wire.MOVEMENTS, {"IntegrationCode": key, "TrackingNumber": number})
        return [] if heard.body is None else wire.rows(heard.body, "CargoTransaction")[1]


def _no(code: str, words: str) -> CallAnswer:
    """A number of theirs is a no; without one, or with their "an error occurred", it may have been done."""
    undecided = code in ("", wire.CANCEL_UNDECIDED)
    why = words or "an answer that says neither yes nor no"
    return CallAnswer(Outcome.UNKNOWN if undecided else Outcome.REFUSED, why=why, code=code)

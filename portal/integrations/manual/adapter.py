"""No carrier plays the Carrier: our own van, or somebody who takes the parcel along."""

from __future__ import annotations

from portal.core.ports import CallAnswer, Outcome
from portal.shipping.ports import Consignment, TrackingAnswer


class ManualCarrier:
    """Nobody is asked and nobody answers; what happened is entered by the people who did it."""

    code = "manual"
    title = "Kendi aracı"
    # No firm carries it: the despatch note names the sender itself as the one who does.
    legal_title = ""
    tax_number = ""

    def create(self, consignment: Consignment) -> CallAnswer:  # noqa: ARG002 (the role says so)
        """There is nobody to announce it to."""
        return CallAnswer(Outcome.DONE)

    def cancel(self, key: str) -> CallAnswer:  # noqa: ARG002
        """There is nobody to call back."""
        return CallAnswer(Outcome.DONE)

    def track(self, key: str) -> TrackingAnswer:  # noqa: ARG002
        """Nobody scans."""
        return TrackingAnswer(Outcome.DONE)

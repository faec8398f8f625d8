"""The life of a parcel."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine
from portal.shipping.ports import Tracked


class Parcel(StrEnum):
    """Where a parcel is."""

    PLANNED = "PLANNED"
    PACKED = "PACKED"
    HANDED_OVER = "HANDED_OVER"
    DELIVERED = "DELIVERED"
    ACCEPTED = "ACCEPTED"
    OBJECTED = "OBJECTED"
    RETURNED = "RETURNED"
    LOST = "LOST"
    CANCELLED = "CANCELLED"


PARCEL = StateMachine(
    "shipment",
    moves={
        Parcel.PLANNED: {Parcel.PACKED, Parcel.CANCELLED},
        Parcel.PACKED: {Parcel.HANDED_OVER, Parcel.CANCELLED},
        # The buyer may have it in hands before any scan says so.
        Parcel.HANDED_OVER: {Parcel.DELIVERED, Parcel.RETURNED, Parcel.LOST},
        Parcel.DELIVERED: {Parcel.ACCEPTED, Parcel.OBJECTED, Parcel.RETURNED},
        Parcel.ACCEPTED: set(),
        Parcel.OBJECTED: set(),
        Parcel.RETURNED: set(),
        Parcel.LOST: set(),
        Parcel.CANCELLED: set(),
    },
    meanings={
        Parcel.PLANNED: Meaning("◷", _l("To be packed"), "wait"),
        Parcel.PACKED: Meaning("▣", _l("Packed"), "info"),
        Parcel.HANDED_OVER: Meaning("→", _l("On its way"), "info"),
        Parcel.DELIVERED: Meaning("⌂", _l("Delivered"), "info"),
        Parcel.ACCEPTED: Meaning("✓", _l("Accepted by the buyer"), "ok"),
        Parcel.OBJECTED: Meaning("!", _l("Something missing or damaged"), "warn"),
        Parcel.RETURNED: Meaning("↩", _l("Came back"), "warn"),
        Parcel.LOST: Meaning("✕", _l("Lost on the way"), "bad"),
        Parcel.CANCELLED: Meaning("–", _l("Cancelled"), "off"),
    },
)
# Neither on its way nor with the buyer: its pieces are free again.
GONE_FOR_NOTHING = (Parcel.CANCELLED, Parcel.RETURNED, Parcel.LOST)
ANSWERED = (Parcel.ACCEPTED, Parcel.OBJECTED)
# A parcel the buyer can say something about; answered ones are answered again with what they are.
CONFIRMABLE = (Parcel.HANDED_OVER, Parcel.DELIVERED, *ANSWERED)
# Still to be asked about at the carrier.
ON_THE_ROAD = (Parcel.PACKED, Parcel.HANDED_OVER)

TRACKED_MEANINGS = {
    Tracked.CREATED: Meaning("·", _l("Announced to the carrier"), "wait"),
    Tracked.LABELLED: Meaning("▤", _l("Label printed"), "wait"),
    Tracked.PICKED_UP: Meaning("↗", _l("The carrier has it"), "info"),
    Tracked.IN_TRANSIT: Meaning("→", _l("Between branches"), "info"),
    Tracked.OUT_FOR_DELIVERY: Meaning("⇢", _l("Out for delivery"), "info"),
    Tracked.READY_FOR_PICKUP: Meaning("⌂", _l("Waits to be fetched"), "info"),
    Tracked.ATTEMPT_FAILED: Meaning("!", _l("Could not be handed over"), "warn"),
    Tracked.LOST: Meaning("✕", _l("Lost, says the carrier"), "bad"),
    Tracked.DELIVERED: Meaning("✓", _l("Delivered, says the carrier"), "ok"),
    Tracked.RETURNED: Meaning("↩", _l("Back with the sender, says the carrier"), "warn"),
    Tracked.CANCELLED: Meaning("–", _l("Cancelled at the carrier"), "warn"),
    Tracked.UNKNOWN: Meaning("?", _l("Words we do not know"), "warn"),
}

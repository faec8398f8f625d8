"""The life of a parcel."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine


class Parcel(StrEnum):
    """Where a parcel is."""

    PLANNED = "PLANNED"
    PACKED = "PACKED"
    HANDED_OVER = "HANDED_OVER"
    DELIVERED = "DELIVERED"
    ACCEPTED = "ACCEPTED"
    CANCELLED = "CANCELLED"


PARCEL = StateMachine(
    "shipment",
    moves={
        Parcel.PLANNED: {Parcel.PACKED, Parcel.CANCELLED},
        Parcel.PACKED: {Parcel.HANDED_OVER, Parcel.CANCELLED},
        # The buyer may have it in hands before any scan says so.
        Parcel.HANDED_OVER: {Parcel.DELIVERED},
        Parcel.DELIVERED: {Parcel.ACCEPTED},
        Parcel.ACCEPTED: set(),
        Parcel.CANCELLED: set(),
    },
    meanings={
        Parcel.PLANNED: Meaning("◷", _l("To be packed"), "wait"),
        Parcel.PACKED: Meaning("▣", _l("Packed"), "info"),
        Parcel.HANDED_OVER: Meaning("→", _l("On its way"), "info"),
        Parcel.DELIVERED: Meaning("⌂", _l("Delivered"), "info"),
        Parcel.ACCEPTED: Meaning("✓", _l("Accepted by the buyer"), "ok"),
        Parcel.CANCELLED: Meaning("–", _l("Cancelled"), "off"),
    },
)

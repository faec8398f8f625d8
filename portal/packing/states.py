"""The life of a packing task, and what can be said of a scan."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine


class Packing(StrEnum):
    """How far the packing is."""

    OPEN = "OPEN"
    SHORT = "SHORT"
    PACKED = "PACKED"
    DROPPED = "DROPPED"


PACKING = StateMachine(
    "packing_task",
    moves={
        # Short: something is not on its shelf. A new scan opens the task again.
        Packing.OPEN: {Packing.SHORT, Packing.PACKED, Packing.DROPPED},
        Packing.SHORT: {Packing.OPEN, Packing.PACKED, Packing.DROPPED},
        Packing.PACKED: set(),
        Packing.DROPPED: set(),
    },
    meanings={
        Packing.OPEN: Meaning("▤", _l("Being packed"), "info"),
        Packing.SHORT: Meaning("!", _l("Something is missing"), "warn"),
        Packing.PACKED: Meaning("✓", _l("Packed"), "ok"),
        Packing.DROPPED: Meaning("–", _l("No longer to be packed"), "off"),
    },
)
STILL_TO_PACK = (Packing.OPEN, Packing.SHORT)


class Source(StrEnum):
    """What can be packed: a parcel a seller prepared, or a package a marketplace sold."""

    SHIPMENT = "shipment"
    STOREFRONT = "storefront"


class Verdict(StrEnum):
    """What is said of one scan."""

    OK = "OK"
    CASE = "CASE"
    UNDONE = "UNDONE"
    WRONG_ITEM = "WRONG_ITEM"
    TOO_MANY = "TOO_MANY"
    UNKNOWN = "UNKNOWN"
    NOTHING_TO_UNDO = "NOTHING_TO_UNDO"
    CLOSED = "CLOSED"


# These change how many pieces are in the box; the others are only written down.
COUNTS = (Verdict.OK, Verdict.CASE, Verdict.UNDONE)
# After these the packer has to look up before going on.
STOPS = (Verdict.WRONG_ITEM, Verdict.TOO_MANY, Verdict.UNKNOWN, Verdict.CLOSED)

VERDICT_WORDS = {
    Verdict.OK: _l("Right"),
    Verdict.CASE: _l("Right, a whole case"),
    Verdict.UNDONE: _l("Taken back: take it out of the box"),
    Verdict.WRONG_ITEM: _l("Not in this order: do not put it in the box"),
    Verdict.TOO_MANY: _l("Already complete: take the extra out of the box"),
    Verdict.UNKNOWN: _l("Nobody knows this barcode: do not put it in the box"),
    Verdict.NOTHING_TO_UNDO: _l("There is nothing to take back"),
    Verdict.CLOSED: _l("This order is no longer being packed: take it out of the box"),
}

"""The life of a storefront's package, and of goods that have to come back."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine
from portal.marketplace.ports import Ear
from portal.marketplace.ports import PackageState as P

# Orders of a package's life. What they say later may skip steps; a step back moves nothing.
_WAY = (P.AWAITING, P.CREATED, P.PICKING, P.INVOICED, P.SHIPPED, P.AT_COLLECTION_POINT)
_ENDS = {P.CANCELLED, P.UNSUPPLIED, P.UNPACKED, P.RETURNED}
_ARRIVALS = {P.DELIVERED, P.UNDELIVERED}


def _after(state: P) -> set[P]:
    return {*_WAY[_WAY.index(state) + 1 :], *_ARRIVALS, *_ENDS}


PACKAGE = StateMachine(
    "storefront package",
    moves={
        P.UNKNOWN: {*_WAY, *_ARRIVALS, *_ENDS},
        **{state: _after(state) for state in _WAY},
        # A second try may still arrive; the customer may send it back.
        P.UNDELIVERED: {P.DELIVERED, P.RETURNED, P.CANCELLED},
        P.DELIVERED: {P.RETURNED},
        P.RETURNED: set(),
        # An unsupplied package becomes a cancelled one in their books; a split one may be.
        P.UNSUPPLIED: {P.CANCELLED},
        P.UNPACKED: {P.CANCELLED},
        P.CANCELLED: set(),
    },
    meanings={
        P.AWAITING: Meaning("◷", _l("Waits for payment"), "wait"),
        P.CREATED: Meaning("○", _l("To be packed"), "info"),
        P.PICKING: Meaning("▣", _l("Packed"), "info"),
        P.INVOICED: Meaning("▤", _l("Invoiced"), "info"),
        P.SHIPPED: Meaning("→", _l("On its way"), "info"),
        P.AT_COLLECTION_POINT: Meaning("⌂", _l("At the collection point"), "info"),
        P.DELIVERED: Meaning("✓", _l("Delivered"), "ok"),
        P.UNDELIVERED: Meaning("!", _l("Not delivered"), "warn"),
        P.RETURNED: Meaning("↩", _l("Sent back"), "off"),
        P.CANCELLED: Meaning("✕", _l("Cancelled"), "off"),
        P.UNSUPPLIED: Meaning("✕", _l("Could not be supplied"), "off"),
        P.UNPACKED: Meaning("⑂", _l("Split into other packages"), "off"),
        P.UNKNOWN: Meaning("?", _l("A word we do not know"), "warn"),
    },
)
# What an ended package had set aside is free again; a split one holds on until its successors are known.
ENDED = frozenset(_ENDS)
# Whose goods the warehouse puts into a parcel now.
TO_PACK = frozenset({P.CREATED})
# Packed, as far as the storefront knows.
ON_THEIR_WAY = frozenset({P.PICKING, P.INVOICED, P.SHIPPED, P.AT_COLLECTION_POINT, *_ARRIVALS})


class Coming(StrEnum):
    """Whether goods that left for a package have come back."""

    EXPECTED = "EXPECTED"
    RECEIVED = "RECEIVED"
    LOST = "LOST"


RETURN = StateMachine(
    "storefront return",
    moves={
        # Expected to expected: a part came back.
        Coming.EXPECTED: {Coming.EXPECTED, Coming.RECEIVED, Coming.LOST},
        Coming.RECEIVED: set(),
        Coming.LOST: set(),
    },
    meanings={
        Coming.EXPECTED: Meaning("◷", _l("Must come back"), "wait"),
        Coming.RECEIVED: Meaning("✓", _l("On a shelf again"), "ok"),
        Coming.LOST: Meaning("✕", _l("Not coming back"), "bad"),
    },
)


class Checked(StrEnum):
    """How a gap check ended."""

    WELL = "WELL"
    MENDED = "MENDED"
    UNFINISHED = "UNFINISHED"


CHECKED_MEANINGS = {
    Checked.WELL: Meaning("✓", _l("Nothing was missing"), "ok"),
    Checked.MENDED: Meaning("!", _l("Something was missing and was read again"), "warn"),
    Checked.UNFINISHED: Meaning("?", _l("Could not be finished"), "bad"),
}
EAR_MEANINGS = {
    Ear.ON: Meaning("✓", _l("Come as they should"), "ok"),
    Ear.SWITCHED_ON: Meaning("↻", _l("Were off, switched on again"), "warn"),
    Ear.SUBSCRIBED: Meaning("↻", _l("Were unknown to them, asked for"), "info"),
    Ear.TROUBLE: Meaning("!", _l("Do not come"), "bad"),
}

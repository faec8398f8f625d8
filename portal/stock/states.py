"""The life of a reservation, and the kinds of movement."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.i18n import noted
from portal.core.state_machine import Meaning, StateMachine


class Reserved(StrEnum):
    """Whether goods are still set aside."""

    OPEN = "OPEN"
    TAKEN = "TAKEN"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


RESERVATION = StateMachine(
    "reservation",
    moves={
        # Open to open: a part was taken or let go, and some of it is still set aside.
        Reserved.OPEN: {Reserved.OPEN, Reserved.TAKEN, Reserved.RELEASED, Reserved.EXPIRED},
        # Open again: the line wants more pieces after all (paid late, a parcel came back, a replacement).
        Reserved.TAKEN: {Reserved.OPEN},
        Reserved.RELEASED: {Reserved.OPEN},
        Reserved.EXPIRED: {Reserved.OPEN},
    },
    meanings={
        Reserved.OPEN: Meaning("◷", _l("Reserved"), "wait"),
        Reserved.TAKEN: Meaning("✓", _l("Taken from the shelf"), "ok"),
        Reserved.RELEASED: Meaning("–", _l("Let go"), "off"),
        Reserved.EXPIRED: Meaning("⌛", _l("Run out"), "off"),
    },
)


class Moved(StrEnum):
    """Why pieces came to a shelf or left it."""

    IN = "IN"
    OUT = "OUT"
    TRANSFER_IN = "TRANSFER_IN"
    TRANSFER_OUT = "TRANSFER_OUT"
    COUNT = "COUNT"
    RETURN = "RETURN"


MOVEMENT_NAMES = {
    Moved.IN: noted("Goods received"),
    Moved.OUT: noted("Taken for an order"),
    Moved.TRANSFER_IN: noted("Moved here"),
    Moved.TRANSFER_OUT: noted("Moved away"),
    Moved.COUNT: noted("Corrected by counting"),
    Moved.RETURN: noted("Came back"),
}
COMES = (Moved.IN, Moved.TRANSFER_IN, Moved.RETURN)
GOES = (Moved.OUT, Moved.TRANSFER_OUT)

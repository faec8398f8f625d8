"""The life of a batch, and what became of one barcode in it."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.i18n import noted
from portal.core.state_machine import Meaning, StateMachine


class Kind(StrEnum):
    """Why a push was made."""

    CHANGED = "CHANGED"  # what changed goes at once
    FULL = "FULL"  # everything was compared


KIND_NAMES = {Kind.CHANGED: noted("What changed"), Kind.FULL: noted("Everything compared")}


class Batch(StrEnum):
    """How far one call with quantities is."""

    SENDING = "SENDING"
    WAITING = "WAITING"
    DONE = "DONE"
    REFUSED = "REFUSED"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"
    GONE = "GONE"


BATCH = StateMachine(
    "stock push batch",
    moves={
        Batch.SENDING: {Batch.WAITING, Batch.REFUSED, Batch.NOT_SENT, Batch.UNKNOWN},
        Batch.WAITING: {Batch.DONE, Batch.GONE},
        # The answer of a sender that was believed dead comes late: then the batch can be asked about after all.
        Batch.UNKNOWN: {Batch.WAITING},
        Batch.DONE: set(),
        Batch.REFUSED: set(),
        Batch.NOT_SENT: set(),
        Batch.GONE: set(),
    },
    meanings={
        Batch.SENDING: Meaning("◷", _l("Being sent"), "wait"),
        Batch.WAITING: Meaning("◷", _l("Waiting for its result"), "wait"),
        Batch.DONE: Meaning("✓", _l("Result known"), "ok"),
        Batch.REFUSED: Meaning("✕", _l("Refused as a whole"), "bad"),
        Batch.NOT_SENT: Meaning("–", _l("Never arrived"), "warn"),
        Batch.UNKNOWN: Meaning("?", _l("No answer: asked about"), "warn"),
        Batch.GONE: Meaning("?", _l("Result lost: asked about"), "warn"),
    },
)


class Became(StrEnum):
    """What became of a barcode in a batch; nothing yet while it is open."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    NOT_TAKEN = "NOT_TAKEN"  # the batch never counted
    ASKED = "ASKED"  # nobody said; they were asked what they believe instead


class Standing(StrEnum):
    """How one listing stands, for a screen."""

    AGREES = "AGREES"
    WAITS = "WAITS"
    ON_ITS_WAY = "ON_ITS_WAY"
    ASKED = "ASKED"
    REJECTED = "REJECTED"
    PERSON = "PERSON"
    OFF = "OFF"


STANDING = StateMachine(
    "storefront listing",
    moves={standing: set() for standing in Standing},
    meanings={
        Standing.AGREES: Meaning("✓", _l("They believe what we want"), "ok"),
        Standing.WAITS: Meaning("◷", _l("To be sent"), "wait"),
        Standing.ON_ITS_WAY: Meaning("→", _l("On its way"), "info"),
        Standing.ASKED: Meaning("?", _l("Unsure: they are asked"), "warn"),
        Standing.REJECTED: Meaning("↻", _l("Rejected, tried again"), "warn"),
        Standing.PERSON: Meaning("✕", _l("Rejected, needs you"), "bad"),
        Standing.OFF: Meaning("–", _l("Not offered"), "off"),
    },
)

"""The life of a letter."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine


class Mail(StrEnum):
    """Where a letter stands. UNKNOWN is a state of its own: the mail server may have taken it."""

    WRITTEN = "WRITTEN"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    SENT = "SENT"
    REFUSED = "REFUSED"
    GIVEN_UP = "GIVEN_UP"


MAIL = StateMachine(
    "mail",
    moves={
        Mail.WRITTEN: {Mail.SENDING},
        Mail.SENDING: {Mail.SENT, Mail.REFUSED, Mail.UNKNOWN, Mail.WRITTEN, Mail.GIVEN_UP},
        Mail.UNKNOWN: {Mail.SENDING},
        Mail.SENT: set(),
        Mail.REFUSED: set(),
        Mail.GIVEN_UP: set(),
    },
    meanings={
        Mail.WRITTEN: Meaning("◷", _l("Waiting to be sent"), "wait"),
        Mail.SENDING: Meaning("→", _l("Being sent"), "info"),
        Mail.UNKNOWN: Meaning("?", _l("May have arrived"), "warn"),
        Mail.SENT: Meaning("✓", _l("Sent"), "ok"),
        Mail.REFUSED: Meaning("✕", _l("Refused by the mail server"), "bad"),
        Mail.GIVEN_UP: Meaning("✕", _l("Could not be handed over"), "bad"),
    },
)

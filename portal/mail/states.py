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
    BOUNCED = "BOUNCED"


MAIL = StateMachine(
    "mail",
    moves={
        Mail.WRITTEN: {Mail.SENDING},
        Mail.SENDING: {Mail.SENT, Mail.REFUSED, Mail.UNKNOWN, Mail.WRITTEN, Mail.GIVEN_UP},
        Mail.UNKNOWN: {Mail.SENDING, Mail.WRITTEN, Mail.BOUNCED},
        Mail.SENT: {Mail.BOUNCED},
        # A person may have mended the address or the mail server: only by hand.
        Mail.REFUSED: {Mail.WRITTEN},
        Mail.GIVEN_UP: {Mail.WRITTEN},
        Mail.BOUNCED: {Mail.WRITTEN},
    },
    meanings={
        Mail.WRITTEN: Meaning("◷", _l("Waiting to be sent"), "wait"),
        Mail.SENDING: Meaning("→", _l("Being sent"), "info"),
        Mail.UNKNOWN: Meaning("?", _l("May have arrived"), "warn"),
        Mail.SENT: Meaning("✓", _l("Sent"), "ok"),
        Mail.REFUSED: Meaning("✕", _l("Refused by the mail server"), "bad"),
        Mail.GIVEN_UP: Meaning("✕", _l("Could not be handed over"), "bad"),
        Mail.BOUNCED: Meaning("↩", _l("Came back"), "bad"),
    },
)

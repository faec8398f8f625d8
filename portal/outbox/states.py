"""The life of an intent to call a provider."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine


class Intent(StrEnum):
    """Where a call stands. UNKNOWN is a state of its own: the provider may have done it."""

    READY = "READY"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


INTENT = StateMachine(
    "intent",
    moves={
        Intent.READY: {Intent.SENDING, Intent.CANCELLED},
        Intent.SENDING: {Intent.SUCCEEDED, Intent.FAILED, Intent.UNKNOWN, Intent.READY},
        Intent.UNKNOWN: {Intent.SUCCEEDED, Intent.FAILED, Intent.READY},
        Intent.SUCCEEDED: set(),
        Intent.FAILED: set(),
        Intent.CANCELLED: set(),
    },
    meanings={
        Intent.READY: Meaning("◷", _l("Ready to send"), "wait"),
        Intent.SENDING: Meaning("→", _l("Being sent"), "info"),
        Intent.UNKNOWN: Meaning("?", _l("No answer yet"), "warn"),
        Intent.SUCCEEDED: Meaning("✓", _l("Done"), "ok"),
        Intent.FAILED: Meaning("✕", _l("Refused"), "bad"),
        Intent.CANCELLED: Meaning("–", _l("Withdrawn"), "off"),
    },
)

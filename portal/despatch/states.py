"""The life of an e-despatch note."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine
from portal.despatch.ports import Verdict


class Note(StrEnum):
    """How far a despatch note is."""

    WRITTEN = "WRITTEN"  # ours, not yet at the office
    DRAFTED = "DRAFTED"  # at the office, not yet signed
    SENT = "SENT"  # signed and on its way to the tax office
    TAKEN = "TAKEN"  # the tax office took it
    FAILED = "FAILED"


NOTE = StateMachine(
    "despatch note",
    moves={
        Note.WRITTEN: {Note.DRAFTED, Note.FAILED},
        Note.DRAFTED: {Note.SENT, Note.TAKEN, Note.FAILED},
        Note.SENT: {Note.TAKEN, Note.FAILED},
        Note.TAKEN: set(),
        # Mended and laid down again under the same id.
        Note.FAILED: {Note.DRAFTED, Note.SENT, Note.TAKEN},
    },
    meanings={
        Note.WRITTEN: Meaning("◷", _l("e-Despatch is being laid down"), "wait"),
        Note.DRAFTED: Meaning("▤", _l("e-Despatch draft"), "info"),
        Note.SENT: Meaning("→", _l("e-Despatch sent"), "info"),
        Note.TAKEN: Meaning("✓", _l("e-Despatch at the tax office"), "ok"),
        Note.FAILED: Meaning("✕", _l("e-Despatch refused"), "bad"),
    },
)
VERDICT_NAMES = {
    Verdict.FULL: _l("Accepted in full"),
    Verdict.PARTIAL: _l("Accepted in part"),
    Verdict.REFUSED: _l("Refused"),
}

"""What becomes of a slot, and what is done about missed ones."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning


class CatchUp(StrEnum):
    """What happens to slots nobody was there for."""

    SKIP = "SKIP"
    ONCE = "ONCE"
    EACH = "EACH"


class TickOutcome(StrEnum):
    """What became of a slot. MISSED is a tombstone: it will never run, and that is written down."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    MISSED = "MISSED"


CATCH_UP_NAMES: dict[CatchUp, Any] = {
    CatchUp.SKIP: _l("let missed ones go"),
    CatchUp.ONCE: _l("catch up once"),
    CatchUp.EACH: _l("catch up every one"),
}
OUTCOME_MEANINGS = {
    TickOutcome.WAITING: Meaning("◷", _l("Waiting"), "wait"),
    TickOutcome.RUNNING: Meaning("→", _l("Running"), "info"),
    TickOutcome.DONE: Meaning("✓", _l("Done"), "ok"),
    TickOutcome.FAILED: Meaning("✕", _l("Failed"), "bad"),
    TickOutcome.MISSED: Meaning("–", _l("Missed"), "warn"),
}

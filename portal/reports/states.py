"""The life of a report run."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine


class Run(StrEnum):
    """Where a report stands."""

    ASKED = "ASKED"
    BUILDING = "BUILDING"
    BUILT = "BUILT"
    FAILED = "FAILED"


RUN = StateMachine(
    "report run",
    moves={
        Run.ASKED: {Run.BUILDING},
        Run.BUILDING: {Run.BUILT, Run.FAILED, Run.ASKED},
        Run.BUILT: set(),
        Run.FAILED: set(),
    },
    meanings={
        Run.ASKED: Meaning("◷", _l("Waiting"), "wait"),
        Run.BUILDING: Meaning("→", _l("Being made"), "info"),
        Run.BUILT: Meaning("✓", _l("Made"), "ok"),
        Run.FAILED: Meaning("✕", _l("Could not be made"), "bad"),
    },
)

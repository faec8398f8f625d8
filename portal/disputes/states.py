"""The life of a dispute, and the ways it can end."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine


class Dispute(StrEnum):
    """How far an argument about some pieces is."""

    OPEN = "OPEN"  # buyer and seller talk
    ESCALATED = "ESCALATED"  # the deadline passed: finance decides
    AWAITING_RETURN = "AWAITING_RETURN"  # refunded as soon as the goods are back
    SETTLED = "SETTLED"


class Problem(StrEnum):
    """What is wrong with the pieces."""

    DAMAGED = "DAMAGED"
    MISSING = "MISSING"


class Resolution(StrEnum):
    """How it ends: the money for these pieces goes to the seller, back to the buyer, or waits for new pieces."""

    RELEASE = "RELEASE"
    REFUND = "REFUND"
    REPLACEMENT = "REPLACEMENT"


DISPUTE = StateMachine(
    "dispute",
    moves={
        Dispute.OPEN: {Dispute.ESCALATED, Dispute.AWAITING_RETURN, Dispute.SETTLED},
        Dispute.ESCALATED: {Dispute.AWAITING_RETURN, Dispute.SETTLED},
        # The goods do not come: finance decides.
        Dispute.AWAITING_RETURN: {Dispute.SETTLED, Dispute.ESCALATED},
        Dispute.SETTLED: set(),
    },
    meanings={
        Dispute.OPEN: Meaning("!", _l("Being settled"), "warn"),
        Dispute.ESCALATED: Meaning("‼", _l("Finance decides"), "bad"),
        Dispute.AWAITING_RETURN: Meaning("↩", _l("Waiting for the goods"), "info"),
        Dispute.SETTLED: Meaning("✓", _l("Settled"), "ok"),
    },
)
PROBLEM_NAMES = {Problem.DAMAGED: _l("Damaged"), Problem.MISSING: _l("Missing")}
RESOLUTION_NAMES = {
    Resolution.RELEASE: _l("The money goes to the seller"),
    Resolution.REFUND: _l("The money goes back to the buyer"),
    Resolution.REPLACEMENT: _l("New pieces are sent"),
}
UNSETTLED = (Dispute.OPEN, Dispute.ESCALATED, Dispute.AWAITING_RETURN)

"""Words of commission (hakediş): the lives of deals, snapshots, policies, payouts, corrections, locks and disputes."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.core.i18n import noted
from portal.core.state_machine import Meaning, StateMachine


class DealState(StrEnum):
    """How a deal stands."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


class DealRole(StrEnum):
    """The part somebody plays in a deal; policies give shares to parts or to people by name."""

    AGENT = "AGENT"  # sold it
    SOURCE = "SOURCE"  # brought the customer
    LEADER = "LEADER"  # leads the agent's team


class Method(StrEnum):
    """How a policy makes a pool."""

    PERCENTAGE = "PERCENTAGE"
    FIXED = "FIXED"


class Rounding(StrEnum):
    """What happens to a fraction of a kuruş."""

    ROUND_HALF_UP = "ROUND_HALF_UP"
    BANKERS = "BANKERS"


class BaseSource(StrEnum):
    """Where the base amount was found, in the order in which it is looked for (spec §6)."""

    LEAD_ANSWER = "closeSummary.commissionBaseAmount"
    LISTING_PRICE = "listing.price"
    SALE_PRICE = "deal.sale_price"


class PolicyState(StrEnum):
    """A policy is proposed by one person and put in force by another; never edited, only succeeded."""

    PROPOSED = "PROPOSED"
    ACTIVE = "ACTIVE"
    REJECTED = "REJECTED"


class SnapshotState(StrEnum):
    """The life of a snapshot (spec §6)."""

    PENDING_APPROVAL = "PENDING_APPROVAL"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    REVERSED = "REVERSED"


class EntryType(StrEnum):
    """What a ledger entry is."""

    EARN = "EARN"
    PAYOUT = "PAYOUT"
    REVERSAL = "REVERSAL"
    ADJUSTMENT = "ADJUSTMENT"


class Direction(StrEnum):
    """CREDIT: we owe more. DEBIT: we owe less."""

    CREDIT = "CREDIT"
    DEBIT = "DEBIT"


class BatchState(StrEnum):
    """A payout batch is prepared by one person and paid by another."""

    PREPARED = "PREPARED"
    PAID = "PAID"
    CANCELLED = "CANCELLED"


class CorrectionState(StrEnum):
    """A correction is proposed by one person and done by another."""

    PROPOSED = "PROPOSED"
    DONE = "DONE"
    REJECTED = "REJECTED"


class LockState(StrEnum):
    """A month is locked until two people release it."""

    ACTIVE = "ACTIVE"
    RELEASED = "RELEASED"


class ReleaseState(StrEnum):
    """The release of a lock: asked for by one person, done by another."""

    ASKED = "ASKED"
    DONE = "DONE"


class CommissionDisputeState(StrEnum):
    """How far an argument about a commission line is."""

    OPEN = "OPEN"
    ESCALATED = "ESCALATED"
    RESOLVED = "RESOLVED"


class Resolution(StrEnum):
    """How an argument ends, and what is posted."""

    KEEP = "KEEP"  # nothing: the line was right
    RAISE = "RAISE"  # ADJUSTMENT/CREDIT
    LOWER = "LOWER"  # ADJUSTMENT/DEBIT
    TAKE_BACK = "TAKE_BACK"  # REVERSAL/DEBIT


DEAL = StateMachine(
    "deal",
    moves={DealState.OPEN: {DealState.WON, DealState.LOST}, DealState.WON: set(), DealState.LOST: {DealState.OPEN}},
    meanings={
        DealState.OPEN: Meaning("◷", _l("Open deal"), "wait"),
        DealState.WON: Meaning("✓", _l("Won"), "ok"),
        DealState.LOST: Meaning("–", _l("Lost deal"), "off"),
    },
)
POLICY = StateMachine(
    "commission policy",
    moves={
        PolicyState.PROPOSED: {PolicyState.ACTIVE, PolicyState.REJECTED},
        PolicyState.ACTIVE: set(),
        PolicyState.REJECTED: set(),
    },
    meanings={
        PolicyState.PROPOSED: Meaning("◷", _l("Waits for a second person"), "warn"),
        PolicyState.ACTIVE: Meaning("✓", _l("In force"), "ok"),
        PolicyState.REJECTED: Meaning("–", _l("Rejected"), "off"),
    },
)
SNAPSHOT = StateMachine(
    "commission snapshot",
    moves={
        SnapshotState.PENDING_APPROVAL: {SnapshotState.APPROVED, SnapshotState.REJECTED},
        SnapshotState.APPROVED: {SnapshotState.REVERSED},
        SnapshotState.REJECTED: set(),
        SnapshotState.REVERSED: set(),
    },
    meanings={
        SnapshotState.PENDING_APPROVAL: Meaning("◷", _l("Waits for approval"), "warn"),
        SnapshotState.APPROVED: Meaning("✓", _l("Approved"), "ok"),
        SnapshotState.REJECTED: Meaning("–", _l("Rejected"), "off"),
        SnapshotState.REVERSED: Meaning("↩", _l("Taken back"), "bad"),
    },
)
BATCH = StateMachine(
    "commission payout",
    moves={
        BatchState.PREPARED: {BatchState.PAID, BatchState.CANCELLED},
        BatchState.PAID: set(),
        BatchState.CANCELLED: set(),
    },
    meanings={
        BatchState.PREPARED: Meaning("◷", _l("Waits for a second person"), "warn"),
        BatchState.PAID: Meaning("✓", _l("Paid"), "ok"),
        BatchState.CANCELLED: Meaning("–", _l("Cancelled"), "off"),
    },
)
CORRECTION = StateMachine(
    "commission correction",
    moves={
        CorrectionState.PROPOSED: {CorrectionState.DONE, CorrectionState.REJECTED},
        CorrectionState.DONE: set(),
        CorrectionState.REJECTED: set(),
    },
    meanings={
        CorrectionState.PROPOSED: Meaning("◷", _l("Waits for a second person"), "warn"),
        CorrectionState.DONE: Meaning("✓", _l("Posted"), "ok"),
        CorrectionState.REJECTED: Meaning("–", _l("Rejected"), "off"),
    },
)
LOCK = StateMachine(
    "commission period lock",
    moves={LockState.ACTIVE: {LockState.RELEASED}, LockState.RELEASED: set()},
    meanings={
        LockState.ACTIVE: Meaning("●", _l("Locked"), "info"),
        LockState.RELEASED: Meaning("○", _l("Released again"), "off"),
    },
)
RELEASE = StateMachine(
    "commission lock release",
    moves={ReleaseState.ASKED: {ReleaseState.DONE}, ReleaseState.DONE: set()},
    meanings={
        ReleaseState.ASKED: Meaning("◷", _l("Waits for a second person"), "warn"),
        ReleaseState.DONE: Meaning("✓", _l("Done"), "ok"),
    },
)
COMMISSION_DISPUTE = StateMachine(
    "commission dispute",
    moves={
        CommissionDisputeState.OPEN: {CommissionDisputeState.ESCALATED, CommissionDisputeState.RESOLVED},
        CommissionDisputeState.ESCALATED: {CommissionDisputeState.RESOLVED},
        CommissionDisputeState.RESOLVED: set(),
    },
    meanings={
        CommissionDisputeState.OPEN: Meaning("!", _l("Being looked at"), "warn"),
        CommissionDisputeState.ESCALATED: Meaning("‼", _l("Overdue"), "bad"),
        CommissionDisputeState.RESOLVED: Meaning("✓", _l("Settled"), "ok"),
    },
)
MACHINES = (DEAL, POLICY, SNAPSHOT, BATCH, CORRECTION, LOCK, RELEASE, COMMISSION_DISPUTE)

UNRESOLVED = (CommissionDisputeState.OPEN, CommissionDisputeState.ESCALATED)
ROLE_WORDS: dict[str, Any] = {
    DealRole.AGENT: _l("Sales agent"),
    DealRole.SOURCE: _l("Who brought the customer"),
    DealRole.LEADER: _l("Team leader"),
}
SOURCE_WORDS: dict[str, Any] = {
    BaseSource.LEAD_ANSWER: _l("the lead's closing answer"),
    BaseSource.LISTING_PRICE: _l("the listing's price"),
    BaseSource.SALE_PRICE: _l("the sale price"),
}
ROUNDING_WORDS: dict[str, Any] = {
    Rounding.ROUND_HALF_UP: _l("half a kuruş goes up"),
    Rounding.BANKERS: _l("half a kuruş goes to the even neighbour"),
}
ENTRY_WORDS: dict[str, Any] = {
    EntryType.EARN: _l("Earned"),
    EntryType.PAYOUT: _l("Paid out"),
    EntryType.REVERSAL: _l("Taken back"),
    EntryType.ADJUSTMENT: _l("Corrected"),
}
RESOLUTION_WORDS: dict[str, Any] = {
    Resolution.KEEP: _l("The amount was right"),
    Resolution.RAISE: _l("More is owed"),
    Resolution.LOWER: _l("Less is owed"),
    Resolution.TAKE_BACK: _l("The disputed amount is taken back"),
}
# The diary's words, on screens.
ACT_NAMES = {
    "enrolled": noted("enrolled"),
    "looks after": noted("looks after"),
    "opened": noted("opened"),
    "won": noted("won"),
    "lost": noted("lost"),
    "repriced": noted("price corrected"),
    "proposed": noted("proposed"),
    "put in force": noted("put in force"),
    "rejected": noted("rejected"),
    "created": noted("made"),
    "approved": noted("approved"),
    "approved by override": noted("approved by override"),
    "prepared": noted("prepared"),
    "paid": noted("paid"),
    "cancelled": noted("cancelled"),
    "correction proposed": noted("correction proposed"),
    "correction rejected": noted("correction rejected"),
    "reversed": noted("taken back"),
    "adjusted": noted("adjusted"),
    "locked": noted("locked"),
    "release asked for": noted("release asked for"),
    "released": noted("released"),
    "paper added": noted("paper added"),
    "resolved": noted("decided"),
    "escalated": noted("overdue"),
}
SUBJECT_NAMES = {
    "agent": noted("Agent"),
    "customer": noted("Customer"),
    "deal": noted("Deal"),
    "policy": noted("Policy"),
    "snapshot": noted("Snapshot"),
    "payout": noted("Payout"),
    "period lock": noted("Lock"),
    "dispute": noted("Objection"),
}

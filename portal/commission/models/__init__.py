"""The tables of commission, one file per family."""

from portal.commission.models.acts import (
    CommissionAuditEvent,
    CommissionLockRelease,
    CommissionPeriodLock,
)
from portal.commission.models.deals import CommissionAgent, CustomerAgent, Deal, DealParticipant, Lead, Listing
from portal.commission.models.disputes import (
    CommissionDispute,
    CommissionDisputeAttachment,
    CommissionDisputeMessage,
)
from portal.commission.models.ledger import CommissionLedgerEntry, CommissionLineAccount, CommissionPersonAccount
from portal.commission.models.money import (
    CommissionCorrection,
    CommissionCorrectionItem,
    CommissionPayoutBatch,
    CommissionPayoutItem,
)
from portal.commission.models.policies import CommissionPolicy, CommissionPolicyShare
from portal.commission.models.snapshots import CommissionSnapshot, CommissionSnapshotLine

__all__ = [
    "CommissionAgent",
    "CommissionAuditEvent",
    "CommissionCorrection",
    "CommissionCorrectionItem",
    "CommissionDispute",
    "CommissionDisputeAttachment",
    "CommissionDisputeMessage",
    "CommissionLedgerEntry",
    "CommissionLineAccount",
    "CommissionLockRelease",
    "CommissionPayoutBatch",
    "CommissionPayoutItem",
    "CommissionPeriodLock",
    "CommissionPersonAccount",
    "CommissionPolicy",
    "CommissionPolicyShare",
    "CommissionSnapshot",
    "CommissionSnapshotLine",
    "CustomerAgent",
    "Deal",
    "DealParticipant",
    "Lead",
    "Listing",
]

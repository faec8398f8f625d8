"""The ERP's current-account ledger, in our words: who owes what, month by month (facts: ERP data sources).

Amounts are whole kuruş. Sums are made in the ERP, per account and month, in decimal: months travel, lines do not.
A debit raises what a customer owes us, a credit lowers it; a line with a negative amount stands on the other side.
"""

from portal.receivables.ports.facts import (
    Account,
    Condition,
    DateBasis,
    Document,
    ErpBalance,
    ErpMonth,
    Finding,
    Fingerprint,
    MonthSum,
    Oddity,
    OpenItemSum,
    Side,
    Totals,
)
from portal.receivables.ports.roles import (
    LedgerSource,
    LedgerSources,
    Reading,
)
from portal.receivables.ports.unreadable import (
    REASONS,
    LedgerUnreadable,
    Reason,
)

__all__ = [
    "REASONS",
    "Account",
    "Condition",
    "DateBasis",
    "Document",
    "ErpBalance",
    "ErpMonth",
    "Finding",
    "Fingerprint",
    "LedgerSource",
    "LedgerSources",
    "LedgerUnreadable",
    "MonthSum",
    "Oddity",
    "OpenItemSum",
    "Reading",
    "Reason",
    "Side",
    "Totals",
]

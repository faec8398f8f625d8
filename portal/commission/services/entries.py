"""The only writer of the commission ledger: every row stands in the one journal, too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import insert

from portal.commission.models import CommissionLedgerEntry
from portal.commission.states import Direction, EntryType
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.money import Money
from portal.ledger import accounts
from portal.ledger.services import Draft, Pair, post_many


class Row(NamedTuple):
    """One row to be written: kuruş of one line of one person, and what it came of."""

    type: EntryType
    direction: Direction
    person_id: int
    line_id: int
    amount_minor: int
    effective_on: date
    subject: tuple[str, int]  # what the journal entry is about: rows with the same subject share one entry
    because: str
    payout_item_id: int | None = None
    correction_item_id: int | None = None
    dispute_id: int | None = None

    @property
    def source(self) -> str:
        """What makes the row unique."""
        for name in ("payout_item_id", "correction_item_id", "dispute_id"):
            if (source := getattr(self, name)) is not None:
                return f"{name.removesuffix('_id')}:{source}"
        return f"earn:{self.line_id}"

    @property
    def pair(self) -> Pair:
        """From where to where in the journal."""
        agent = accounts.agent(self.person_id)
        other = accounts.BANK if self.type == EntryType.PAYOUT else accounts.AGENT_COST
        debit, credit = (other, agent) if self.direction == Direction.CREDIT else (agent, other)
        return Pair(debit, credit, Money(self.amount_minor))


def post(rows: Sequence[Row], *, by: Actor) -> None:
    """Write rows into journal and commission ledger. Nothing is not written.

    Always in the order of person and line: the trigger moves their kept sums, and whoever locks in one order
    does not wait in a circle.
    """
    real = sorted((row for row in rows if row.amount_minor), key=lambda row: (row.person_id, row.line_id))
    grouped: dict[tuple[EntryType, tuple[str, int], date], list[Row]] = defaultdict(list)
    for row in real:
        grouped[row.type, row.subject, row.effective_on].append(row)
    drafts = [
        Draft(
            f"COMMISSION_{kind.value}",
            [row.pair for row in group],
            f"commission:{kind.value}:{subject[0]}:{subject[1]}",
            subject,
            group[0].because,
            day,
        )
        for (kind, subject, day), group in grouped.items()
    ]
    ids = dict(zip(grouped, post_many(drafts, by=by), strict=True))
    if real:
        db.session.execute(insert(CommissionLedgerEntry), [_values(row, ids) for row in real])


def _values(row: Row, ids: dict[tuple[EntryType, tuple[str, int], date], int]) -> dict[str, object]:
    return {
        "idempotency_key": row.source,
        "type": row.type.value,
        "direction": row.direction.value,
        "person_id": row.person_id,
        "line_id": row.line_id,
        "amount_minor": row.amount_minor,
        "effective_on": row.effective_on,
        "journal_entry_id": ids[row.type, row.subject, row.effective_on],
        "payout_item_id": row.payout_item_id,
        "correction_item_id": row.correction_item_id,
        "dispute_id": row.dispute_id,
        "because": row.because,
    }

"""Payouts in batches: a closed set, prepared by one person and paid by another; never more than is outstanding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, select

from portal.commission import queries
from portal.commission.models import (
    CommissionLedgerEntry,
    CommissionLineAccount,
    CommissionPayoutBatch,
    CommissionPayoutItem,
    CommissionPersonAccount,
)
from portal.commission.services import diary, entries, hands, periods
from portal.commission.states import BATCH, BatchState, Direction, EntryType
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import Refusal
from portal.core.i18n import noted
from portal.core.idempotency import KeyUsedForSomethingElse, digest_of


class NothingToPay(Refusal):
    """Nobody is owed anything that is not argued about or in another batch."""

    code = "nothing_to_pay"


class MoreThanOutstanding(Refusal):
    """Less is owed now than when the batch was prepared."""

    code = "more_than_outstanding"


class Due(NamedTuple):
    """What may be paid of a line now, in kuruş."""

    person_id: int
    line_id: int
    amount_minor: int


def due(on: date, people: Sequence[int] | None = None) -> list[Due]:
    """What may be paid on a day: earned by then, owed, not argued about, not in another batch; oldest lines first, and no more to a person
    than he is owed in all (paid commission that was taken back counts against his other lines)."""
    reserved = queries.reserved_lines()
    rooms = _rooms(people)
    person_of: dict[int, int] = {}
    earned = select(CommissionLedgerEntry.line_id).where(
        CommissionLedgerEntry.type == EntryType.EARN, CommissionLedgerEntry.effective_on <= on
    )
    wanted = select(CommissionLineAccount).where(
        CommissionLineAccount.person_id.in_(rooms), CommissionLineAccount.line_id.in_(earned)
    )
    accounts = list(db.session.scalars(wanted.order_by(CommissionLineAccount.person_id, CommissionLineAccount.line_id)))
    for account in accounts:
        person_of[account.line_id] = account.person_id
        rooms[account.person_id] -= reserved.get(account.line_id, 0)
    found = []
    for account in accounts:
        payable = account.payable_minor - reserved.get(account.line_id, 0)
        amount = min(payable, rooms[account.person_id])
        if amount > 0:
            found.append(Due(account.person_id, account.line_id, amount))
            rooms[account.person_id] -= amount
    return found


def _rooms(people: Sequence[int] | None) -> dict[int, int]:
    wanted = select(CommissionPersonAccount)
    if people is not None:
        wanted = wanted.where(CommissionPersonAccount.person_id.in_(people))
    return {account.person_id: account.payable_minor for account in db.session.scalars(wanted)}


def prepare(*, key: str, pay_on: date, by: Actor, people: Sequence[int] | None = None) -> CommissionPayoutBatch:
    """Freeze who is to be paid what on a day; a second person pays it. With the same key, the same batch."""
    known = db.session.execute(
        select(CommissionPayoutBatch).where(CommissionPayoutBatch.idempotency_key == key)
    ).scalar_one_or_none()
    if known is not None:
        if known.pay_on != pay_on:
            raise KeyUsedForSomethingElse
        return known
    periods.hold_open([pay_on])
    wanted = due(pay_on, people)
    if not wanted:
        raise NothingToPay(_l("Nobody is owed anything that could be paid now."))
    batch = CommissionPayoutBatch(
        idempotency_key=key,
        state=BatchState.PREPARED,
        pay_on=pay_on,
        total_minor=sum(item.amount_minor for item in wanted),
        items=len(wanted),
        digest=digest_of([f"{pay_on}", [list(item) for item in wanted]]),
        **hands.made(by),
    )
    db.session.add(batch)
    BATCH.begin(batch, actor=by, reason=noted("prepared"))
    db.session.execute(insert(CommissionPayoutItem), [{"batch_id": batch.id, **item._asdict()} for item in wanted])
    diary.write("prepared", "payout", batch.id, by=by, total=batch.total_minor, items=batch.items, on=f"{pay_on}")
    return batch


def pay(batch_id: int, *, shown: str, by: Actor, override_because: str = "") -> CommissionPayoutBatch:
    """A second person agrees: PAYOUT/DEBIT is posted per line. Refuses the preparer, the payees, another
    fingerprint, a locked month, and more than is outstanding now."""
    batch = queries.one(CommissionPayoutBatch, batch_id)
    periods.hold_open([batch.pay_on])
    items = [row[0] for row in queries.batch_items(batch_id)]
    earners = [item.person_id for item in items]
    hands.let_check(batch, shown=shown, by=by, earners=earners, override_because=override_because)
    how = hands.checked(by, shown=shown, override_because=override_because)
    BATCH.move(batch, BatchState.PAID, actor=by, reason=override_because or noted("paid"), **how)
    _is_owed(items)
    entries.post([_paying(batch, item) for item in items], by=by)
    diary.write("paid", "payout", batch.id, by=by, because=override_because, before={"state": "PREPARED"})
    return batch


def cancel(batch: CommissionPayoutBatch, *, by: Actor, because: str) -> None:
    """It will not be paid; its lines are free for another batch."""
    BATCH.move(batch, BatchState.CANCELLED, actor=by, reason=hands.reason(because))
    diary.write("cancelled", "payout", batch.id, by=by, because=because, before={"state": "PREPARED"})


def _paying(batch: CommissionPayoutBatch, item: CommissionPayoutItem) -> entries.Row:
    return entries.Row(
        EntryType.PAYOUT,
        Direction.DEBIT,
        item.person_id,
        item.line_id,
        item.amount_minor,
        batch.pay_on,
        ("commission payout", batch.id),
        noted("commission paid out"),
        payout_item_id=item.id,
    )


def _is_owed(items: Sequence[CommissionPayoutItem]) -> None:
    """Locks the people's accounts, in order, and looks; the trigger looks again."""
    to_people: dict[int, int] = defaultdict(int)
    for item in items:
        to_people[item.person_id] += item.amount_minor
    people = select(CommissionPersonAccount).where(CommissionPersonAccount.person_id.in_(to_people))
    people = people.order_by(CommissionPersonAccount.person_id).with_for_update()
    held = {a.person_id: a for a in db.session.scalars(people.execution_options(populate_existing=True))}
    lines = select(CommissionLineAccount).where(CommissionLineAccount.line_id.in_([item.line_id for item in items]))
    owed = {a.line_id: a for a in db.session.scalars(lines.execution_options(populate_existing=True))}
    short = [item.line_id for item in items if owed[item.line_id].payable_minor < item.amount_minor]
    if short or any(held[person].payable_minor < amount for person, amount in to_people.items()):
        raise MoreThanOutstanding(
            _l("Less is outstanding now than this batch would pay. Cancel it and prepare a new one."), lines=short
        )

"""Corrections: nothing is edited; what was wrong is taken back or adjusted, by two people, with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, select

from portal.commission import queries, rules
from portal.commission.models import (
    CommissionCorrection,
    CommissionCorrectionItem,
    CommissionLineAccount,
    CommissionPersonAccount,
    CommissionPolicy,
    CommissionSnapshot,
    CommissionSnapshotLine,
)
from portal.commission.services import diary, entries, hands, periods
from portal.commission.states import (
    CORRECTION,
    SNAPSHOT,
    BaseSource,
    CorrectionState,
    DealRole,
    Direction,
    EntryType,
    SnapshotState,
)
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput, Refusal
from portal.core.idempotency import KeyUsedForSomethingElse, digest_of
from portal.core.money import Money


class NothingLeft(Refusal):
    """More is to be taken back than was earned and is still there."""

    code = "more_than_earned"


def propose_reversal(
    snapshot_id: int, *, key: str, dated_on: date, because: str, by: Actor, amount_minor: int | None = None
) -> CommissionCorrection:
    """Take a snapshot's commission back: all that is left of it, or a part shared over its lines in proportion.

    Paid commission may be taken back, too: the person then owes it, and it is kept from what is due next.
    """
    left = _left(snapshot_id)
    whole = sum(left.values())
    amount = whole if amount_minor is None else amount_minor
    if not 0 < amount <= whole:
        raise NothingLeft(_l("More cannot be taken back than is left of it."), left=whole)
    lines = sorted(left)
    shares = Money(amount).split([left[line] for line in lines])
    items = {line: share.kurus for line, share in zip(lines, shares, strict=True) if share.kurus}
    return _propose(
        EntryType.REVERSAL, Direction.DEBIT, snapshot_id, items, key=key, dated_on=dated_on, because=because, by=by
    )


def propose_price_fall(
    snapshot: CommissionSnapshot, *, was: int, now: int, key: str, dated_on: date, because: str, by: Actor
) -> CommissionCorrection | None:
    """The sale came to less than it was reckoned with (both prices in kuruş): take back what the snapshot's own policy
    would not have given. None where that is nothing: a fixed amount, too small a fall, or all is back already.

    Reckoned from price to price, so that several falls take back together what one great one would have.
    """
    fall = _earned_at(snapshot, was) - _earned_at(snapshot, now)
    amount = min(fall, sum(_left(snapshot.id).values()))
    if amount <= 0 or snapshot.base_source != BaseSource.SALE_PRICE:
        return None
    return propose_reversal(snapshot.id, key=key, dated_on=dated_on, because=because, by=by, amount_minor=amount)


def _earned_at(snapshot: CommissionSnapshot, price: int) -> int:
    """What people would have earned of it; of nothing sold, nobody earns."""
    if not price:
        return 0
    policy = queries.one(CommissionPolicy, snapshot.policy_id)
    players = {DealRole(role): people for role, people in snapshot.facts["cast"].items()}
    pool = rules.pool_of(queries.terms_of(policy), price)
    parts = rules.allocate(pool, queries.shares_of(policy.id), players)
    return sum(part.amount_minor for part in parts if part.person_id is not None)


def propose_adjustment(
    line_id: int, *, direction: Direction, amount_minor: int, key: str, dated_on: date, because: str, by: Actor
) -> CommissionCorrection:
    """Correct one line up or down, in kuruş."""
    if amount_minor <= 0:
        raise BadInput(fields={"amount": _l("Write the amount like 1.254,30.")})
    line = queries.one(CommissionSnapshotLine, line_id)
    left = _left(line.snapshot_id)
    if line_id not in left:
        raise NothingLeft(_l("Only an approved line can be corrected."))
    if direction == Direction.DEBIT and amount_minor > left[line_id]:
        raise NothingLeft(_l("More cannot be taken back than is left of it."), left=left[line_id])
    return _propose(
        EntryType.ADJUSTMENT,
        direction,
        line.snapshot_id,
        {line_id: amount_minor},
        key=key,
        dated_on=dated_on,
        because=because,
        by=by,
    )


def do(correction_id: int, *, shown: str, by: Actor, override_because: str = "") -> CommissionCorrection:
    """A second person agrees, and the rows are posted; a snapshot of which nothing is left is REVERSED."""
    correction = queries.one(CommissionCorrection, correction_id)
    periods.hold_open([correction.dated_on])
    items = queries.correction_items(correction_id)
    earners = [item.person_id for item in items] if correction.direction == Direction.CREDIT else []
    hands.let_check(correction, shown=shown, by=by, earners=earners, override_because=override_because)
    how = hands.checked(by, shown=shown, override_because=override_because)
    CORRECTION.move(correction, CorrectionState.DONE, actor=by, reason=correction.because, **how)
    left = _left(correction.snapshot_id, lock=True)
    if correction.direction == Direction.DEBIT and any(left.get(i.line_id, 0) < i.amount_minor for i in items):
        raise NothingLeft(_l("More cannot be taken back than is left of it."))
    entries.post([_row(correction, item) for item in items], by=by)
    name = "reversed" if correction.type == EntryType.REVERSAL else "adjusted"
    total = correction.total_minor
    diary.write(name, "snapshot", correction.snapshot_id, by=by, because=correction.because, minor=total)
    _is_all_back(correction.snapshot_id, by=by, because=correction.because)
    return correction


def reject(correction: CommissionCorrection, *, by: Actor, because: str) -> None:
    """It will not be done; says why."""
    CORRECTION.move(correction, CorrectionState.REJECTED, actor=by, reason=hands.reason(because))
    diary.write("correction rejected", "snapshot", correction.snapshot_id, by=by, because=because)


def _is_all_back(snapshot_id: int, *, by: Actor, because: str) -> None:
    snapshot = queries.one(CommissionSnapshot, snapshot_id)
    if snapshot.state == SnapshotState.APPROVED and not any(_left(snapshot_id).values()):
        SNAPSHOT.move(snapshot, SnapshotState.REVERSED, actor=by, reason=because)


def _row(correction: CommissionCorrection, item: CommissionCorrectionItem) -> entries.Row:
    return entries.Row(
        EntryType(correction.type),
        Direction(correction.direction),
        item.person_id,
        item.line_id,
        item.amount_minor,
        correction.dated_on,
        ("commission correction", correction.id),
        correction.because,
        correction_item_id=item.id,
    )


def _left(snapshot_id: int, *, lock: bool = False) -> dict[int, int]:
    """What is left of each line: earned and adjusted, not taken back."""
    account = CommissionLineAccount
    if lock:
        mine = select(CommissionSnapshotLine.person_id).where(CommissionSnapshotLine.snapshot_id == snapshot_id)
        people = select(CommissionPersonAccount).where(CommissionPersonAccount.person_id.in_(mine))
        db.session.scalars(people.order_by(CommissionPersonAccount.person_id).with_for_update()).all()
    wanted = (
        select(account.line_id, account.earned_minor + account.adjusted_minor - account.reversed_minor)
        .join(CommissionSnapshotLine, CommissionSnapshotLine.id == account.line_id)
        .where(CommissionSnapshotLine.snapshot_id == snapshot_id)
    )
    return {line_id: int(left) for line_id, left in db.session.execute(wanted)}


def _propose(
    type: EntryType,
    direction: Direction,
    snapshot_id: int,
    items: Mapping[int, int],
    *,
    key: str,
    dated_on: date,
    because: str,
    by: Actor,
) -> CommissionCorrection:
    said = digest_of([type, direction, snapshot_id, sorted(items.items()), f"{dated_on}", because.strip()])
    known = db.session.execute(
        select(CommissionCorrection).where(CommissionCorrection.idempotency_key == key)
    ).scalar_one_or_none()
    if known is not None:
        if known.digest != said:
            raise KeyUsedForSomethingElse
        return known
    periods.hold_open([dated_on])
    correction = CommissionCorrection(
        idempotency_key=key,
        state=CorrectionState.PROPOSED,
        type=type,
        direction=direction,
        snapshot_id=snapshot_id,
        total_minor=sum(items.values()),
        dated_on=dated_on,
        because=hands.reason(because),
        digest=said,
        **hands.made(by),
    )
    db.session.add(correction)
    CORRECTION.begin(correction, actor=by, reason=correction.because)
    people = {line.id: line.person_id for line in queries.lines_of([snapshot_id])}
    rows = [{"line_id": line, "person_id": people[line], "amount_minor": minor} for line, minor in items.items()]
    db.session.execute(insert(CommissionCorrectionItem), [{"correction_id": correction.id, **row} for row in rows])
    diary.write(
        "correction proposed", "snapshot", snapshot_id, by=by, because=because, type=type, minor=sum(items.values())
    )
    return correction

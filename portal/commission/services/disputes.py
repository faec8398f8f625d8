"""Disputes about a line: opened by the person concerned, argued, escalated, and resolved with the right entry."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from portal.accounts.identity import one_hands
from portal.commission import queries
from portal.commission.calendar import business_days_after
from portal.commission.models import (
    CommissionDispute,
    CommissionDisputeAttachment,
    CommissionDisputeMessage,
    CommissionPersonAccount,
    CommissionSnapshot,
)
from portal.commission.services import diary, entries, hands, periods
from portal.commission.states import (
    COMMISSION_DISPUTE,
    UNRESOLVED,
    CommissionDisputeState,
    Direction,
    EntryType,
    Resolution,
    SnapshotState,
)
from portal.core import clock, formats
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.i18n import noted

MOST_ATTACHMENTS = 10
POSTS = {
    Resolution.RAISE: (EntryType.ADJUSTMENT, Direction.CREDIT),
    Resolution.LOWER: (EntryType.ADJUSTMENT, Direction.DEBIT),
    Resolution.TAKE_BACK: (EntryType.REVERSAL, Direction.DEBIT),
}


class Paper(Protocol):
    """A picture as whoever received it has redrawn it."""

    @property
    def jpeg(self) -> bytes: ...
    @property
    def sha256(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


class AlreadyDisputed(Refusal):
    """One argument about a line at a time."""

    code = "already_disputed"


class NotOutstanding(Refusal):
    """Only what has not been paid can be held back."""

    code = "not_outstanding"


class TooManyPapers(Refusal):
    """Enough papers for one argument."""

    code = "too_many_papers"


def open_dispute(line_id: int, *, amount_minor: int, claim: str, by: Actor) -> CommissionDispute:
    """The person concerned objects; exactly `amount_minor` kuruş of the line are not paid meanwhile (0: nothing is
    held back, because it has been paid, or because more is claimed).

    The answer is due in some business days, Turkish holidays excluded. Somebody else's line does not exist.
    """
    row = queries.line_row(line_id, person_id=by.person_id)
    assert by.person_id is not None
    if not claim.strip():
        raise BadInput(fields={"claim": _l("Say what is wrong.")})
    _hold(by.person_id)
    account = queries.line_row(line_id).account
    snapshot = queries.one(CommissionSnapshot, row.line.snapshot_id)
    if account is None or snapshot.state not in (SnapshotState.APPROVED, SnapshotState.REVERSED):
        raise NotOutstanding(_l("This is not approved yet; talk to finance before it is."))
    if open_about(line_id) is not None:
        raise AlreadyDisputed(_l("There is an open dispute about this amount already."))
    if not 0 <= amount_minor <= account.payable_minor:
        raise NotOutstanding(
            _l("At most %(most)s of it can be held back.", most=formats.money(account.payable_minor)),
            most=account.payable_minor,
        )
    dispute = CommissionDispute(
        line_id=line_id,
        person_id=by.person_id,
        state=CommissionDisputeState.OPEN,
        amount_minor=amount_minor,
        claim=claim.strip()[:2000],
        opened_at=clock.now(),
        answer_by_on=business_days_after(clock.today(), int(current_app.config["COMMISSION_DISPUTE_DAYS"])),
    )
    db.session.add(dispute)
    COMMISSION_DISPUTE.begin(dispute, actor=by, reason=noted("opened"))
    diary.write("opened", "dispute", dispute.id, by=by, because=dispute.claim, line=line_id, blocked=amount_minor)
    return dispute


def say(dispute: CommissionDispute, body: str, *, by: Actor) -> None:
    """One more sentence; resolved ones stay open for talking."""
    if not body.strip():
        raise BadInput(fields={"body": _l("Write something.")})
    db.session.add(
        CommissionDisputeMessage(
            dispute_id=dispute.id,
            author=by.name,
            author_person_id=by.person_id,
            body=body.strip()[:2000],
            said_at=clock.now(),
        )
    )
    db.session.flush()


def attach(dispute: CommissionDispute, paper: Paper, *, by: Actor) -> None:
    """A picture of a paper; the same one again is kept once."""
    kept = CommissionDisputeAttachment
    if (db.session.scalar(select(func.count()).where(kept.dispute_id == dispute.id)) or 0) >= MOST_ATTACHMENTS:
        raise TooManyPapers(_l("Ten pictures are enough for one dispute."))
    facts = {"sha256": paper.sha256, "width": paper.width, "height": paper.height, "jpeg": paper.jpeg}
    row = insert(kept).values(dispute_id=dispute.id, added_by=by.name, **facts)
    db.session.execute(row.on_conflict_do_nothing(constraint="one_copy_of_a_paper"))
    diary.write("paper added", "dispute", dispute.id, by=by, sha256=paper.sha256)


def resolve(
    dispute_id: int,
    resolution: Resolution,
    *,
    by: Actor,
    because: str,
    amount_minor: int | None = None,
    dated_on: date | None = None,
) -> CommissionDispute:
    """It is decided: what was held back is free again, and what the decision says is posted.

    RAISE and LOWER need an amount; TAKE_BACK takes back what was disputed unless told otherwise. Refuses the person
    concerned (also by a second account or a stand-in) and a locked month.
    """
    assert by.person_id is not None
    dispute = queries.one(CommissionDispute, dispute_id)
    because = hands.reason(because)
    day = dated_on or clock.today()
    if one_hands([dispute.person_id], by.person_id, days=[clock.today()]):
        raise hands.EarnsFromIt
    if resolution != Resolution.KEEP:
        periods.hold_open([day])
    _hold(dispute.person_id)
    amount = _amount(dispute, resolution, amount_minor)
    COMMISSION_DISPUTE.move(
        dispute,
        CommissionDisputeState.RESOLVED,
        actor=by,
        reason=because,
        resolution=resolution.value,
        resolved_minor=amount,
        because=because,
        resolver=by.name,
        resolver_person_id=by.person_id,
        resolved_at=clock.now(),
    )
    _post(dispute, resolution, amount, day, by=by)
    diary.write("resolved", "dispute", dispute.id, by=by, because=because, resolution=resolution.value, minor=amount)
    return dispute


def _amount(dispute: CommissionDispute, resolution: Resolution, amount_minor: int | None) -> int:
    if resolution == Resolution.KEEP:
        return 0
    amount = dispute.amount_minor if amount_minor is None and resolution == Resolution.TAKE_BACK else amount_minor
    if not amount or amount <= 0:
        raise BadInput(fields={"amount": _l("Say how much, like 1.254,30.")})
    account = queries.line_row(dispute.line_id).account
    assert account is not None
    left = account.earned_minor + account.adjusted_minor - account.reversed_minor
    if resolution != Resolution.RAISE and amount > left:
        raise NotOutstanding(_l("More cannot be taken back than is left of it."), left=left)
    return amount


def _post(dispute: CommissionDispute, resolution: Resolution, amount: int, day: date, *, by: Actor) -> None:
    if resolution in POSTS:
        kind, direction = POSTS[resolution]
        about = ("commission dispute", dispute.id)
        row = entries.Row(
            kind,
            direction,
            dispute.person_id,
            dispute.line_id,
            amount,
            day,
            about,
            dispute.because,
            dispute_id=dispute.id,
        )
        entries.post([row], by=by)


def escalate(dispute: CommissionDispute) -> None:
    """The answer is late: it goes to the top of everybody's list."""
    late = noted("no answer in the agreed business days")
    COMMISSION_DISPUTE.move(
        dispute, CommissionDisputeState.ESCALATED, actor=SYSTEM, reason=late, escalated_at=clock.now()
    )
    diary.write("escalated", "dispute", dispute.id, by=SYSTEM, because=late, before={"state": "OPEN"})


def open_about(line_id: int) -> CommissionDispute | None:
    """The open argument about a line, if there is one."""
    wanted = select(CommissionDispute).where(
        CommissionDispute.line_id == line_id, CommissionDispute.state.in_(UNRESOLVED)
    )
    found: CommissionDispute | None = db.session.execute(wanted).scalar_one_or_none()
    return found


def _hold(person_id: int) -> None:
    """Lock the person's account: payouts and arguments about the same kuruş come one after the other."""
    account = db.session.get(CommissionPersonAccount, person_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise NotFound

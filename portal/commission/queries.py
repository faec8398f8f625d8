"""What pages and services ask about deals, policies and snapshots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.commission.models import (
    CommissionAgent,
    CommissionAuditEvent,
    CommissionCorrection,
    CommissionCorrectionItem,
    CommissionLineAccount,
    CommissionPayoutBatch,
    CommissionPayoutItem,
    CommissionPolicy,
    CommissionPolicyShare,
    CommissionSnapshot,
    CommissionSnapshotLine,
    CustomerAgent,
    Deal,
    DealParticipant,
    Lead,
    Listing,
)
from portal.commission.rules import Share, Terms
from portal.commission.states import (
    BatchState,
    DealRole,
    DealState,
    Method,
    PolicyState,
    Rounding,
    SnapshotState,
)
from portal.core.database import Json, db
from portal.core.errors import NotFound

T = TypeVar("T")
Cast = dict[DealRole, list[int]]


class DealFacts(NamedTuple):
    """A deal and what is known of its price."""

    deal: Deal
    answers: Json
    listing_price: int | None


class SnapshotRow(NamedTuple):
    """A snapshot in a list."""

    snapshot: CommissionSnapshot
    title: str
    policy: str


class LineRow(NamedTuple):
    """A line with its person and where it stands (None: not earned yet, or the SYSTEM's)."""

    line: CommissionSnapshotLine
    person: str | None
    account: CommissionLineAccount | None


def one(kind: type[T], thing_id: int, *, for_update: bool = False) -> T:
    """One row of a table, as it is now; refuses what does not exist."""
    known = 0 < thing_id < 2**63
    found = (
        db.session.get(kind, thing_id, with_for_update=for_update or None, populate_existing=True) if known else None
    )
    if found is None:
        raise NotFound
    return found


def agent_ids() -> set[int]:
    """Everybody who may earn commission."""
    return set(db.session.scalars(select(CommissionAgent.person_id)))


def agents() -> list[tuple[int, str, str]]:
    """Everybody who may earn commission: id, name, team."""
    wanted = select(CommissionAgent.person_id, Person.full_name, CommissionAgent.team).join(
        Person, Person.id == CommissionAgent.person_id
    )
    return [tuple(row) for row in db.session.execute(wanted.order_by(Person.full_name, Person.id))]  # type: ignore[misc]


def teams() -> list[str]:
    """The teams by name."""
    return list(db.session.scalars(select(CommissionAgent.team).distinct().order_by(CommissionAgent.team)))


def agent_of(organisation_id: int, day: date) -> int | None:
    """Who looks after a buyer on a day."""
    wanted = (
        select(CustomerAgent.person_id)
        .where(CustomerAgent.organisation_id == organisation_id, CustomerAgent.from_on <= day)
        .order_by(CustomerAgent.from_on.desc())
        .limit(1)
    )
    return db.session.scalar(wanted)


# Deals ------------------------------------------------------------------------------------------------------


def deals(*, state: str = "", words: str = "") -> Any:
    """Deals, newest first; the caller pages."""
    wanted = select(Deal).order_by(Deal.id.desc())
    if state:
        wanted = wanted.where(Deal.state == state)
    return wanted.where(Deal.title.icontains(words, autoescape=True)) if words else wanted


def deal_counts() -> dict[str, int]:
    """How many deals are in each state."""
    return {state: count for state, count in db.session.execute(select(Deal.state, func.count()).group_by(Deal.state))}


def facts_of(deal_ids: Sequence[int]) -> dict[int, DealFacts]:
    """What is known of the prices of some deals, in one question."""
    wanted = (
        select(Deal, Lead.answers, Listing.price)
        .outerjoin(Lead, Lead.id == Deal.lead_id)
        .outerjoin(Listing, Listing.id == Deal.listing_id)
        .where(Deal.id.in_(deal_ids))
    )
    return {deal.id: DealFacts(deal, answers or {}, price) for deal, answers, price in db.session.execute(wanted)}


def casts_of(deal_ids: Sequence[int]) -> dict[int, Cast]:
    """Who plays which part in some deals."""
    found: dict[int, Cast] = defaultdict(dict)
    rows = select(DealParticipant).where(DealParticipant.deal_id.in_(deal_ids)).order_by(DealParticipant.person_id)
    for row in db.session.scalars(rows):
        found[row.deal_id].setdefault(DealRole(row.role), []).append(row.person_id)
    return found


def snapshots_of_deals(deal_ids: Sequence[int]) -> dict[int, CommissionSnapshot]:
    """The latest snapshot of each deal that has one."""
    wanted = select(CommissionSnapshot).where(CommissionSnapshot.deal_id.in_(deal_ids)).order_by(CommissionSnapshot.id)
    return {snapshot.deal_id: snapshot for snapshot in db.session.scalars(wanted)}


def won_without_snapshot(limit: int) -> list[int]:
    """Won deals of orders whose snapshot could not be made when they were won (no policy, a locked month)."""
    live = select(CommissionSnapshot.deal_id).where(CommissionSnapshot.deal_id == Deal.id)
    wanted = select(Deal.id).where(Deal.state == DealState.WON, Deal.order_id.is_not(None), ~live.exists())
    return list(db.session.scalars(wanted.order_by(Deal.id).limit(limit)))


# Policies ---------------------------------------------------------------------------------------------------


def policy_on(code: str, day: date) -> CommissionPolicy | None:
    """The wording in force on a day: of those that have begun, the latest, unless it has ended."""
    wanted = (
        select(CommissionPolicy)
        .where(
            CommissionPolicy.code == code,
            CommissionPolicy.state == PolicyState.ACTIVE,
            CommissionPolicy.valid_from <= day,
        )
        .order_by(CommissionPolicy.valid_from.desc())
        .limit(1)
    )
    found: CommissionPolicy | None = db.session.execute(wanted).scalar_one_or_none()
    ended = found is not None and found.valid_until is not None and day >= found.valid_until
    return None if ended else found


def policies() -> list[CommissionPolicy]:
    """Every wording of every policy, the latest first."""
    wanted = select(CommissionPolicy).order_by(CommissionPolicy.code, CommissionPolicy.valid_from.desc())
    return list(db.session.scalars(wanted.order_by(CommissionPolicy.id.desc())))


def shares_of(policy_id: int) -> list[Share]:
    """A policy's shares, in their order."""
    rows = select(CommissionPolicyShare).where(CommissionPolicyShare.policy_id == policy_id)
    return [
        Share(row.position, row.share_bps, row.person_id, DealRole(row.role) if row.role else None)
        for row in db.session.scalars(rows.order_by(CommissionPolicyShare.position))
    ]


def terms_of(policy: CommissionPolicy) -> Terms:
    """How a policy makes a pool."""
    rounding = Rounding(policy.rounding_rule) if policy.rounding_rule else None
    return Terms(Method(policy.method), policy.percent, rounding, policy.fixed_commission_minor)


# Snapshots --------------------------------------------------------------------------------------------------


def snapshots(*, state: str = "", person_id: int | None = None, words: str = "") -> Any:
    """Snapshots, newest first; the caller pages and wraps rows in SnapshotRow."""
    wanted = (
        select(CommissionSnapshot, Deal.title, CommissionPolicy.name)
        .join(Deal, Deal.id == CommissionSnapshot.deal_id)
        .join(CommissionPolicy, CommissionPolicy.id == CommissionSnapshot.policy_id)
        .order_by(CommissionSnapshot.id.desc())
    )
    if state:
        wanted = wanted.where(CommissionSnapshot.state == state)
    if person_id is not None:
        line = CommissionSnapshotLine
        mine = select(line.id).where(line.snapshot_id == CommissionSnapshot.id, line.person_id == person_id)
        wanted = wanted.where(mine.exists())
    return wanted.where(Deal.title.icontains(words, autoescape=True)) if words else wanted


def snapshot_counts() -> dict[str, int]:
    """How many snapshots are in each state."""
    rows = select(CommissionSnapshot.state, func.count()).group_by(CommissionSnapshot.state)
    return {state: count for state, count in db.session.execute(rows)}


def snapshots_by_id(ids: Sequence[int]) -> list[CommissionSnapshot]:
    """Some snapshots as they are now, in the order of their ids; refuses when one does not exist."""
    wanted = select(CommissionSnapshot).where(CommissionSnapshot.id.in_(ids)).order_by(CommissionSnapshot.id)
    found = list(db.session.scalars(wanted.execution_options(populate_existing=True)))
    if len(found) != len(set(ids)):
        raise NotFound
    return found


def lines_of(snapshot_ids: Sequence[int]) -> list[CommissionSnapshotLine]:
    """The lines of some snapshots, in their order."""
    line = CommissionSnapshotLine
    return list(
        db.session.scalars(
            select(line).where(line.snapshot_id.in_(snapshot_ids)).order_by(line.snapshot_id, line.line_no)
        )
    )


def line_rows(snapshot_id: int) -> list[LineRow]:
    """The lines of a snapshot with names and where they stand."""
    return _line_rows(CommissionSnapshotLine.snapshot_id == snapshot_id)


def line_row(line_id: int, *, person_id: int | None = None) -> LineRow:
    """One line; with `person_id` only if it is theirs: somebody else's does not exist."""
    found = _line_rows(CommissionSnapshotLine.id == line_id) if 0 < line_id < 2**63 else []
    if not found or (person_id is not None and found[0].line.person_id != person_id):
        raise NotFound
    return found[0]


def lines_of_person(person_id: int) -> list[tuple[LineRow, CommissionSnapshot, str]]:
    """Somebody's lines with snapshot and deal, newest first; two hundred at most."""
    wanted = (
        select(CommissionSnapshotLine, Person.full_name, CommissionLineAccount, CommissionSnapshot, Deal.title)
        .join(Person, Person.id == CommissionSnapshotLine.person_id)
        .outerjoin(CommissionLineAccount, CommissionLineAccount.line_id == CommissionSnapshotLine.id)
        .join(CommissionSnapshot, CommissionSnapshot.id == CommissionSnapshotLine.snapshot_id)
        .join(Deal, Deal.id == CommissionSnapshot.deal_id)
        .where(CommissionSnapshotLine.person_id == person_id)
        .where(CommissionSnapshot.state != SnapshotState.REJECTED)
        .order_by(CommissionSnapshotLine.id.desc())
        .limit(200)
    )
    return [(LineRow(*row[:3]), row[3], row[4]) for row in db.session.execute(wanted)]


def _line_rows(where: Any) -> list[LineRow]:
    wanted = (
        select(CommissionSnapshotLine, Person.full_name, CommissionLineAccount)
        .outerjoin(Person, Person.id == CommissionSnapshotLine.person_id)
        .outerjoin(CommissionLineAccount, CommissionLineAccount.line_id == CommissionSnapshotLine.id)
        .where(where)
        .order_by(CommissionSnapshotLine.line_no)
        .execution_options(populate_existing=True)
    )
    return [LineRow(*row) for row in db.session.execute(wanted)]


# Payouts and corrections ------------------------------------------------------------------------------------


def batches(*, state: str = "") -> Any:
    """Payout batches, newest first; the caller pages."""
    wanted = select(CommissionPayoutBatch).order_by(CommissionPayoutBatch.id.desc())
    return wanted.where(CommissionPayoutBatch.state == state) if state else wanted


def batch_items(batch_id: int) -> list[tuple[CommissionPayoutItem, str, str, int]]:
    """What a batch pays: item, person, deal, snapshot."""
    wanted = (
        select(CommissionPayoutItem, Person.full_name, Deal.title, CommissionSnapshot.id)
        .join(Person, Person.id == CommissionPayoutItem.person_id)
        .join(CommissionSnapshotLine, CommissionSnapshotLine.id == CommissionPayoutItem.line_id)
        .join(CommissionSnapshot, CommissionSnapshot.id == CommissionSnapshotLine.snapshot_id)
        .join(Deal, Deal.id == CommissionSnapshot.deal_id)
        .where(CommissionPayoutItem.batch_id == batch_id)
        .order_by(CommissionPayoutItem.person_id, CommissionPayoutItem.line_id)
    )
    return [tuple(row) for row in db.session.execute(wanted)]  # type: ignore[misc]


def reserved_lines() -> dict[int, int]:
    """What prepared batches are about to pay, by line, in kuruş."""
    item = CommissionPayoutItem
    wanted = (
        select(item.line_id, func.sum(item.amount_minor))
        .join(CommissionPayoutBatch, CommissionPayoutBatch.id == item.batch_id)
        .where(CommissionPayoutBatch.state == BatchState.PREPARED)
        .group_by(item.line_id)
    )
    return {line_id: int(minor) for line_id, minor in db.session.execute(wanted)}


def corrections(*, state: str = "", snapshot_id: int | None = None) -> list[CommissionCorrection]:
    """Corrections, newest first; two hundred at most."""
    wanted = select(CommissionCorrection).order_by(CommissionCorrection.id.desc()).limit(200)
    if state:
        wanted = wanted.where(CommissionCorrection.state == state)
    if snapshot_id is not None:
        wanted = wanted.where(CommissionCorrection.snapshot_id == snapshot_id)
    return list(db.session.scalars(wanted))


def correction_items(correction_id: int) -> list[CommissionCorrectionItem]:
    """What a correction changes, line by line."""
    item = CommissionCorrectionItem
    wanted = select(item).where(item.correction_id == correction_id).order_by(item.person_id, item.line_id)
    return list(db.session.scalars(wanted))


def diary(*, kind: str = "", subject_id: int | None = None) -> Any:
    """Acts, newest first; the caller pages."""
    wanted = select(CommissionAuditEvent).order_by(CommissionAuditEvent.id.desc())
    if kind:
        wanted = wanted.where(CommissionAuditEvent.subject_kind == kind)
    return wanted if subject_id is None else wanted.where(CommissionAuditEvent.subject_id == subject_id)

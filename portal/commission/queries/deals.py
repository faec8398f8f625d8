"""What is asked about agents, deals and policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import func, select

from portal.accounts.models import Organisation, Person
from portal.commission.models import (
    CommissionAgent,
    CommissionPolicy,
    CommissionPolicyShare,
    CommissionSnapshot,
    CustomerAgent,
    Deal,
    DealParticipant,
    Lead,
    Listing,
)
from portal.commission.rules import Share, Terms
from portal.commission.states import (
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


def deal_of_order(order_id: int) -> Deal | None:
    """The deal an order became, held until the unit of work ends."""
    mine = select(Deal).where(Deal.order_id == order_id).with_for_update(key_share=True)
    return db.session.scalars(mine.execution_options(populate_existing=True)).one_or_none()


def won_without_snapshot(limit: int) -> list[int]:
    """Won deals of orders whose snapshot could not be made when they were won, or when their price fell (no policy,
    a locked month). What a person rejected is left to people."""
    known = select(CommissionSnapshot.deal_id).where(
        CommissionSnapshot.deal_id == Deal.id,
        (CommissionSnapshot.state != SnapshotState.REJECTED)
        | (CommissionSnapshot.base_amount_minor == Deal.sale_price),
    )
    of_an_order = (Deal.state == DealState.WON, Deal.order_id.is_not(None), Deal.sale_price > 0)
    wanted = select(Deal.id).where(*of_an_order, ~known.exists())
    return list(db.session.scalars(wanted.order_by(Deal.id).limit(limit)))


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


# People and customers ---------------------------------------------------------------------------------------


def customers(day: date) -> list[tuple[int, str, int | None, str | None]]:
    """Every buyer with who looks after it on a day: organisation, name, agent, agent's name."""
    latest = (
        select(CustomerAgent.organisation_id, CustomerAgent.person_id)
        .where(CustomerAgent.from_on <= day)
        .distinct(CustomerAgent.organisation_id)
        .order_by(CustomerAgent.organisation_id, CustomerAgent.from_on.desc())
        .subquery()
    )
    wanted = (
        select(Organisation.id, Organisation.name, latest.c.person_id, Person.full_name)
        .outerjoin(latest, latest.c.organisation_id == Organisation.id)
        .outerjoin(Person, Person.id == latest.c.person_id)
        .where(Organisation.kind == "BUYER")
        .order_by(Organisation.name)
    )
    return [tuple(row) for row in db.session.execute(wanted)]


def people_who_might_sell() -> list[tuple[int, str]]:
    """The platform's brokers: who may be enrolled as sales agents."""
    wanted = select(Person.id, Person.full_name).where(Person.role == "broker", Person.is_active)
    return [tuple(row) for row in db.session.execute(wanted.order_by(Person.full_name))]  # type: ignore[misc]

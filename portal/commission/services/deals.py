"""Deals come, are won or lost, and have people in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects.postgresql import insert

from portal.commission import queries
from portal.commission.models import CommissionAgent, CustomerAgent, Deal, DealParticipant, Lead, Listing
from portal.commission.services import diary
from portal.commission.services.hands import reason
from portal.commission.states import DEAL, DealRole, DealState
from portal.core.actor import Actor
from portal.core.database import Json, db
from portal.core.errors import BadInput
from portal.core.i18n import noted


def enrol(person_id: int, *, team: str, by: Actor) -> CommissionAgent:
    """Somebody may earn commission from now on; again: moves to another team."""
    agent: CommissionAgent = db.session.merge(CommissionAgent(person_id=person_id, team=team.strip() or "–"))
    diary.write("enrolled", "agent", person_id, by=by, team=agent.team)
    return agent


def look_after(organisation_id: int, person_id: int | None, *, from_on: date, by: Actor) -> None:
    """Somebody looks after a buyer from a day on; nobody, if None. Orders placed before keep their agent."""
    row = {"organisation_id": organisation_id, "from_on": from_on, "person_id": person_id}
    wish = insert(CustomerAgent).values(row)
    db.session.execute(wish.on_conflict_do_update(constraint="pk_customer_agent", set_={"person_id": person_id}))
    diary.write("looks after", "customer", organisation_id, by=by, person=person_id, since=f"{from_on}")


def open_deal(
    title: str,
    *,
    by: Actor,
    cast: Mapping[DealRole, Sequence[int]],
    sale_price: int | None = None,
    listing: Listing | None = None,
    lead: Lead | None = None,
    policy_code: str = "standard",
) -> Deal:
    """Something is to be sold. Amounts in kuruş. Refuses people who are no agents (422)."""
    unknown = {person for people in cast.values() for person in people} - queries.agent_ids()
    if unknown or not title.strip():
        raise BadInput(fields={"agent": _l("Choose a sales agent.")} if unknown else {"title": _l("Give it a name.")})
    for thing in (listing, lead):
        if thing is not None:
            db.session.add(thing)
    db.session.flush()
    deal = Deal(
        title=title.strip()[:300],
        sale_price=sale_price,
        listing_id=listing.id if listing else None,
        lead_id=lead.id if lead else None,
        policy_code=policy_code,
    )
    db.session.add(deal)
    DEAL.begin(deal, actor=by, reason=noted("opened"))
    _cast(deal, cast)
    diary.write("opened", "deal", deal.id, by=by, title=deal.title)
    return deal


def win(deal: Deal, *, on: date, by: Actor, because: str = "") -> None:
    """The customer bought."""
    DEAL.move(deal, DealState.WON, actor=by, reason=because or noted("won"), closed_on=on)
    diary.write("won", "deal", deal.id, by=by, because=because, on=f"{on}")


def lose(deal: Deal, *, on: date, by: Actor, because: str) -> None:
    """The customer did not buy; says why."""
    DEAL.move(deal, DealState.LOST, actor=by, reason=reason(because), closed_on=on)
    diary.write("lost", "deal", deal.id, by=by, because=because, on=f"{on}")


def won_by_order(
    order_id: int, *, title: str, sale_price: int, agent_id: int, on: date, evidence: Json, by: Actor
) -> Deal | None:
    """A completed order with a sales agent is a won deal; None where it is known already. Price in kuruş."""
    facts = {
        "title": title,
        "state": DealState.WON.value,
        "sale_price": sale_price,
        "order_id": order_id,
        "evidence": evidence,
        "closed_on": on,
    }
    fresh = insert(Deal).values(facts).on_conflict_do_nothing(index_elements=[Deal.order_id]).returning(Deal.id)
    deal_id = db.session.scalar(fresh)
    if deal_id is None:
        return None
    deal = db.session.get_one(Deal, deal_id)
    DEAL.begin(deal, actor=by, reason=noted("the order was completed"))
    _cast(deal, {DealRole.AGENT: [agent_id]})
    diary.write("won", "deal", deal.id, by=by, because=noted("the order was completed"), on=f"{on}", order=order_id)
    return deal


def reprice(deal: Deal, *, sale_price: int, evidence: Json, by: Actor, because: str) -> None:
    """The sale came to another price, in kuruş. What was reckoned from the old one is the caller's to correct."""
    before, deal.sale_price, deal.evidence = deal.sale_price, sale_price, evidence
    db.session.flush()
    diary.write("repriced", "deal", deal.id, by=by, because=because, before={"minor": before}, minor=sale_price)


def _cast(deal: Deal, cast: Mapping[DealRole, Sequence[int]]) -> None:
    for role, people in cast.items():
        for person_id in sorted(set(people)):
            db.session.add(DealParticipant(deal_id=deal.id, role=role.value, person_id=person_id))
    db.session.flush()

"""The commission desk: deals, who sells, and which buyers they look after."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.commission import queries
from portal.commission.models import Deal, Lead, Listing
from portal.commission.services import deals
from portal.commission.states import DEAL, DealRole, DealState
from portal.core import clock
from portal.core.errors import BadInput, NotFound
from portal.core.unit_of_work import atomic
from portal.core.web import choice, nonce, paged, search_words
from portal.portals import commission_desk as desk
from portal.portals.commission_desk import bp, done, plain, said, shown

DEAL_FIELDS = ("id", "title", "state", "sale_price", "order_id", "policy_code", "closed_on")


@bp.get("/deals")
@requires(Permission.COMMISSION_SEE)
def deal_list() -> Response:
    """Deals by state, with the snapshot each one has."""
    state = choice("state", list(DealState))
    rows = paged(queries.deals(state=state, words=search_words()))
    ids = [deal.id for deal in rows.rows]
    return shown(
        "commission/deals.html",
        {"deals": [plain(deal, *DEAL_FIELDS) for deal in rows.rows], "total": rows.total},
        rows=rows,
        snapshots=queries.snapshots_of_deals(ids),
        casts=queries.casts_of(ids),
        names={agent: name for agent, name, _team in queries.agents()},
        counts=queries.deal_counts(),
        state=state,
        machine=DEAL,
        q=search_words(),
        codes=sorted({policy.code for policy in queries.policies()}),
        today=clock.today(),
        key=nonce(),
    )


@bp.post("/deals")
@requires(Permission.COMMISSION_MAKE)
def open_deal() -> Response:
    """A deal that came of no order; machines may send the lead's answers and the listing's price."""
    sent = said()
    answers = sent.get("lead_answers")
    listing = desk.minor(sent, "listing_price")
    cast = {role: [desk.whole(sent, field)] for role in DealRole if desk.words(sent, field := f"{role.lower()}_id")}
    with atomic():
        deal = deals.open_deal(
            desk.words(sent, "title", 300),
            by=current_actor(),
            cast=cast,
            sale_price=desk.minor(sent, "sale_price"),
            listing=Listing(title=desk.words(sent, "title", 300), price=listing) if listing is not None else None,
            lead=Lead(answers=answers) if isinstance(answers, dict) else None,
            policy_code=desk.words(sent, "policy_code", 60) or "standard",
        )
    return done(url_for(".deal_list"), _("The deal is open."), plain(deal, *DEAL_FIELDS), 201)


@bp.post("/deals/<int:deal_id>/outcome")
@requires(Permission.COMMISSION_MAKE)
def close_deal(deal_id: int) -> Response:
    """Won or lost."""
    sent = said()
    outcome = desk.words(sent, "outcome", 10)
    on = desk.day_of(sent, "on") or clock.today()
    with atomic():
        deal = queries.one(Deal, deal_id, for_update=True)
        if outcome == DealState.WON:
            deals.win(deal, on=on, by=current_actor(), because=desk.words(sent, "because"))
        elif outcome == DealState.LOST:
            deals.lose(deal, on=on, by=current_actor(), because=desk.words(sent, "because"))
        else:
            raise BadInput(fields={"outcome": _("Won or lost?")})
    return done(url_for(".deal_list"), _("Written down."), plain(deal, *DEAL_FIELDS))


@bp.get("/agents")
@requires(Permission.COMMISSION_SEE)
def agent_list() -> Response:
    """Who sells, in which team, and which buyers they look after."""
    found = queries.agents()
    return shown(
        "commission/agents.html",
        {"agents": [{"person_id": agent, "name": name, "team": team} for agent, name, team in found]},
        agents=found,
        customers=queries.customers(clock.today()),
        people=queries.people_who_might_sell(),
        today=clock.today(),
    )


@bp.post("/agents")
@requires(Permission.COMMISSION_MAKE)
def enrol() -> Response:
    """Somebody may earn commission, or changes the team."""
    sent = said()
    person_id = desk.whole(sent, "person_id")
    if person_id not in {person for person, _name in queries.people_who_might_sell()}:
        raise NotFound
    with atomic():
        agent = deals.enrol(person_id, team=desk.words(sent, "team", 60), by=current_actor())
    return done(url_for(".agent_list"), _("Written down."), {"person_id": person_id, "team": agent.team}, 201)


@bp.post("/customers")
@requires(Permission.COMMISSION_MAKE)
def look_after() -> Response:
    """Who looks after a buyer from a day on: orders placed from then on are theirs."""
    sent = said()
    customer = desk.whole(sent, "organisation_id")
    person_id = desk.whole(sent, "person_id") if desk.words(sent, "person_id") else None
    known = {row[0] for row in queries.customers(clock.today())}
    if customer not in known or (person_id is not None and person_id not in queries.agent_ids()):
        raise NotFound
    from_on = desk.day_of(sent, "from_on") or clock.today()
    with atomic():
        deals.look_after(customer, person_id, from_on=from_on, by=current_actor())
    return done(url_for(".agent_list"), _("Written down."), {"organisation_id": customer, "person_id": person_id})

"""The commission desk: overview, deals, snapshots, and why an amount is so."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

from flask import Response as FlaskResponse
from flask import request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission
from portal.commission import overview, queries, rehearsal, statement_pdf, statement_xlsx
from portal.commission import periods as looks
from portal.commission.models import CommissionSnapshot, Deal, Lead, Listing
from portal.commission.overview import Window
from portal.commission.queries import SnapshotRow
from portal.commission.services import deals, snapshots
from portal.commission.services.snapshots import Wish
from portal.commission.statements import Statement, statement
from portal.commission.states import DEAL, SNAPSHOT, DealRole, DealState, SnapshotState
from portal.commission.why import Why, why
from portal.core import clock, formats
from portal.core.errors import BadInput, NotFound
from portal.core.unit_of_work import atomic
from portal.core.web import choice, nonce, paged, search_words
from portal.portals import commission_desk as desk
from portal.portals.commission_desk import bp, done, plain, said, shown

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SNAPSHOT_FIELDS = (
    "id", "deal_id", "policy_id", "state", "effective_on", "dated_on", "base_amount_minor", "base_source",
    "pool_amount_minor", "digest", "maker", "checker",
)  # fmt: skip
DEAL_FIELDS = ("id", "title", "state", "sale_price", "order_id", "policy_code", "closed_on")


def window_asked() -> Window:
    """Period, team and day of the books, from the query string; nonsense counts as not asked."""
    month = looks.read_month(request.args.get("period", ""))
    team = request.args.get("team", "")
    return Window(
        month,
        _day_after(request.args.get("as_of", "")) or (looks.next_month(month) if month else None),
        team=team if team in queries.teams() else "",
    )


def _day_after(text: str) -> date | None:
    try:
        return formats.read_day(text) + timedelta(days=1) if text else None
    except (BadInput, OverflowError):
        return None


@bp.get("/")
@requires(Permission.COMMISSION_SEE)
def home() -> Response:
    """Who earned what, and what waits for whom."""
    window = window_asked()
    rows = overview.people(window)
    total = overview.total(rows)
    people = [
        {"person_id": r.person_id, "name": r.name, "team": r.team, **_sums(r.sums), "blocked_minor": r.blocked}
        for r in rows
    ]
    return shown(
        "commission/home.html",
        {"people": people, "total": _sums(total)},
        rows=rows,
        total=total,
        window=window,
        teams=queries.teams(),
        waiting=_waiting(),
        months=_months(),
    )


def _sums(sums: Any) -> dict[str, int]:
    return {
        "earned_minor": sums.earned,
        "paid_minor": sums.paid,
        "reversed_minor": sums.reversed,
        "adjusted_minor": sums.adjusted,
        "outstanding_minor": sums.outstanding,
    }


def _months() -> list[date]:
    month = looks.month_of(clock.today())
    found = [month]
    for _n in range(5):
        month = looks.month_of(month - timedelta(days=1))
        found.append(month)
    return found


def _waiting() -> list[tuple[int, str, str]]:
    me = current_person().id
    pending = queries.waiting_for_a_check()
    mine = sum(count for _kind, count, maker in pending if maker != me)
    others = sum(count for _kind, count, maker in pending if maker == me)
    disputes = queries.dispute_counts()
    return [
        (mine, _("waiting for a second person: you may look"), url_for(".snapshot_list", state="PENDING_APPROVAL")),
        (others, _("made by you, waiting for somebody else"), url_for(".snapshot_list", state="PENDING_APPROVAL")),
        (
            disputes.get("ESCALATED", 0),
            _("objections whose answer is overdue"),
            url_for(".dispute_list", state="ESCALATED"),
        ),
        (disputes.get("OPEN", 0), _("objections being looked at"), url_for(".dispute_list", state="OPEN")),
    ]


# Deals ------------------------------------------------------------------------------------------------------


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


# Snapshots --------------------------------------------------------------------------------------------------


@bp.get("/snapshots")
@requires(Permission.COMMISSION_SEE)
def snapshot_list() -> Response:
    """Snapshots by state; what waits can be approved together, as one frozen set."""
    state = choice("state", list(SnapshotState))
    rows = paged(queries.snapshots(state=state, words=search_words()), row=SnapshotRow)
    return shown(
        "commission/snapshots.html",
        {"snapshots": [plain(r.snapshot, *SNAPSHOT_FIELDS) for r in rows.rows], "total": rows.total},
        rows=rows,
        counts=queries.snapshot_counts(),
        state=state,
        machine=SNAPSHOT,
        q=search_words(),
        me=current_person(),
    )


@bp.post("/snapshots")
@requires(Permission.COMMISSION_MAKE)
def create_snapshot() -> Response:
    """Freeze what a won deal comes to; idempotent by `idempotency_key`."""
    sent = said()
    deal_id = desk.whole(sent, "deal_id")
    key = desk.words(sent, "idempotency_key", 201) or request.headers.get("Idempotency-Key", "")
    with atomic():
        deal = queries.one(Deal, deal_id)
        wished = desk.day_of(sent, "effective_on") or first_day(deal)
        made = snapshots.create([Wish(deal_id, key)], effective_on=wished, by=current_actor())[0]
    answer = plain(queries.one(CommissionSnapshot, made), *SNAPSHOT_FIELDS)
    return done(
        url_for(".snapshot", snapshot_id=made), _("The snapshot is made. A second person approves it."), answer, 201
    )


def first_day(deal: Deal) -> date:
    """The day a snapshot is made for: when the deal was won, or today where that month is locked."""
    return desk.first_open_day(deal.closed_on or clock.today())


@bp.get("/snapshots/<int:snapshot_id>")
@requires(Permission.COMMISSION_SEE)
def snapshot(snapshot_id: int) -> Response:
    """What it came to, on which facts, for whom; and what may be done."""
    found = queries.one(CommissionSnapshot, snapshot_id)
    rows = queries.line_rows(snapshot_id)
    answer = plain(found, *SNAPSHOT_FIELDS) | {"lines": [_line(row) for row in rows]}
    return shown(
        "commission/snapshot.html",
        answer,
        snapshot=found,
        deal=queries.one(Deal, found.deal_id),
        rows=rows,
        explained=why(rows[0]) if rows else None,
        corrections=queries.corrections(snapshot_id=snapshot_id),
        events=queries.diary_of("snapshot", snapshot_id),
        book_on=desk.first_open_day(found.effective_on),
        lock=looks.active_lock(found.effective_on),
        own=current_person().id == found.maker_person_id,
        earns=any(row.line.person_id == current_person().id for row in rows),
        key=nonce(),
    )


def _line(row: Any) -> dict[str, Any]:
    return plain(row.line, "id", "kind", "person_id", "role", "share_bps", "amount_minor") | {
        "person": row.person,
        "outstanding_minor": row.account.outstanding_minor if row.account else 0,
    }


@bp.post("/snapshots/<int:snapshot_id>/approve")
@requires(Permission.COMMISSION_CHECK)
def approve_snapshot(snapshot_id: int) -> Response:
    """A second person agrees to what was shown; with the permission and a reason, the maker himself."""
    sent = said()
    with atomic():
        found = snapshots.approve(
            {snapshot_id: desk.shown_digest(sent)},
            by=current_actor(),
            dated_on=desk.day_of(sent, "dated_on"),
            override_because=desk.override(sent),
        )[0]
    page = url_for(".snapshot", snapshot_id=snapshot_id)
    return done(page, _("Approved. It is earned."), plain(found, *SNAPSHOT_FIELDS))


@bp.post("/snapshots/approval")
@requires(Permission.COMMISSION_CHECK)
def approve_together() -> Response:
    """A frozen set, approved whole or not at all; each with the fingerprint of what was shown."""
    sent = said()
    shown_ones = _shown_ones(sent)
    if not 0 < len(shown_ones) <= 500:
        raise BadInput(fields={"ids": _("Choose at least one.")})
    with atomic():
        approved = snapshots.approve(shown_ones, by=current_actor(), override_because=desk.override(sent))
    toast = _("%(n)d approved, %(sum)s in all.", n=len(approved), sum=formats.money(_pool(approved)))
    return done(url_for(".snapshot_list"), toast, {"approved": [s.id for s in approved], "pool_minor": _pool(approved)})


def _shown_ones(sent: Any) -> dict[int, str]:
    """Machines send `snapshots: [{id, digest}]`; forms send `ids` and a `digest-<id>` for each."""
    listed = sent.get("snapshots")
    if isinstance(listed, list) and all(isinstance(one, dict) for one in listed):
        return {desk.whole(one, "id"): desk.shown_digest(one) for one in listed}
    ids = [desk.whole({"ids": text}, "ids") for text in request.form.getlist("ids")]
    return {i: desk.words(sent, f"digest-{i}", 100) for i in ids}


def _pool(found: list[CommissionSnapshot]) -> int:
    return sum(snapshot.pool_amount_minor for snapshot in found)


@bp.post("/snapshots/<int:snapshot_id>/reject")
@requires(Permission.COMMISSION_CHECK)
def reject_snapshot(snapshot_id: int) -> Response:
    """It was not right; the maker reads why."""
    sent = said()
    with atomic():
        found = queries.one(CommissionSnapshot, snapshot_id, for_update=True)
        snapshots.reject(found, by=current_actor(), because=desk.words(sent, "because"))
    return done(url_for(".snapshot", snapshot_id=snapshot_id), _("Rejected."), plain(found, *SNAPSHOT_FIELDS))


@bp.get("/lines/<int:line_id>")
@requires(Permission.COMMISSION_SEE)
def line(line_id: int) -> Response:
    """Why is this amount so?"""
    found = why(queries.line_row(line_id))
    return shown("commission/why.html", explained(found), why=found, desk=True, key=nonce(), today=clock.today())


def explained(found: Why) -> dict[str, Any]:
    """The explanation for machines."""
    steps = [{"title": s.title, "text": s.text, "minor": s.minor} for s in found.steps]
    return {"line_id": found.row.line.id, "wording": found.policy.wording, "steps": steps}


# Statements, rehearsal, diary -------------------------------------------------------------------------------


@bp.get("/people/<int:person_id>/statement.<file_kind>")
@requires(Permission.COMMISSION_SEE)
def person_statement(person_id: int, file_kind: str) -> Response:
    """Somebody's statement as XLSX or PDF."""
    return statement_file(person_id, file_kind)


def statement_file(person_id: int, kind: str) -> FlaskResponse:
    """The file: of a month (`period`), or of this year so far."""
    today = clock.today()
    month = looks.read_month(request.args.get("period", ""))
    from_on = month or today.replace(month=1, day=1)
    until_on = looks.next_month(month) if month else today + timedelta(days=1)
    makers = {"xlsx": (statement_xlsx.workbook_of, XLSX), "pdf": (statement_pdf.pdf_of, "application/pdf")}
    if kind not in makers:
        raise NotFound
    made: Statement = statement(person_id, from_on, until_on)
    make, mimetype = makers[kind]
    name = f"hakedis-{person_id}-{from_on:%Y%m%d}-{made.last_on:%Y%m%d}.{kind}"
    answer = send_file(io.BytesIO(make(made)), mimetype=mimetype, as_attachment=True, download_name=name)
    answer.headers["X-Control-Total"] = f"{made.closing} {made.control}"
    return answer


@bp.get("/rehearsal")
@requires(Permission.COMMISSION_SEE)
def rehearsal_page() -> Response:
    """The last quarter under another policy."""
    all_policies = queries.policies()
    wanted = request.args.get("policy", "")
    chosen = next((p for p in all_policies if str(p.id) == wanted), all_policies[0] if all_policies else None)
    quarter = looks.read_month(request.args.get("quarter", ""))
    if quarter is not None:
        from_on, until_on = rehearsal.quarter_before(looks.next_month(looks.next_month(looks.next_month(quarter))))
    else:
        from_on, until_on = rehearsal.quarter_before(clock.today())
    found = rehearsal.rehearse(chosen, from_on, until_on) if chosen else None
    changes = [c._asdict() | {"difference": c.difference} for c in found.changes] if found else []
    return shown(
        "commission/rehearsal.html",
        {"from": f"{from_on}", "until": f"{until_on}", "changes": changes},
        policies=all_policies,
        chosen=chosen,
        found=found,
        quarters=_quarters(),
        quarter=from_on,
    )


def _quarters() -> list[date]:
    found, day = [], clock.today()
    this = rehearsal.quarter_before(day)[1]
    found.append(this)
    for _n in range(4):
        found.append(rehearsal.quarter_before(found[-1])[0])
    return found


@bp.get("/audit")
@requires(Permission.COMMISSION_SEE)
def diary() -> Response:
    """Who did what, when, and what changed."""
    rows = paged(queries.diary(kind=search_words("kind")))
    fields = ("id", "at", "actor", "action", "subject_kind", "subject_id", "before", "after", "because")
    return shown("commission/audit.html", {"events": [plain(e, *fields) for e in rows.rows]}, rows=rows)

"""The commission desk: snapshots, and a second person who agrees to what was shown."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission
from portal.commission import periods as looks
from portal.commission import queries
from portal.commission.models import CommissionSnapshot, Deal
from portal.commission.queries import SnapshotRow
from portal.commission.services import snapshots
from portal.commission.services.snapshots import Wish
from portal.commission.states import SNAPSHOT, SnapshotState
from portal.commission.why import why
from portal.core import clock, formats
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.core.web import choice, nonce, paged, search_words
from portal.portals import commission_desk as desk
from portal.portals.commission_desk import bp, done, plain, said, shown

SNAPSHOT_FIELDS = (
    "id", "deal_id", "policy_id", "state", "effective_on", "dated_on", "base_amount_minor", "base_source",
    "pool_amount_minor", "digest", "maker", "checker",
)  # fmt: skip


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

"""The commission desk: policies, payouts and corrections, each made by one person and done by another."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission
from portal.commission import queries
from portal.commission.models import CommissionCorrection, CommissionPayoutBatch, CommissionPolicy
from portal.commission.rules import WHOLE_BPS, Share
from portal.commission.services import corrections, payouts, policies
from portal.commission.services.policies import Wording
from portal.commission.states import (
    BATCH,
    CORRECTION,
    POLICY,
    BatchState,
    CorrectionState,
    DealRole,
    Direction,
    Method,
    Rounding,
)
from portal.core import clock, formats
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.core.web import choice, nonce, paged
from portal.portals import commission_desk as desk
from portal.portals.commission_desk import bp, done, plain, said, shown

POLICY_FIELDS = (
    "id", "code", "name", "state", "method", "percent", "rounding_rule", "fixed_commission_minor", "valid_from",
    "valid_until", "wording", "succeeds_id", "digest", "maker", "checker",
)  # fmt: skip
BATCH_FIELDS = ("id", "state", "pay_on", "total_minor", "items", "digest", "maker", "checker")
CORRECTION_FIELDS = (
    "id", "state", "type", "direction", "snapshot_id", "total_minor", "dated_on", "because", "digest", "maker", "checker",
)  # fmt: skip


# Policies ---------------------------------------------------------------------------------------------------


@bp.get("/policies")
@requires(Permission.COMMISSION_SEE)
def policy_list() -> Response:
    """Every wording, in force or not; a new one succeeds the old."""
    found = queries.policies()
    return shown(
        "commission/policies.html",
        {"policies": [plain(policy, *POLICY_FIELDS) for policy in found]},
        policies=found,
        shares={policy.id: queries.shares_of(policy.id) for policy in found},
        names={agent: name for agent, name, _team in queries.agents()},
        machine=POLICY,
        me=current_person(),
        today=clock.today(),
    )


@bp.post("/policies")
@requires(Permission.COMMISSION_MAKE)
def propose_policy() -> Response:
    """A new wording. People write shares in percent (agent_share, leader_share, source_share); machines send `shares`."""
    sent = said()
    method = desk.words(sent, "method", 20)
    rounding = desk.words(sent, "rounding_rule", 20)
    if method not in list(Method):
        raise BadInput(fields={"method": _("Choose how the pool is made.")})
    wording = Wording(
        code=desk.words(sent, "code", 60) or "standard",
        name=desk.words(sent, "name", 120),
        wording=desk.words(sent, "wording", 4000),
        method=Method(method),
        valid_from=desk.day_of(sent, "valid_from") or clock.today(),
        valid_until=desk.day_of(sent, "valid_until"),
        shares=_shares(sent),
        percent=_percent(sent, "percent") if method == Method.PERCENTAGE else None,
        rounding=Rounding(rounding) if method == Method.PERCENTAGE and rounding in list(Rounding) else None,
        fixed_minor=desk.minor(sent, "fixed_commission") if method == Method.FIXED else None,
    )
    with atomic():
        policy = policies.propose(wording, by=current_actor())
    toast = _("Proposed. A second person puts it in force.")
    return done(url_for(".policy_list"), toast, plain(policy, *POLICY_FIELDS), 201)


def _percent(sent: Any, name: str) -> Decimal | None:
    text = desk.words(sent, name, 20).replace("%", "").replace(",", ".").strip()
    try:
        value = Decimal(text) if text else None
    except InvalidOperation:
        value = None
    if value is not None and not value.is_finite():
        value = None
    return value


def _shares(sent: Any) -> list[Share]:
    listed = sent.get("shares")
    if isinstance(listed, list):
        return [_share(number, one) for number, one in enumerate(listed, start=1) if isinstance(one, dict)]
    found: list[Share] = []
    for role in DealRole:
        share = _percent(sent, f"{role.lower()}_share")
        if share:
            found.append(Share(len(found) + 1, _bps(share), role=role))
    return found


def _share(number: int, one: Any) -> Share:
    role = desk.words(one, "role", 20)
    if role:
        if role not in list(DealRole):
            raise BadInput(fields={"shares": _("Nobody plays this part.")})
        return Share(number, desk.whole(one, "share_bps"), role=DealRole(role))
    person = desk.whole(one, "person_id")
    if person not in queries.agent_ids():
        raise BadInput(fields={"shares": _("Choose a sales agent.")})
    return Share(number, desk.whole(one, "share_bps"), person_id=person)


def _bps(share: Decimal) -> int:
    bps = share * WHOLE_BPS / 100
    if bps != bps.to_integral_value():
        raise BadInput(fields={"shares": _("A share has two digits after the point at most.")})
    return int(bps)


@bp.post("/policies/<int:policy_id>/approve")
@requires(Permission.COMMISSION_CHECK)
def approve_policy(policy_id: int) -> Response:
    """A second person puts it in force."""
    sent = said()
    with atomic():
        policy = queries.one(CommissionPolicy, policy_id, for_update=True)
        override = desk.override(sent)
        policies.put_in_force(policy, shown=desk.shown_digest(sent), by=current_actor(), override_because=override)
    return done(url_for(".policy_list"), _("In force."), plain(policy, *POLICY_FIELDS))


@bp.post("/policies/<int:policy_id>/reject")
@requires(Permission.COMMISSION_CHECK)
def reject_policy(policy_id: int) -> Response:
    """It will not come into force."""
    sent = said()
    with atomic():
        policy = queries.one(CommissionPolicy, policy_id, for_update=True)
        policies.reject(policy, by=current_actor(), because=desk.words(sent, "because"))
    return done(url_for(".policy_list"), _("Rejected."), plain(policy, *POLICY_FIELDS))


# Payouts ----------------------------------------------------------------------------------------------------


@bp.get("/payouts")
@requires(Permission.COMMISSION_SEE)
def payout_list() -> Response:
    """Batches, and what could be paid now."""
    state = choice("state", list(BatchState))
    rows = paged(queries.batches(state=state))
    names = {agent: name for agent, name, _team in queries.agents()}
    per_person: dict[int, int] = {}
    for due in payouts.due(clock.today()):
        per_person[due.person_id] = per_person.get(due.person_id, 0) + due.amount_minor
    return shown(
        "commission/payouts.html",
        {"payouts": [plain(batch, *BATCH_FIELDS) for batch in rows.rows]},
        rows=rows,
        due=[(names.get(person, "?"), minor) for person, minor in sorted(per_person.items())],
        machine=BATCH,
        state=state,
        today=clock.today(),
        key=nonce(),
    )


@bp.post("/payouts")
@requires(Permission.COMMISSION_MAKE)
def prepare_payout() -> Response:
    """Freeze everything that can be paid into a batch."""
    sent = said()
    key = desk.words(sent, "idempotency_key", 200) or request.headers.get("Idempotency-Key", "")
    if not key:
        raise BadInput(fields={"idempotency_key": _("A key of 1 to 200 printable characters is needed.")})
    with atomic():
        batch = payouts.prepare(key=key, pay_on=desk.day_of(sent, "pay_on") or clock.today(), by=current_actor())
    page = url_for(".payout", batch_id=batch.id)
    return done(page, _("Prepared. A second person pays it."), plain(batch, *BATCH_FIELDS), 201)


@bp.get("/payouts/<int:batch_id>")
@requires(Permission.COMMISSION_SEE)
def payout(batch_id: int) -> Response:
    """Who is paid what, for which deals."""
    batch = queries.one(CommissionPayoutBatch, batch_id)
    items = queries.batch_items(batch_id)
    rows = [plain(row[0], "line_id", "person_id", "amount_minor") for row in items]
    me = current_person().id
    return shown(
        "commission/payout.html",
        plain(batch, *BATCH_FIELDS) | {"lines": rows},
        batch=batch,
        items=items,
        own=me == batch.maker_person_id,
        earns=any(row[0].person_id == me for row in items),
        events=queries.diary_of("payout", batch_id),
    )


@bp.post("/payouts/<int:batch_id>/approve")
@requires(Permission.COMMISSION_CHECK)
def pay(batch_id: int) -> Response:
    """A second person pays it."""
    sent = said()
    with atomic():
        override = desk.override(sent)
        batch = payouts.pay(batch_id, shown=desk.shown_digest(sent), by=current_actor(), override_because=override)
    toast = _("%(sum)s paid.", sum=formats.money(batch.total_minor))
    return done(url_for(".payout", batch_id=batch_id), toast, plain(batch, *BATCH_FIELDS))


@bp.post("/payouts/<int:batch_id>/cancel")
@requires(Permission.COMMISSION_MAKE, Permission.COMMISSION_CHECK)
def cancel_payout(batch_id: int) -> Response:
    """It will not be paid."""
    sent = said()
    with atomic():
        batch = queries.one(CommissionPayoutBatch, batch_id, for_update=True)
        payouts.cancel(batch, by=current_actor(), because=desk.words(sent, "because"))
    return done(url_for(".payout", batch_id=batch_id), _("Cancelled."), plain(batch, *BATCH_FIELDS))


# Corrections ------------------------------------------------------------------------------------------------


@bp.get("/corrections")
@requires(Permission.COMMISSION_SEE)
def correction_list() -> Response:
    """What is to be taken back or adjusted, and what was."""
    state = choice("state", list(CorrectionState))
    found = queries.corrections(state=state)
    return shown(
        "commission/corrections.html",
        {"corrections": [plain(correction, *CORRECTION_FIELDS) for correction in found]},
        corrections=found,
        machine=CORRECTION,
        state=state,
        me=current_person(),
    )


@bp.post("/snapshots/<int:snapshot_id>/reverse")
@requires(Permission.COMMISSION_MAKE)
def reverse(snapshot_id: int) -> Response:
    """Propose to take a snapshot back, in whole or in part; a second person does it."""
    sent = said()
    with atomic():
        correction = corrections.propose_reversal(
            snapshot_id,
            key=_key(sent),
            dated_on=desk.day_of(sent, "dated_on") or clock.today(),
            because=desk.words(sent, "because"),
            by=current_actor(),
            amount_minor=desk.minor(sent, "amount"),
        )
    return _proposed(correction)


@bp.post("/lines/<int:line_id>/adjustments")
@requires(Permission.COMMISSION_MAKE)
def adjust(line_id: int) -> Response:
    """Propose to correct one line up or down."""
    sent = said()
    direction = desk.words(sent, "direction", 10)
    if direction not in list(Direction):
        raise BadInput(fields={"direction": _("Up or down?")})
    with atomic():
        correction = corrections.propose_adjustment(
            line_id,
            direction=Direction(direction),
            amount_minor=desk.needed_minor(sent, "amount"),
            key=_key(sent),
            dated_on=desk.day_of(sent, "dated_on") or clock.today(),
            because=desk.words(sent, "because"),
            by=current_actor(),
        )
    return _proposed(correction)


def _key(sent: Any) -> str:
    key = desk.words(sent, "idempotency_key", 200) or request.headers.get("Idempotency-Key", "")
    if not key:
        raise BadInput(fields={"idempotency_key": _("A key of 1 to 200 printable characters is needed.")})
    return key


def _proposed(correction: CommissionCorrection) -> Response:
    toast = _("Proposed. A second person posts it.")
    return done(url_for(".correction_list"), toast, plain(correction, *CORRECTION_FIELDS), 201)


@bp.post("/corrections/<int:correction_id>/approve")
@requires(Permission.COMMISSION_CHECK)
def do_correction(correction_id: int) -> Response:
    """A second person posts it."""
    sent = said()
    with atomic():
        override = desk.override(sent)
        correction = corrections.do(
            correction_id, shown=desk.shown_digest(sent), by=current_actor(), override_because=override
        )
    return done(url_for(".correction_list"), _("Posted."), plain(correction, *CORRECTION_FIELDS))


@bp.post("/corrections/<int:correction_id>/reject")
@requires(Permission.COMMISSION_CHECK)
def reject_correction(correction_id: int) -> Response:
    """It will not be done."""
    sent = said()
    with atomic():
        correction = queries.one(CommissionCorrection, correction_id, for_update=True)
        corrections.reject(correction, by=current_actor(), because=desk.words(sent, "because"))
    return done(url_for(".correction_list"), _("Rejected."), plain(correction, *CORRECTION_FIELDS))

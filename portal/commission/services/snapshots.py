"""Snapshots: made of won deals, once per key; approved by somebody else, who is bound to what they were shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import ARRAY, BigInteger, Date, Text, cast, column, func, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert

from portal.commission import queries, rules
from portal.commission.models import CommissionPolicy, CommissionSnapshot, CommissionSnapshotLine
from portal.commission.queries import Cast, DealFacts
from portal.commission.rules import Base, Part, Share
from portal.commission.services import diary, entries, hands, periods
from portal.commission.states import SNAPSHOT, DealState, Direction, EntryType, SnapshotState
from portal.core.actor import Actor
from portal.core.database import Json, db
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.i18n import noted
from portal.core.idempotency import KeyUsedForSomethingElse, digest_of
from portal.core.state_machine import WrongMoment

PENDING, APPROVED = SnapshotState.PENDING_APPROVAL, SnapshotState.APPROVED


class BaseAmountMissing(Refusal):
    """Neither the lead's answer, nor the listing's price, nor the deal's sale price is known (spec §6)."""

    status = 422
    code = "base_amount_missing"

    def __init__(self, deal_id: int) -> None:
        super().__init__(_l("Base Amount Missing"), deal_id=deal_id)


class NotWon(Refusal):
    """Only a won deal earns commission."""

    code = "deal_not_won"


class NoPolicy(Refusal):
    """No policy of that code is in force on that day."""

    status = 422
    code = "no_policy"


class HasSnapshot(Refusal):
    """The deal has a snapshot that waits or was approved."""

    code = "has_snapshot"


class Wish(NamedTuple):
    """A snapshot of a deal is wanted; asked again with the same key, it is the same snapshot."""

    deal_id: int
    key: str


def create(wishes: Sequence[Wish], *, effective_on: date, by: Actor) -> list[int]:
    """Freeze what won deals come to, on a day. Returns the snapshots' ids in the order of the wishes.

    Refuses a locked month, a deal that is not won or has a snapshot, a missing base amount, a missing policy, and
    a key that was used for another deal.
    """
    known = _known([wish.key for wish in wishes])
    for wish in wishes:
        if not wish.key or len(wish.key) > 200:
            raise BadInput(fields={"idempotency_key": _l("A key of 1 to 200 printable characters is needed.")})
        if wish.key in known and known[wish.key][1] != wish.deal_id:
            raise KeyUsedForSomethingElse
    fresh = [wish for wish in wishes if wish.key not in known]
    ids = {key: snapshot_id for key, (snapshot_id, _deal) in known.items()}
    if fresh:
        periods.hold_open([effective_on])
        ids |= _write(_reckoned(fresh, effective_on), effective_on, by=by)
    return [ids[wish.key] for wish in wishes]


class Reckoned(NamedTuple):
    """What a deal comes to, before it is written down."""

    wish: Wish
    policy: CommissionPolicy
    base: Base
    pool_minor: int
    parts: list[Part]
    facts: Json

    @property
    def digest(self) -> str:
        """The fingerprint an approval is bound to."""
        parts = [list(part) for part in self.parts]
        base = [self.base.amount_minor, self.base.source.value]
        return digest_of([self.wish.deal_id, self.policy.id, base, self.pool_minor, parts, self.facts])


def reckon(wish: Wish, facts: DealFacts, players: Cast, policy: CommissionPolicy, shares: Sequence[Share]) -> Reckoned:
    """What a deal comes to under a policy: pure, from what was read."""
    try:
        base = rules.base_amount(facts.answers, facts.listing_price, facts.deal.sale_price)
    except rules.UnreadableBase as odd:
        raise BadInput(
            fields={"closeSummary.commissionBaseAmount": _l("Not an amount in kuruş: %(what)s", what=str(odd))}
        ) from None
    if base is None:
        raise BaseAmountMissing(wish.deal_id)
    pool = rules.pool_of(queries.terms_of(policy), base.amount_minor)
    written = {"cast": {role.value: sorted(people) for role, people in players.items()}, "order": facts.deal.evidence}
    return Reckoned(wish, policy, base, pool, rules.allocate(pool, shares, players), written)


def _reckoned(wishes: Sequence[Wish], effective_on: date) -> list[Reckoned]:
    deal_ids = [wish.deal_id for wish in wishes]
    facts, casts = queries.facts_of(deal_ids), queries.casts_of(deal_ids)
    found = []
    policies: dict[str, tuple[CommissionPolicy, list[Share]]] = {}
    for wish in wishes:
        if wish.deal_id not in facts:
            raise NotFound
        deal = facts[wish.deal_id].deal
        if deal.state != DealState.WON:
            raise NotWon(_l("Only a won deal earns commission."), deal_id=deal.id)
        if deal.policy_code not in policies:
            policies[deal.policy_code] = _policy(deal.policy_code, effective_on)
        found.append(reckon(wish, facts[deal.id], casts.get(deal.id, {}), *policies[deal.policy_code]))
    return found


def _policy(code: str, day: date) -> tuple[CommissionPolicy, list[Share]]:
    policy = queries.policy_on(code, day)
    if policy is None:
        raise NoPolicy(_l("No policy “%(code)s” is in force on that day.", code=code), policy_code=code)
    return policy, queries.shares_of(policy.id)


def _write(reckoned: Sequence[Reckoned], effective_on: date, *, by: Actor) -> dict[str, int]:
    rows = [
        {
            "idempotency_key": found.wish.key,
            "deal_id": found.wish.deal_id,
            "policy_id": found.policy.id,
            "state": PENDING.value,
            "effective_on": effective_on,
            "base_amount_minor": found.base.amount_minor,
            "base_source": found.base.source.value,
            "pool_amount_minor": found.pool_minor,
            "facts": found.facts,
            "digest": found.digest,
            **hands.made(by),
        }
        for found in reckoned
    ]
    fresh = insert(CommissionSnapshot).on_conflict_do_nothing()
    answer = db.session.execute(fresh.returning(CommissionSnapshot.id, CommissionSnapshot.idempotency_key), rows)
    written = {key: snapshot_id for snapshot_id, key in answer}
    lines = [line for found in reckoned if found.wish.key in written for line in _lines(found, written)]
    if lines:
        db.session.execute(plain_insert(CommissionSnapshotLine), lines)
    SNAPSHOT.begun_all(list(written.values()), PENDING, actor=by, reason=noted("made"))
    pools = {found.wish.key: {"deal": found.wish.deal_id, "pool": found.pool_minor} for found in reckoned}
    diary.write_many("created", "snapshot", [(made, pools[key]) for key, made in written.items()], by=by)
    return {found.wish.key: written.get(found.wish.key) or _of_a_twin(found.wish) for found in reckoned}


def _lines(found: Reckoned, written: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "snapshot_id": written[found.wish.key],
            "line_no": number,
            "kind": "SYSTEM" if part.person_id is None else "PERSON",
            "person_id": part.person_id,
            "role": part.role.value if part.role else None,
            "share_bps": part.bps,
            "share_position": part.position,
            "amount_minor": part.amount_minor,
        }
        for number, part in enumerate(found.parts, start=1)
    ]


def _known(keys: Sequence[str]) -> dict[str, tuple[int, int]]:
    rows = select(CommissionSnapshot.idempotency_key, CommissionSnapshot.id, CommissionSnapshot.deal_id)
    return {
        key: (found, deal_id)
        for key, found, deal_id in db.session.execute(rows.where(CommissionSnapshot.idempotency_key.in_(keys)))
    }


def _of_a_twin(wish: Wish) -> int:
    """The database kept one of two: a twin's with the same key is ours, too; anything else is in the way."""
    known = _known([wish.key]).get(wish.key)
    if known is None or known[1] != wish.deal_id:
        raise HasSnapshot(_l("This deal has a snapshot already."), deal_id=wish.deal_id)
    return known[0]


# Approval ---------------------------------------------------------------------------------------------------


def approve(
    shown: Mapping[int, str], *, by: Actor, dated_on: date | None = None, override_because: str = ""
) -> list[CommissionSnapshot]:
    """A second person agrees to snapshots (id → the fingerprint they were shown): EARN/CREDIT is posted per line.

    Booked on `dated_on`, or on each snapshot's own day. All or none: refuses the maker (unless overridden with a
    reason), whoever earns from one, a changed fingerprint, deals whose facts changed since, and locked months.
    """
    found = queries.snapshots_by_id(list(shown))
    days = {snapshot.id: dated_on or snapshot.effective_on for snapshot in found}
    periods.hold_open(days.values())
    lines: dict[int, list[CommissionSnapshotLine]] = defaultdict(list)
    for line in queries.lines_of([snapshot.id for snapshot in found]):
        lines[line.snapshot_id].append(line)
    to_check = [(s, shown[s.id], [n.person_id for n in lines[s.id] if n.person_id is not None]) for s in found]
    hands.let_check_all(to_check, by=by, override_because=override_because)
    _still_true(found)
    _move(found, days, shown, by=by, override_because=override_because)
    entries.post([_earning(s, line, days[s.id]) for s in found for line in lines[s.id] if line.person_id], by=by)
    changes: list[tuple[int, Json]] = [(s.id, {"dated_on": f"{days[s.id]}"}) for s in found]
    action = "approved by override" if override_because else "approved"
    diary.write_many(action, "snapshot", changes, by=by, because=override_because, before={"state": PENDING.value})
    return found


def _earning(snapshot: CommissionSnapshot, line: CommissionSnapshotLine, day: date) -> entries.Row:
    assert line.person_id is not None
    return entries.Row(
        EntryType.EARN,
        Direction.CREDIT,
        line.person_id,
        line.id,
        line.amount_minor,
        day,
        ("commission snapshot", snapshot.id),
        noted("snapshot approved"),
    )


def _move(
    found: Sequence[CommissionSnapshot],
    days: Mapping[int, date],
    shown: Mapping[int, str],
    *,
    by: Actor,
    override_because: str,
) -> None:
    """One conditional UPDATE for all; somebody faster makes it refuse."""
    table = CommissionSnapshot
    ids = sorted(days)
    said = (
        func.unnest(
            _array(ids, BigInteger), _array([days[i] for i in ids], Date), _array([shown[i] for i in ids], Text)
        )
        .table_valued(column("id", BigInteger), column("day", Date), column("shown", Text))
        .render_derived()
    )
    how = hands.checked(by, shown="", override_because=override_because) | {"checked_digest": said.c.shown}
    moved = db.session.scalars(
        update(table)
        .where(table.id == said.c.id, table.state == PENDING)
        .values(state=APPROVED.value, dated_on=said.c.day, **how)
        .returning(table.id)
        .execution_options(synchronize_session=False)
    ).all()
    if len(moved) != len(found):
        raise WrongMoment(_l("Somebody else was faster. Please look again."))
    SNAPSHOT.moved_all(ids, PENDING, APPROVED, actor=by, reason=override_because or noted("approved"))
    for snapshot in found:
        db.session.expire(snapshot)


def _array(values: Sequence[Any], kind: Any) -> Any:
    return cast(values, ARRAY(kind))


def _still_true(found: Sequence[CommissionSnapshot]) -> None:
    """A snapshot whose deal says something else today is rejected and made anew, not approved."""
    facts = queries.facts_of([snapshot.deal_id for snapshot in found])
    casts = queries.casts_of(list(facts))
    for snapshot in found:
        try:
            now = rules.base_amount(
                facts[snapshot.deal_id].answers,
                facts[snapshot.deal_id].listing_price,
                facts[snapshot.deal_id].deal.sale_price,
            )
        except rules.UnreadableBase:
            now = None
        players = {role.value: sorted(people) for role, people in casts.get(snapshot.deal_id, {}).items()}
        if now != (snapshot.base_amount_minor, snapshot.base_source) or players != snapshot.facts["cast"]:
            raise hands.ChangedMeanwhile(
                _l("The deal has changed since this snapshot was made. Reject it and make a new one."),
                snapshot_id=snapshot.id,
            )


def reject(snapshot: CommissionSnapshot, *, by: Actor, because: str) -> None:
    """It was not right; says why, so that the maker can make a better one. Posts nothing."""
    because = hands.reason(because)
    SNAPSHOT.move(snapshot, SnapshotState.REJECTED, actor=by, reason=because)
    diary.write("rejected", "snapshot", snapshot.id, by=by, because=because, before={"state": PENDING.value})

"""The life of a reading: one at a time, whoever asks; shown only when it is whole and reconciled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, cast

from flask_babel import lazy_gettext as _l
from sqlalchemy import CursorResult, case, delete, exists, func, select, text, update
from sqlalchemy.orm import aliased

from portal.core import audit, clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import DB_NOW, db
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.i18n import noted
from portal.core.queue import wake
from portal.receivables.models import AgingFetch, AgingMonth, AgingOpenItem, AgingOverride, AgingReason, AgingStanding
from portal.receivables.ports import Side
from portal.receivables.states import FETCH, UNFINISHED, FetchState, Severity, Step

TOPIC = "aging_fetch"
LEASE_SECONDS = 30  # a reader says so often that it is alive; a dead one is followed by another
MOST_ATTEMPTS = 3
KEEP_LIVE, KEEP_PAST = 2, 5  # readings of each kind whose months stay; their standings stay longer
KEEP_STANDINGS = timedelta(days=400)


class AnotherReading(Refusal):
    """One reading at a time: another one of this side, for another day, is not finished."""

    code = "another_reading"

    def __init__(self, running: AgingFetch) -> None:
        super().__init__(
            _l("Another reading of these accounts is under way. Please wait until it is done."),
            status="error",
            fetch=running.id,
            retry_after=5,
        )


class LostTheReading(Refusal):
    """This reader was silent too long, and another has taken its place: what it still brings is not wanted."""

    code = "lost_the_reading"

    def __init__(self) -> None:
        super().__init__(_l("Another reader has taken over."))


class Claim(NamedTuple):
    """A reader's right to a reading: good while nobody with a higher fence has taken over."""

    id: int
    fence: int
    side: Side
    as_of_on: date


def ask(side: Side, as_of: date, *, live: bool, by: Actor) -> AgingFetch:
    """Want the ledger read as of the end of a day; answers the reading under way where it is the same.

    Refuses with `AnotherReading` while one for another day is running, and a day that has not come.
    """
    if as_of > clock.today():
        raise BadInput(fields={"endDate": _l("This day has not come yet.")})
    db.session.execute(text("SELECT pg_advisory_xact_lock(7402, :side)"), {"side": int(side.value)})
    running = db.session.execute(
        select(AgingFetch).where(AgingFetch.side == side.value, AgingFetch.state.in_(UNFINISHED))
    ).scalar_one_or_none()
    if running is not None:
        if (running.as_of_on, running.live) == (as_of, live):
            return running
        raise AnotherReading(running)
    fetch = AgingFetch(
        side=side.value, as_of_on=as_of, live=live, asked_by=by.name, asked_by_person_id=by.person_id, state="ASKED"
    )
    db.session.add(fetch)
    FETCH.begin(fetch, actor=by, reason=noted("asked for"))
    audit.write_down("asked the ERP for its ledger", by=by, about=("aging_fetch", fetch.id), side=side.value)
    wake(TOPIC)
    return fetch


def claim_asked() -> Claim | None:
    """The next reading somebody waits for, or one whose reader died; None when there is none to be done."""
    waiting = select(AgingFetch.id).where(_to_be_read()).order_by(AgingFetch.id).limit(1)
    found = db.session.execute(waiting.with_for_update(skip_locked=True)).scalar()
    return None if found is None else _taken(found)


def claim(fetch_id: int) -> Claim | None:
    """This very reading, unless somebody else is at it."""
    wanted = select(AgingFetch.id).where(AgingFetch.id == fetch_id, _to_be_read())
    found = db.session.execute(wanted.with_for_update(skip_locked=True)).scalar()
    return None if found is None else _taken(found)


def _to_be_read() -> Any:
    dead = (AgingFetch.state == FetchState.RUNNING) & (AgingFetch.leased_until < DB_NOW)
    return (AgingFetch.state == FetchState.ASKED) | dead


def _taken(fetch_id: int) -> Claim | None:
    fetch = db.session.get_one(AgingFetch, fetch_id, populate_existing=True)
    if fetch.attempts >= MOST_ATTEMPTS:
        failed(fetch, failure="DIED", note=noted("The reading was cut off three times and given up."))
        return None
    lease = DB_NOW + timedelta(seconds=LEASE_SECONDS)
    taken = {"fence": fetch.fence + 1, "attempts": fetch.attempts + 1, "leased_until": lease, "step": Step.CONNECTING}
    taken |= {"accounts": 0, "months": 0, "lines": 0}  # whoever died before counted for nothing
    if fetch.state == FetchState.ASKED:
        FETCH.move(fetch, FetchState.RUNNING, actor=SYSTEM, reason=noted("begun"), began_at=clock.now(), **taken)
    else:
        db.session.execute(update(AgingFetch).where(AgingFetch.id == fetch_id).values(**taken))
        db.session.refresh(fetch)
    _wipe([fetch.id])
    return Claim(fetch.id, fetch.fence, Side(fetch.side), fetch.as_of_on)


def hold(claim: Claim, **progress: object) -> None:
    """Say that the reader is alive and how far it is. Refuses with `LostTheReading` when it was given up for dead."""
    lease = DB_NOW + timedelta(seconds=LEASE_SECONDS)
    held = db.session.execute(
        update(AgingFetch)
        .where(AgingFetch.id == claim.id, AgingFetch.fence == claim.fence, AgingFetch.state == FetchState.RUNNING)
        .values(leased_until=lease, **progress)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", held).rowcount != 1:
        raise LostTheReading


def finish(claim: Claim, reasons: Sequence[AgingReason]) -> AgingFetch:
    """The reading is whole. Reconciled, it takes the last one's place in this transaction; doubted, it waits aside."""
    hold(claim)
    db.session.add_all(reasons)
    fetch = db.session.get_one(AgingFetch, claim.id, populate_existing=True)
    over = {"leased_until": None, "ended_at": DB_NOW, "read_at": clock.now(), "step": ""}
    if any(reason.severity == Severity.STOP for reason in reasons):
        why = noted("does not reconcile: the last good data stay")
        FETCH.move(fetch, FetchState.SUSPICIOUS, actor=SYSTEM, reason=why, **over)
        return fetch
    if fetch.live:
        was = (AgingFetch.side == fetch.side) & AgingFetch.is_current
        db.session.execute(update(AgingFetch).where(was).values(is_current=False))
    FETCH.move(fetch, FetchState.DONE, actor=SYSTEM, reason=noted("read and reconciled"), is_current=fetch.live, **over)
    return fetch


def give_up(claim: Claim, *, failure: str, note: str) -> None:
    """The reader could not read: refuses with `LostTheReading` when it has been replaced."""
    hold(claim)
    failed(db.session.get_one(AgingFetch, claim.id, populate_existing=True), failure=failure, note=note)


def failed(fetch: AgingFetch, *, failure: str, note: str) -> None:
    """The ERP gave no whole answer. What was staged goes; the last good data stay as they are."""
    _wipe([fetch.id])
    over = {"leased_until": None, "ended_at": DB_NOW, "step": "", "failure": failure, "note": note}
    FETCH.move(fetch, FetchState.FAILED, actor=SYSTEM, reason=note, **over)


def look_anyway(fetch_id: int, *, by: Actor, because: str) -> AgingOverride:
    """Somebody wants to see doubted figures and says why; kept for ever, and shown wherever the figures are."""
    fetch = db.session.get(AgingFetch, fetch_id)
    if fetch is None or fetch.state != FetchState.SUSPICIOUS or not fetch.months_kept:
        raise NotFound
    if not because.strip():
        raise BadInput(fields={"because": _l("Please say why.")})
    assert by.person_id is not None, "only people look"
    look = AgingOverride(fetch_id=fetch_id, person_id=by.person_id, because=because.strip()[:500], at=clock.now())
    db.session.add(look)
    audit.write_down("looks at doubted figures", by=by, about=("aging_fetch", fetch_id), because=look.because)
    return look


def put_away_old_readings(side: str) -> int:
    """Months of readings nobody looks at any more. Returns how many readings were put away.

    The one before the current keeps its months: a reader in the middle of a page may still be at it.
    """
    kept = aliased(AgingFetch)
    rank = func.row_number().over(partition_by=(kept.live, kept.state), order_by=kept.id.desc())
    ranked = (
        select(kept.id, kept.live, rank.label("place"))
        .where(kept.side == side, kept.state != "FAILED", kept.months_kept)
        .subquery()
    )
    stays = select(ranked.c.id).where(ranked.c.place <= case((ranked.c.live, KEEP_LIVE), else_=KEEP_PAST))
    old = list(
        db.session.scalars(
            select(AgingFetch.id).where(
                AgingFetch.side == side,
                AgingFetch.state.not_in(UNFINISHED),
                AgingFetch.months_kept,
                AgingFetch.id.not_in(stays),
                ~AgingFetch.is_current,
            )
        )
    )
    _wipe(old, standings=False)
    db.session.execute(update(AgingFetch).where(AgingFetch.id.in_(old)).values(months_kept=False))
    stale = select(AgingFetch.id).where(AgingFetch.asked_at < DB_NOW - KEEP_STANDINGS, ~AgingFetch.is_current)
    db.session.execute(delete(AgingStanding).where(exists(stale.where(AgingFetch.id == AgingStanding.fetch_id))))
    return len(old)


def _wipe(fetch_ids: list[int], *, standings: bool = True) -> None:
    for table in (AgingMonth, AgingOpenItem, *((AgingStanding,) if standings else ())):
        db.session.execute(delete(table).where(table.fetch_id.in_(fetch_ids)))

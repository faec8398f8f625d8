"""Locked months: what locking one means, and that nothing slips in while it happens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text

from portal.commission import periods as looks
from portal.commission.models import CommissionLockRelease, CommissionPeriodLock
from portal.commission.periods import month_of
from portal.commission.services import diary, hands
from portal.commission.states import LOCK, RELEASE, LockState, ReleaseState
from portal.core import clock, formats
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput, Refusal
from portal.core.idempotency import digest_of


class PeriodLocked(Refusal):
    """Nothing may be dated in that month any more; says who locked it and when."""

    code = "period_locked"

    def __init__(self, day: date, lock: CommissionPeriodLock | None) -> None:
        super().__init__(
            _l(
                "%(month)s was locked by %(who)s on %(when)s. Choose a later day, or have two people release it.",
                month=f"{day:%m.%Y}",
                who=lock.locked_by if lock else "–",
                when=formats.day(clock.day_of(lock.locked_at)) if lock else "–",
            ),
            period=f"{day:%Y-%m}",
        )


class AlreadyLocked(Refusal):
    """The month is locked."""

    code = "already_locked"


def hold_open(days: Iterable[date]) -> None:
    """These days' months are open, and stay so until this unit of work ends; refuses otherwise.

    Always the first thing an act does: it takes the shared lock the closer waits for, and nobody may wait for
    that lock while holding rows that another poster wants.
    """
    for month in sorted({month_of(day) for day in days}):
        if not db.session.scalar(select(func.commission_period_is_open(month))):
            raise PeriodLocked(month, looks.active_lock(month))


def lock(month: date, *, shown: str, because: str, by: Actor) -> CommissionPeriodLock:
    """Close a month. `shown` is the fingerprint of the preview: if the facts have changed since, it refuses.

    Takes the exclusive lock, so posters in flight finish first and later ones are refused; waits for them only.
    """
    assert by.person_id is not None and month == month_of(month)
    because = hands.reason(because)
    if month > month_of(clock.today()):
        raise BadInput(fields={"period": _l("A month that has not begun cannot be locked.")})
    key = month.year * 12 + month.month
    db.session.execute(text("SELECT pg_advisory_xact_lock(7310, :key)"), {"key": key})
    if looks.active_lock(month) is not None:
        raise AlreadyLocked(_l("This month is locked already."))
    consequences = looks.what_if(month)
    if digest_of(consequences) != shown:
        raise hands.ChangedMeanwhile(digest=digest_of(consequences))
    seal = looks.seal_of(month)
    made = CommissionPeriodLock(
        period_on=month,
        state=LockState.ACTIVE,
        locked_by=by.name,
        locked_by_person_id=by.person_id,
        locked_at=clock.now(),
        because=because,
        consequences=consequences,
        seal_rows=seal.rows,
        seal_minor=seal.minor,
        seal=seal.digest,
    )
    db.session.add(made)
    LOCK.begin(made, actor=by, reason=because)
    diary.write("locked", "period lock", made.id, by=by, because=because, period=f"{month:%Y-%m}", seal=seal.digest)
    return made


def ask_release(found: CommissionPeriodLock, *, because: str, by: Actor) -> CommissionLockRelease:
    """The first of two people wants a month open again; says why."""
    if found.state != LockState.ACTIVE:
        raise hands.ChangedMeanwhile(_l("This lock has been released already."))
    asked = CommissionLockRelease(
        lock_id=found.id,
        because=hands.reason(because),
        digest=digest_of({"lock": found.id, "because": because.strip()[:1000]}),
        **hands.made(by),
    )
    db.session.add(asked)
    RELEASE.begin(asked, actor=by, reason=asked.because)
    diary.write("release asked for", "period lock", found.id, by=by, because=asked.because)
    return asked


def release(found: CommissionPeriodLock, asked: CommissionLockRelease, *, shown: str, by: Actor) -> None:
    """The second person agrees: the month is open again. The lock and its seal stay as history."""
    hands.let_check(asked, shown=shown, by=by)
    RELEASE.move(asked, ReleaseState.DONE, actor=by, reason=asked.because, **hands.checked(by, shown=shown))
    LOCK.move(found, LockState.RELEASED, actor=by, reason=asked.because)
    diary.write("released", "period lock", found.id, by=by, because=asked.because, before={"state": "ACTIVE"})

"""How far a storefront has been read, and whether anything was missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.core.database import DB_NOW, Json, db
from portal.core.queue import wake
from portal.marketplace.models import StorefrontGapCheck, StorefrontSync
from portal.marketplace.ports import Ear, Listening
from portal.marketplace.states import Checked

TOPIC = "storefront_orders"
LEASE = timedelta(minutes=15)  # longer than a span takes, page by page and with patience


def database_now() -> datetime:
    """The database's instant: before a question is sent, so that what is answered is at least as new."""
    now: datetime = db.session.execute(select(DB_NOW)).scalar_one()
    return now


def read_until(storefront: str) -> datetime | None:
    """Everything that changed until then is in our books; nothing: it was never read."""
    return db.session.scalar(select(StorefrontSync.read_until_at).where(StorefrontSync.storefront == storefront))


def pull_soon(storefront: str) -> None:
    """Somebody expects news: the storefront is read now, and not at the next full five minutes."""
    _due(storefront, "pull_due_at")


def check_soon(storefront: str) -> None:
    """Compare what they list with what we keep, now."""
    _due(storefront, "gaps_due_at")


def _due(storefront: str, column: str) -> None:
    earlier = func.least(func.coalesce(getattr(StorefrontSync, column), DB_NOW), DB_NOW)
    db.session.execute(
        insert(StorefrontSync)
        .values({"storefront": storefront, column: DB_NOW})
        .on_conflict_do_update(index_elements=[StorefrontSync.storefront], set_={column: earlier})
    )
    wake(TOPIC)


class Due(NamedTuple):
    """A storefront that is ours to read, or to compare, for a while."""

    storefront: str
    what: str
    lease: datetime


def claim_due() -> Due | None:
    """Take what is due; others leave it alone until the lease runs out, should we die in the middle."""
    for column in ("pull_due_at", "gaps_due_at"):
        due = getattr(StorefrontSync, column)
        wanted = select(StorefrontSync.storefront).where(due <= DB_NOW).order_by(due).limit(1)
        row = db.session.execute(
            update(StorefrontSync)
            .where(StorefrontSync.storefront == wanted.with_for_update(skip_locked=True).scalar_subquery())
            .values({column: DB_NOW + LEASE})
            .returning(StorefrontSync.storefront, due)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        if row is not None:
            return Due(row[0], column, row[1])
    return None


def done(claimed: Due, *, again: timedelta | None = None) -> None:
    """It was done, or is to be tried again; unless somebody wants it again meanwhile."""
    column = getattr(StorefrontSync, claimed.what)
    db.session.execute(
        update(StorefrontSync)
        .where(StorefrontSync.storefront == claimed.storefront, column == claimed.lease)
        .values({claimed.what: DB_NOW + again if again else None})
        .execution_options(synchronize_session=False)
    )


def note_pull(storefront: str, until: datetime) -> None:
    """A whole span was read. The mark only rises, whichever of two readers ends last."""
    success = {"tried_at": DB_NOW, "succeeded_at": DB_NOW, "trouble": ""}
    mark = func.greatest(func.coalesce(StorefrontSync.read_until_at, until), until)
    db.session.execute(
        insert(StorefrontSync)
        .values(storefront=storefront, read_until_at=until, **success)
        .on_conflict_do_update(index_elements=[StorefrontSync.storefront], set_={"read_until_at": mark, **success})
    )


def tried_and_failed(storefront: str, why: str) -> None:
    """A span could not be read to its end: the mark stays where it was."""
    failure = {"tried_at": DB_NOW, "trouble": why[:500] or "?"}
    db.session.execute(
        insert(StorefrontSync)
        .values(storefront=storefront, **failure)
        .on_conflict_do_update(index_elements=[StorefrontSync.storefront], set_=failure)
    )


def note_ear(storefront: str, said: Listening) -> None:
    """Write down whether they tell us what happens, and when that had to be mended last."""
    seen = {"ear": said.ear.value, "ear_note": said.why[:500], "ear_seen_at": DB_NOW}
    if said.ear in (Ear.SWITCHED_ON, Ear.SUBSCRIBED):
        seen["ear_mended_at"] = DB_NOW
    db.session.execute(
        insert(StorefrontSync)
        .values(storefront=storefront, **seen)
        .on_conflict_do_update(index_elements=[StorefrontSync.storefront], set_=seen)
    )


def note_gap_check(
    storefront: str,
    *,
    from_at: datetime,
    until_at: datetime,
    listed: int,
    kept: int,
    gaps: Sequence[Json],
    finished: bool,
    note: str = "",
) -> Checked:
    """Write down what a comparison found."""
    outcome = Checked.UNFINISHED if not finished else Checked.MENDED if gaps else Checked.WELL
    db.session.add(
        StorefrontGapCheck(
            storefront=storefront,
            from_at=from_at,
            until_at=until_at,
            listed=listed,
            kept=kept,
            gaps=list(gaps),
            outcome=outcome.value,
            note=note[:500],
        )
    )
    return outcome

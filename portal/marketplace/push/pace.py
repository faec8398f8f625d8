"""How often a storefront may be called, kept by all processes together: a call takes its place before it is made.

A call counts from the moment its place is taken until its window has passed after its *end*: it cannot have arrived
later than it ended, so the next one cannot arrive too early, however slowly any process moves in between.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from portal.core.database import db
from portal.marketplace.ports import Pace

# A call whose caller died is counted this long; longer than any time-out.
LOST_SECONDS = 120
KEPT_SECONDS = 600

TAKE = text("SELECT pg_advisory_xact_lock(hashtextextended('pace ' || :storefront || ' ' || :operation, 0))")
# Counted after everybody else's places are seen, so in a statement of its own behind the lock.
PLACE = text(
    """INSERT INTO storefront_call (storefront, operation) SELECT :storefront, :operation
       WHERE NOT EXISTS (
         SELECT FROM unnest(CAST(:calls AS bigint[]), CAST(:windows AS bigint[])) AS p(calls, ms)
         WHERE p.calls <= (
           SELECT count(*) FROM storefront_call c WHERE c.storefront = :storefront AND c.operation = :operation
             AND CASE WHEN c.ended_at IS NULL THEN c.began_at > clock_timestamp() - make_interval(secs => :lost)
                 ELSE c.ended_at > clock_timestamp() - make_interval(secs => p.ms / 1000.0) END))
       RETURNING id"""
)
FORGET = text(
    """DELETE FROM storefront_call WHERE storefront = :storefront AND operation = :operation
       AND began_at < clock_timestamp() - make_interval(secs => :kept)"""
)
FORGOTTEN_EVERY = 20
ENDED = text("UPDATE storefront_call SET ended_at = clock_timestamp() WHERE id = :id")


def take_place(storefront: str, operation: str, paces: Sequence[Pace]) -> int | None:
    """A place among the calls a storefront allows, or None: not now. Belongs into the transaction that claims the work."""
    where = {"storefront": storefront, "operation": operation}
    db.session.execute(TAKE, where)
    limits = {"calls": [pace.calls for pace in paces], "windows": [pace.window_ms for pace in paces]}
    call_id: int | None = db.session.scalar(PLACE, {**where, **limits, "lost": LOST_SECONDS})
    if call_id is not None and call_id % FORGOTTEN_EVERY == 0:
        db.session.execute(FORGET, {**where, "kept": KEPT_SECONDS})
    return call_id


def ended(call_id: int) -> None:
    """The call is over: from now on its window passes."""
    db.session.execute(ENDED, {"id": call_id})

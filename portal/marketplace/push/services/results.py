"""What became of a batch, barcode by barcode: asked for with growing patience until they tell or have forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select, text

from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.i18n import noted
from portal.core.ports import Outcome
from portal.marketplace.ports import Abilities, BatchResult, BatchState
from portal.marketplace.push import pace, rules
from portal.marketplace.push.models import StockPushBatch, StockPushItem, StorefrontListing
from portal.marketplace.push.services import turns
from portal.marketplace.push.services.listings import hold_listings
from portal.marketplace.push.states import BATCH, Batch, Became

FORGOTTEN = noted("they no longer know the batch")

TOLD = text(
    """UPDATE stock_push_item i SET result = t.result, why = t.why
       FROM unnest(CAST(:ids AS bigint[]), CAST(:results AS text[]), CAST(:whys AS text[])) AS t(id, result, why)
       WHERE i.batch_id = :batch AND i.listing_id = t.id"""
)
# Only a sending later than all that are settled says what they believe: older news comes too late.
ACCEPTED = text(
    """UPDATE storefront_listing l SET accepted = i.quantity, accepted_at = :now, believed = i.quantity,
         believed_at = CASE WHEN l.believed = i.quantity THEN l.believed_at ELSE :now END, settled_no = i.send_no,
         attempts = CASE WHEN i.send_no = l.send_no THEN 0 ELSE l.attempts END,
         rejection = CASE WHEN i.send_no = l.send_no THEN '' ELSE l.rejection END,
         rejected_at = CASE WHEN i.send_no = l.send_no THEN NULL ELSE l.rejected_at END,
         needs_person = l.needs_person AND i.send_no < l.send_no
       FROM stock_push_item i
       WHERE i.batch_id = :batch AND i.listing_id = l.id AND i.listing_id = ANY(:ids) AND i.send_no > l.settled_no"""
)
REJECTED = text(
    """UPDATE storefront_listing l SET expected = NULL, settled_no = i.send_no, rejection = t.why, rejected_at = :now,
         attempts = l.attempts + 1, needs_person = l.attempts + 1 > :most,
         due_at = CASE WHEN l.due_at <= :now AND i.result = 'REJECTED' AND l.wanted <> i.quantity THEN l.due_at
                       ELSE CAST(:now AS timestamptz) + make_interval(secs =>
                         (CAST(:waits AS int[]))[least(l.attempts + 1, :most)]) END
       FROM stock_push_item i, unnest(CAST(:ids AS bigint[]), CAST(:whys AS text[])) AS t(id, why)
       WHERE i.batch_id = :batch AND i.listing_id = l.id AND l.id = t.id AND i.send_no = l.send_no"""
)
# Two numbers were on their way at once and nobody says in which order they were applied: they are asked.
ASK_WHERE_TWO_MET = text(
    """UPDATE storefront_listing l SET overlapped = false, ask_at = :now, asked = 0
       WHERE l.overlapped AND l.id IN (SELECT listing_id FROM stock_push_item WHERE batch_id = :batch)
         AND NOT EXISTS (SELECT FROM stock_push_item i WHERE i.listing_id = l.id AND i.result IS NULL)"""
)


class Poll(NamedTuple):
    """A batch whose result we ask for now; `polls` is the fence."""

    batch_id: int
    batch_key: str
    polls: int
    call_id: int


def next_poll(storefront: str, abilities: Abilities) -> Poll | None:
    """The next batch whose result is due to be asked for; None: none, or not now."""
    due = select(StockPushBatch).where(
        StockPushBatch.storefront == storefront,
        StockPushBatch.state == Batch.WAITING,
        StockPushBatch.poll_at <= clock.now(),
    )
    due = due.order_by(StockPushBatch.poll_at).limit(1).with_for_update(skip_locked=True)
    batch = db.session.scalars(due.execution_options(populate_existing=True)).one_or_none()
    if batch is None:
        return None
    call_id = pace.take_place(storefront, "batch", abilities.paces.get("batch", ()))
    if call_id is None:
        return None
    batch.polls += 1
    batch.poll_at = clock.now() + timedelta(seconds=turns.lease_seconds())
    return Poll(batch.id, batch.batch_key, batch.polls, call_id)


def learn_result(poll: Poll, result: BatchResult, abilities: Abilities) -> None:
    """Note what they say: not ready yet, each barcode's answer, or forgotten; then they are asked what they believe."""
    pace.ended(poll.call_id)
    batch = db.session.get_one(StockPushBatch, poll.batch_id)
    hold_listings(batch.storefront)
    db.session.refresh(batch, with_for_update=True)
    if batch.state != Batch.WAITING or batch.polls != poll.polls:
        return
    if result.outcome is Outcome.DONE and result.state is BatchState.DONE:
        _settle(batch, result)
    elif result.state is BatchState.GONE or _too_old(batch, abilities):
        _done_with(batch, Batch.GONE, result.why or FORGOTTEN)
        turns.doubt(batch.id, after_seconds=0)
    else:
        batch.poll_at = clock.now() + timedelta(seconds=rules.patience(rules.POLL_SECONDS, batch.polls + 1))


def reject(batch_id: int, whys: dict[int, str]) -> None:
    """These listings were rejected: tried again with growing patience, then left to a person."""
    if whys:
        said = {"ids": list(whys), "whys": list(whys.values()), "waits": list(rules.RETRY_SECONDS)}
        db.session.execute(REJECTED, {**said, "batch": batch_id, "now": clock.now(), "most": len(rules.RETRY_SECONDS)})


def _too_old(batch: StockPushBatch, abilities: Abilities) -> bool:
    return clock.now() - batch.sent_at >= timedelta(seconds=abilities.result_seconds)


def _settle(batch: StockPushBatch, result: BatchResult) -> None:
    """Every barcode has its answer; one they say nothing about is asked about."""
    rows = db.session.execute(
        select(StorefrontListing.id, StorefrontListing.barcode)
        .join(StockPushItem, StockPushItem.listing_id == StorefrontListing.id)
        .where(StockPushItem.batch_id == batch.id)
    ).all()
    said = {_plain(item.barcode): item for item in result.items}
    accepted = [row.id for row in rows if (told := said.get(_plain(row.barcode))) and told.accepted]
    rejected = {
        row.id: (told.why or "?")[:500] for row in rows if (told := said.get(_plain(row.barcode))) and not told.accepted
    }
    ids = [*accepted, *rejected]
    results = [Became.ACCEPTED.value] * len(accepted) + [Became.REJECTED.value] * len(rejected)
    whys = [""] * len(accepted) + list(rejected.values())
    db.session.execute(TOLD, {"batch": batch.id, "ids": ids, "results": results, "whys": whys})
    db.session.execute(ACCEPTED, {"batch": batch.id, "ids": accepted, "now": clock.now()})
    reject(batch.id, rejected)
    _done_with(batch, Batch.DONE, batch.note)
    turns.doubt(batch.id, after_seconds=0)  # what they did not mention is still open
    db.session.execute(ASK_WHERE_TWO_MET, {"batch": batch.id, "now": clock.now()})


def _done_with(batch: StockPushBatch, to: Batch, note: str) -> None:
    BATCH.move(batch, to, actor=SYSTEM, reason=note, note=note, poll_at=None, settled_at=clock.now())


def _plain(barcode: str) -> str:
    """Barcodes come back without spaces."""
    return "".join(barcode.split())

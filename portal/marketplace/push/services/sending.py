"""A batch of quantities: claimed and written down, then (outside) sent, then its answer noted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select, text, update

from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.ports import Outcome
from portal.marketplace.ports import Abilities, StockSubmitted, StockWish
from portal.marketplace.push import pace, rules
from portal.marketplace.push.models import (
    StockPushBatch,
    StockPushItem,
    StockPushLog,
    StorefrontListing,
    StorefrontTurn,
)
from portal.marketplace.push.services import turns
from portal.marketplace.push.services.listings import hold_listings
from portal.marketplace.push.services.results import reject
from portal.marketplace.push.services.turns import Turn
from portal.marketplace.push.states import BATCH, Batch, Became

MOST_COMPANIONS = 3

PICK = text(
    """SELECT id, item_id, barcode, expected FROM storefront_listing
       WHERE storefront = :storefront AND due_at <= :now AND ask_at IS NULL AND NOT needs_person AND on_sale
       ORDER BY wanted, id LIMIT :size FOR UPDATE SKIP LOCKED"""
)
COMPANION = text(
    """SELECT id, item_id, barcode, expected FROM storefront_listing
       WHERE storefront = :storefront AND due_at IS NULL AND ask_at IS NULL AND on_sale AND rejection = ''
         AND believed IS NOT NULL AND id <> ALL(:picked)
       ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""
)
LEVELS = text("SELECT item_id, available, reserved FROM stock_level WHERE item_id = ANY(:items)")
SENT = text(
    """UPDATE storefront_listing l SET wanted = s.pieces, sent = s.pieces, sent_at = :now, expected = s.pieces,
         send_no = l.send_no + 1, due_at = NULL,
         overlapped = l.overlapped OR EXISTS (SELECT FROM stock_push_item i WHERE i.listing_id = l.id AND i.result IS NULL)
       FROM unnest(CAST(:ids AS bigint[]), CAST(:pieces AS bigint[])) AS s(id, pieces) WHERE l.id = s.id
       RETURNING l.id, l.send_no, l.sent"""
)


class Pick(NamedTuple):
    """A listing that is ours until the end of the transaction, and its stock at this moment."""

    listing_id: int
    barcode: str
    expected: int | None
    pieces: int
    reserved: int


class Claimed(NamedTuple):
    """A batch that is written down and shall be sent now, before `send_by` (of this machine's monotonic clock)."""

    batch_id: int
    call_id: int
    wishes: list[StockWish]
    send_by: float

    @property
    def too_late(self) -> bool:
        """We slept: somebody else may believe us dead, and a newer number may be out already. Not to be sent."""
        return time.monotonic() > self.send_by


def claim(turn: Turn, abilities: Abilities, *, size: int) -> Claimed | None:
    """The next batch, scarcest goods first, with the numbers of this moment. None: nothing is due, or not now.

    The listings are locked before their stock is read: no number that was read earlier can be said later.
    """
    if not turns.still_mine(turn):
        return None
    picks = _picked(turn, abilities, size)
    if not picks:
        return None
    call_id = pace.take_place(turn.storefront, "submit_stock", abilities.paces.get("submit_stock", ()))
    if call_id is None:
        return None
    batch = _written(turn, picks)
    wishes = [StockWish(pick.barcode, pick.pieces) for pick in picks]
    return Claimed(batch.id, call_id, wishes, time.monotonic() + turns.lease_seconds() / 3)


def note_answer(turn: Turn, claimed: Claimed, answer: StockSubmitted) -> bool:
    """Write down what they said to a batch; whether to go on with the next one.

    Taken: its result is asked for later. Silence, or "the same body again" (the first one arrived): they are asked
    what they believe. Refused or never arrived: nothing was changed, everything in it is due again, and they are left
    alone for a while.
    """
    pace.ended(claimed.call_id)
    hold_listings(turn.storefront)
    batch = db.session.get_one(StockPushBatch, claimed.batch_id, with_for_update=True, populate_existing=True)
    if batch.state != Batch.SENDING:
        return _late(batch, answer)
    note = answer.why[:1000]
    if answer.outcome is Outcome.DONE:
        _taken(batch, answer, note)
        turns.answers_again(turn.storefront)
        return True
    if answer.code == "same_body" or answer.outcome is Outcome.UNKNOWN:
        BATCH.move(batch, Batch.UNKNOWN, actor=SYSTEM, reason=note, note=note or "no answer")
        turns.doubt(batch.id, after_seconds=0 if answer.code == "same_body" else turns.quiet_seconds())
    else:
        _not_taken(batch, answer, note or answer.outcome.value)
    turns.pause(
        turn.storefront, note, seconds=0 if answer.code == "same_body" else answer.retry_after_seconds,
        refused=answer.outcome is Outcome.REFUSED and answer.code != "same_body",
    )  # fmt: skip
    return False


def _picked(turn: Turn, abilities: Abilities, size: int) -> list[Pick]:
    """What is due and really differs, as a body they have not seen lately."""
    refusals = db.session.scalar(select(StorefrontTurn.refusals).where(StorefrontTurn.storefront == turn.storefront))
    limit = rules.batch_size(size, abilities.most_items_a_batch, refusals or 0)
    told = {"storefront": turn.storefront, "now": clock.now(), "size": limit}
    while rows := db.session.execute(PICK, told).all():
        picks = _with_levels(rows, abilities.most_pieces)
        _need_nothing([pick.listing_id for pick in picks if pick.pieces == pick.expected])
        if differing := [pick for pick in picks if pick.pieces != pick.expected]:
            return _unlike_before(turn, abilities, differing)
    return []


def _with_levels(rows: Sequence[Any], most_pieces: int) -> list[Pick]:
    levels = {row.item_id: row for row in db.session.execute(LEVELS, {"items": [row.item_id for row in rows]})}
    return [
        Pick(row.id, row.barcode, row.expected, min(levels[row.item_id].available, most_pieces), levels[row.item_id].reserved)
        for row in rows
    ]  # fmt: skip


def _need_nothing(listing_ids: list[int]) -> None:
    """The number came back to what they believe already: nothing is due, and nothing was ever wrong."""
    if listing_ids:
        calm = dict(due_at=None, attempts=0, rejection="", rejected_at=None)
        db.session.execute(
            update(StorefrontListing)
            .where(StorefrontListing.id.in_(listing_ids))
            .values(**calm, wanted=StorefrontListing.expected)
            .execution_options(synchronize_session=False)
        )


def _unlike_before(turn: Turn, abilities: Abilities, picks: list[Pick]) -> list[Pick]:
    """They refuse a body they have just seen. Another list is another body: one less, or another barcode with it.

    When neither is to be had, the barcode waits until their window is over.
    """
    alone = False
    while (seen_at := _seen(turn.storefront, picks, abilities.same_body_seconds)) is not None:
        alone = alone or len(picks) == 1
        company = _companion(turn, abilities, picks) if alone and len(picks) <= MOST_COMPANIONS else []
        if not alone:
            picks = picks[:-1]
        elif company:
            picks = [*picks, *company]
        else:
            _wait([pick.listing_id for pick in picks], seen_at + timedelta(seconds=abilities.same_body_seconds))
            return []
    return picks


def _seen(storefront: str, picks: list[Pick], seconds: int) -> datetime | None:
    """When the same body was sent within their window, if it was."""
    if not seconds:
        return None
    return db.session.scalar(
        select(func.max(StockPushBatch.sent_at)).where(
            StockPushBatch.storefront == storefront,
            StockPushBatch.digest == rules.digest_of((pick.barcode, pick.pieces) for pick in picks),
            StockPushBatch.sent_at > clock.now() - timedelta(seconds=seconds),
            StockPushBatch.state != Batch.NOT_SENT,
        )
    )


def _companion(turn: Turn, abilities: Abilities, picks: list[Pick]) -> list[Pick]:
    told = {"storefront": turn.storefront, "picked": [pick.listing_id for pick in picks]}
    return _with_levels(db.session.execute(COMPANION, told).all(), abilities.most_pieces)


def _wait(listing_ids: list[int], until: datetime) -> None:
    db.session.execute(
        update(StorefrontListing)
        .where(StorefrontListing.id.in_(listing_ids), StorefrontListing.due_at.is_not(None))
        .values(due_at=until + timedelta(seconds=1))
        .execution_options(synchronize_session=False)
    )


def _written(turn: Turn, picks: list[Pick]) -> StockPushBatch:
    """The batch, its items, the push's totals, and what the listings now expect: all before the call."""
    turn.push_id = turn.push_id or turns.open_push(turn)
    digest = rules.digest_of((pick.barcode, pick.pieces) for pick in picks)
    batch = StockPushBatch(push_id=turn.push_id, storefront=turn.storefront, digest=digest, sent_at=clock.now())
    db.session.add(batch)
    BATCH.begin(batch, actor=SYSTEM, reason="")
    told = {"ids": [pick.listing_id for pick in picks], "pieces": [pick.pieces for pick in picks], "now": clock.now()}
    sent = db.session.execute(SENT, told)
    db.session.execute(
        StockPushItem.__table__.insert(),  # type: ignore[attr-defined]
        [dict(batch_id=batch.id, listing_id=row.id, quantity=row.sent, send_no=row.send_no) for row in sent],
    )
    db.session.execute(
        update(StockPushLog)
        .where(StockPushLog.id == turn.push_id)
        .values(
            total_items=StockPushLog.total_items + len(picks),
            total_quantity=StockPushLog.total_quantity + sum(pick.pieces for pick in picks),
            reserved_quantity=StockPushLog.reserved_quantity + sum(pick.reserved for pick in picks),
            batch_count=StockPushLog.batch_count + 1,
        )
        .execution_options(synchronize_session=False)
    )
    return batch


def _taken(batch: StockPushBatch, answer: StockSubmitted, note: str) -> None:
    first_look = clock.now() + timedelta(seconds=rules.POLL_SECONDS[0])
    BATCH.move(
        batch, Batch.WAITING, actor=SYSTEM, reason="", batch_key=answer.batch_key, note=note, poll_at=first_look
    )  # fmt: skip


def _not_taken(batch: StockPushBatch, answer: StockSubmitted, note: str) -> None:
    """Nothing was changed over there: every barcode in it is due again. One that was refused alone is to blame itself."""
    to = Batch.REFUSED if answer.outcome is Outcome.REFUSED else Batch.NOT_SENT
    BATCH.move(batch, to, actor=SYSTEM, reason=note, note=note, settled_at=clock.now())
    items = list(db.session.scalars(select(StockPushItem).where(StockPushItem.batch_id == batch.id)))
    for item in items:
        item.result, item.why = Became.NOT_TAKEN.value, note
    db.session.flush()
    ids = [item.listing_id for item in items]
    db.session.execute(
        update(StorefrontListing)
        .where(StorefrontListing.id.in_(ids))
        .values(expected=None, due_at=func.coalesce(StorefrontListing.due_at, clock.now()))
        .execution_options(synchronize_session=False)
    )
    if to is Batch.REFUSED and len(items) == 1:
        reject(batch.id, {ids[0]: note})


def _late(batch: StockPushBatch, answer: StockSubmitted) -> bool:
    """We were believed dead and somebody took over: what we sent may lie over a newer number. They are asked."""
    if answer.outcome is Outcome.DONE and batch.state == Batch.UNKNOWN:
        _taken(batch, answer, answer.why[:1000])
    db.session.execute(
        update(StorefrontListing)
        .where(StorefrontListing.id.in_(select(StockPushItem.listing_id).where(StockPushItem.batch_id == batch.id)))
        .values(ask_at=clock.now() + timedelta(seconds=turns.quiet_seconds()), asked=0, overlapped=True)
        .execution_options(synchronize_session=False)
    )
    return False

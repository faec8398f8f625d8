"""Whose turn it is: one pusher a storefront at a time, with a lease and a fence."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from flask import current_app
from sqlalchemy import func, select, text, update

from portal.core import audit, clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import DB_NOW, db
from portal.core.i18n import noted
from portal.marketplace.push import rules
from portal.marketplace.push.models import (
    StockPushBatch,
    StockPushItem,
    StockPushLog,
    StorefrontListing,
    StorefrontTurn,
)
from portal.marketplace.push.services.listings import hold_listings, turn_of
from portal.marketplace.push.states import BATCH, Batch, Kind

DIED = noted("the sender died before it could note the answer")
LEASED = text(
    """SELECT storefront FROM storefront_turn WHERE storefront = :storefront
         AND (lease_until IS NULL OR lease_until < clock_timestamp())
         AND (pause_until IS NULL OR pause_until <= :now)
       FOR UPDATE SKIP LOCKED"""
)
DUE = text(
    """SELECT EXISTS (SELECT FROM storefront_listing WHERE storefront = :storefront AND due_at <= :now
         AND ask_at IS NULL AND NOT needs_person AND on_sale)"""
)


@dataclass
class Turn:
    """A storefront that is ours to push to until the lease ends. `number` is the fence."""

    storefront: str
    number: int
    kind: Kind
    push_id: int | None = None
    began: float = field(default_factory=time.monotonic)


def lease_seconds() -> int:
    """How long a pusher is left alone: several times the provider's own time-out."""
    return int(current_app.config["OUTBOX_LEASE_SECONDS"])


def begin(storefront: str) -> Turn | None:
    """Take the turn when something is due and nobody pushes; what a dead pusher left open is cleared up first."""
    now = clock.now()
    told = {"storefront": storefront, "now": now}
    # Before anything else: the very first turn is an insert, and a comparison could wait for it while we wait for it.
    hold_listings(storefront)
    db.session.execute(
        text("INSERT INTO storefront_turn (storefront) VALUES (:storefront) ON CONFLICT DO NOTHING"), told
    )
    if db.session.scalar(LEASED, told) is None:
        return None
    turn = turn_of(storefront)
    if turn.push_id is not None:
        _clear_up(turn)
    turn.lease_until = None
    if not turn.full_asked and not db.session.scalar(DUE, told):
        return None
    kind = Kind.FULL if turn.full_asked else Kind.CHANGED
    turn.full_asked, turn.turn = False, turn.turn + 1
    db.session.flush()
    db.session.refresh(turn)
    mine = Turn(storefront, turn.turn, kind)
    _renew(mine)
    if kind is Kind.FULL:  # a comparison is logged even when it finds nothing
        mine.push_id = open_push(mine)
    return mine


def still_mine(turn: Turn) -> bool:
    """The fence: nobody took over. Renews the lease."""
    return _renew(turn) == 1


def open_push(turn: Turn) -> int:
    """The push is written down with its first batch."""
    push = StockPushLog(storefront=turn.storefront, kind=turn.kind.value, push_time=clock.now())
    db.session.add(push)
    db.session.flush()
    db.session.execute(
        update(StorefrontTurn).where(StorefrontTurn.storefront == turn.storefront).values(push_id=push.id)
    )
    return push.id


def end(turn: Turn) -> None:
    """The push is over: how it went and how long it took is written down, and the next one may begin."""
    row = turn_of(turn.storefront)
    if row.turn != turn.number:
        return
    if turn.push_id is not None:
        _close(db.session.get_one(StockPushLog, turn.push_id), time.monotonic() - turn.began)
    row.push_id = row.lease_until = None


def pause(storefront: str, why: str, *, seconds: int = 0, refused: bool = False) -> None:
    """They were silent, or refused a whole batch: they are left alone, longer each time."""
    row = turn_of(storefront)
    row.failures += 1
    row.refusals += int(refused)
    row.words = why[:500]
    row.pause_until = clock.now() + timedelta(seconds=seconds or rules.patience(rules.PAUSE_SECONDS, row.failures))


def answers_again(storefront: str) -> None:
    """They took a batch: whatever was, is over."""
    row = turn_of(storefront)
    row.failures, row.refusals, row.words, row.pause_until = 0, 0, "", None


def push_now(storefront: str, *, by: Actor) -> int:
    """Somebody does not want to wait: pauses end, and everything that waits for a new try is due. How many are due."""
    hold_listings(storefront)
    row = turn_of(storefront)
    row.pause_until = None
    waiting = (
        update(StorefrontListing)
        .where(StorefrontListing.storefront == storefront, StorefrontListing.due_at.is_not(None))
        .values(due_at=clock.now())
        .returning(StorefrontListing.id)
        .execution_options(synchronize_session=False)
    )
    due = len(db.session.execute(waiting).all())
    if by != SYSTEM:
        audit.write_down("stock push asked for", by=by, about=("storefront", storefront), due=due)
    return due


def doubt(batch_id: int, *, after_seconds: int) -> None:
    """Nobody knows what they made of this batch: after a while they are asked what they believe."""
    items = select(StockPushItem.listing_id).where(StockPushItem.batch_id == batch_id, StockPushItem.result.is_(None))
    db.session.execute(
        update(StorefrontListing)
        .where(StorefrontListing.id.in_(items))
        .values(ask_at=clock.now() + timedelta(seconds=after_seconds), asked=0)
        .execution_options(synchronize_session=False)
    )


def quiet_seconds() -> int:
    """How long after silence we wait before asking: a slow call may still be on its way."""
    return int(current_app.config["STOCK_PUSH_QUIET_SECONDS"])


def _clear_up(turn: StorefrontTurn) -> None:
    """The pusher died in the middle: what it was sending may have arrived, so it is asked about."""
    left = select(StockPushBatch).where(StockPushBatch.push_id == turn.push_id, StockPushBatch.state == Batch.SENDING)
    for batch in db.session.scalars(left.with_for_update()):
        BATCH.move(batch, Batch.UNKNOWN, actor=SYSTEM, reason=DIED, note=DIED)
        doubt(batch.id, after_seconds=quiet_seconds())
    push = db.session.get_one(StockPushLog, turn.push_id)
    _close(push, (clock.now() - push.push_time).total_seconds(), died=True)
    turn.push_id = None


def _close(push: StockPushLog, seconds: float, *, died: bool = False) -> None:
    bad = (Batch.REFUSED, Batch.NOT_SENT, Batch.UNKNOWN)
    notes = select(StockPushBatch.note).where(StockPushBatch.push_id == push.id, StockPushBatch.state.in_(bad))
    said = sorted({note for note in db.session.scalars(notes) if note} | ({DIED} if died else set()))
    push.success, push.error_message = not said, "; ".join(said)[:2000]
    push.duration_seconds = Decimal(str(round(max(seconds, 0), 3)))


def _renew(turn: Turn) -> int:
    renewed = (
        update(StorefrontTurn)
        .where(StorefrontTurn.storefront == turn.storefront, StorefrontTurn.turn == turn.number)
        .values(lease_until=DB_NOW + func.make_interval(0, 0, 0, 0, 0, 0, lease_seconds()))
        .returning(StorefrontTurn.storefront)
        .execution_options(synchronize_session=False)
    )
    return len(db.session.execute(renewed).all())

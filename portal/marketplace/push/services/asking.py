"""What they really believe: asked where nobody can say what became of a number."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select, text

from portal.core import clock
from portal.core.database import db
from portal.core.i18n import noted
from portal.core.ports import Outcome
from portal.marketplace.ports import Abilities, StockRead
from portal.marketplace.push import pace, rules
from portal.marketplace.push.models import StorefrontListing
from portal.marketplace.push.services import turns
from portal.marketplace.push.services.listings import hold_listings

NOT_KNOWN = noted("they do not know this barcode")
NOT_APPLIED = noted("they took the number and did not apply it, without a reason")
# What is still waiting for a batch's own result stays open; everything else is answered by what they believe.
ANSWERED = text(
    """UPDATE stock_push_item i SET result = 'ASKED', why = :why FROM stock_push_batch b
       WHERE b.id = i.batch_id AND b.state NOT IN ('SENDING', 'WAITING') AND i.listing_id = :listing AND i.result IS NULL"""
)
STILL_OPEN = text("SELECT EXISTS (SELECT FROM stock_push_item WHERE listing_id = :listing AND result IS NULL)")


class Question(NamedTuple):
    """Barcodes by listing; `asked` is the fence."""

    barcodes: dict[int, str]
    asked: dict[int, int]
    call_id: int


def next_question(storefront: str, abilities: Abilities) -> Question | None:
    """The next barcodes to be asked about, as many as fit into one question; None: none, or not now."""
    due = select(StorefrontListing).where(
        StorefrontListing.storefront == storefront, StorefrontListing.ask_at <= clock.now()
    )
    due = due.order_by(StorefrontListing.ask_at, StorefrontListing.id).limit(abilities.most_barcodes_a_question)
    due = due.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    found = list(db.session.scalars(due))
    if not found:
        return None
    call_id = pace.take_place(storefront, "read_stock", abilities.paces.get("read_stock", ()))
    if call_id is None:
        return None
    for listing in found:
        listing.asked += 1
        listing.ask_at = clock.now() + timedelta(seconds=turns.lease_seconds())
    return Question(
        {listing.id: listing.barcode for listing in found}, {listing.id: listing.asked for listing in found}, call_id
    )


def learn_beliefs(storefront: str, question: Question, answer: StockRead) -> None:
    """What they believe is noted; where it is not what we want, the number is said again."""
    pace.ended(question.call_id)
    hold_listings(storefront)
    rows = select(StorefrontListing).where(StorefrontListing.id.in_(question.asked)).order_by(StorefrontListing.id)
    for listing in db.session.scalars(rows.with_for_update().execution_options(populate_existing=True)):
        if listing.ask_at is None or listing.asked != question.asked[listing.id]:
            continue
        if answer.outcome is not Outcome.DONE:
            _not_answered(listing, answer.why)
        elif (pieces := answer.quantities.get(question.barcodes[listing.id])) is None:
            _not_known(listing)
        else:
            _believes(listing, pieces)


def _believes(listing: StorefrontListing, pieces: int) -> None:
    now, running = clock.now(), _no_longer_open(listing, "")
    if listing.believed != pieces:
        listing.believed, listing.believed_at = pieces, now
    listing.read_at, listing.ask_at, listing.asked = now, None, 0
    if running:
        return  # a newer number is on its way, and its own result will say
    applied = listing.sent is None or pieces == listing.sent
    if applied:
        listing.accepted, listing.accepted_at = pieces, now
        listing.attempts, listing.rejection, listing.rejected_at, listing.needs_person = 0, "", None, False
    elif listing.settled_no < listing.send_no:
        _failed(listing, NOT_APPLIED, at_once=listing.attempts == 0)
    listing.settled_no, listing.expected = listing.send_no, pieces
    if listing.wanted != pieces and listing.due_at is None and not listing.needs_person:
        listing.due_at = now


def _not_known(listing: StorefrontListing) -> None:
    _no_longer_open(listing, NOT_KNOWN)
    listing.ask_at, listing.asked, listing.expected = None, 0, None
    listing.believed = listing.believed_at = None
    listing.settled_no, listing.read_at = listing.send_no, clock.now()
    _failed(listing, NOT_KNOWN)


def _not_answered(listing: StorefrontListing, why: str) -> None:
    """Asked often enough: an absolute number may simply be said again."""
    if listing.asked < len(rules.ASK_AGAIN_SECONDS):
        wait = rules.patience(rules.ASK_AGAIN_SECONDS, listing.asked)
        listing.ask_at = clock.now() + timedelta(seconds=wait)
        return
    _no_longer_open(listing, why[:500])
    listing.ask_at, listing.asked, listing.expected = None, 0, None
    listing.due_at = listing.due_at or clock.now()


def _failed(listing: StorefrontListing, why: str, *, at_once: bool = False) -> None:
    """Tried again with growing patience, then left to a person."""
    listing.attempts += 1
    listing.rejection, listing.rejected_at = why, clock.now()
    listing.needs_person = listing.attempts > len(rules.RETRY_SECONDS)
    wait = 0 if at_once else rules.patience(rules.RETRY_SECONDS, listing.attempts)
    listing.due_at = clock.now() + timedelta(seconds=wait)


def _no_longer_open(listing: StorefrontListing, why: str) -> bool:
    """Close what only this question could answer; whether something else is still on its way."""
    db.session.flush()
    db.session.execute(ANSWERED, {"listing": listing.id, "why": why})
    return bool(db.session.scalar(STILL_OPEN, {"listing": listing.id}))

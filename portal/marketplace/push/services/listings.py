"""What we want storefronts to believe, and which listings therefore have something to be sent."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text

from portal.core import audit, clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.errors import NotFound, Refusal
from portal.marketplace.push.models import StorefrontListing, StorefrontTurn

HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended('listings ' || :storefront, 0))")
# A barcode that is new here is offered everywhere; a storefront that does not know it says so, and it is shown.
LIST_NEW = """INSERT INTO storefront_listing (storefront, item_id, barcode, wanted, due_at)
    SELECT :storefront, i.id, i.barcode, least(v.available, :most), :now
    FROM stock_item i JOIN stock_level v ON v.item_id = i.id
    WHERE {which} NOT EXISTS (SELECT FROM storefront_listing l WHERE l.storefront = :storefront AND l.item_id = i.id)
    ON CONFLICT DO NOTHING"""
LIST_SOME, LIST_ALL = text(LIST_NEW.format(which="i.id = ANY(:items) AND")), text(LIST_NEW.format(which=""))
LOCK_SOME = text(
    """SELECT count(*) FROM (SELECT FROM storefront_listing WHERE storefront = :storefront AND item_id = ANY(:items)
       ORDER BY id FOR UPDATE) locked"""
)
# A new number is a new chance, also for what was left to a person; a number they expect already needs no sending; and
# a question of routine does not hold a new number up.
WANT_SOME = text(
    """UPDATE storefront_listing l SET wanted = w.pieces,
         due_at = CASE WHEN w.pieces IS NOT DISTINCT FROM l.expected THEN NULL
                       WHEN w.pieces <> l.wanted OR (l.due_at IS NULL AND NOT l.needs_person) THEN :now
                       ELSE l.due_at END,
         needs_person = l.needs_person AND w.pieces = l.wanted,
         ask_at = CASE WHEN w.pieces <> l.wanted AND l.settled_no = l.send_no THEN NULL ELSE l.ask_at END
       FROM (SELECT v.item_id, least(v.available, :most) AS pieces FROM stock_level v
             WHERE v.item_id = ANY(:items)) w
       WHERE l.storefront = :storefront AND l.item_id = w.item_id AND l.on_sale
         AND (w.pieces <> l.wanted OR w.pieces IS DISTINCT FROM l.expected)"""
)
WANT_ALL = text(
    """WITH differing AS (
         UPDATE storefront_listing l SET wanted = least(v.available, :most), due_at = :now
         FROM stock_level v
         WHERE v.item_id = l.item_id AND l.storefront = :storefront AND l.on_sale AND NOT l.needs_person
           AND l.due_at IS NULL AND l.ask_at IS NULL AND least(v.available, :most) IS DISTINCT FROM l.expected
         RETURNING 1)
       SELECT count(*) FROM differing"""
)
# Those whose belief was confirmed longest ago are asked about, a few at a time: what somebody changed over there by
# hand is found, too.
ASK_OLDEST = text(
    """UPDATE storefront_listing SET ask_at = :now, asked = 0 WHERE id IN
         (SELECT l.id FROM storefront_listing l WHERE l.storefront = :storefront AND l.on_sale AND l.due_at IS NULL
            AND l.ask_at IS NULL AND l.believed IS NOT NULL AND l.expected = l.believed
          ORDER BY greatest(l.believed_at, l.read_at) LIMIT :few)"""
)


class NothingToTryAgain(Refusal):
    """Only what was rejected, or is waiting for a new try, can be tried again."""

    code = "nothing_to_try_again"


def hold_listings(storefront: str) -> None:
    """Nobody else changes several listings of this storefront until the end of the transaction."""
    db.session.execute(HOLD, {"storefront": storefront})


def note_wanted(storefront: str, item_ids: Sequence[int], *, most_pieces: int) -> None:
    """These items changed: what is free now is wanted there, and what differs is due at once.

    The listings are locked first and the stock is read afterwards, so that an older number never replaces a newer one.
    """
    told = {"storefront": storefront, "items": list(item_ids), "most": most_pieces, "now": clock.now()}
    hold_listings(storefront)
    if int(db.session.scalar(LOCK_SOME, told) or 0) < len(item_ids):
        db.session.execute(LIST_SOME, told)
    db.session.execute(WANT_SOME, told)


def compare(storefront: str, *, most_pieces: int, read_back: int = 0, by: Actor = SYSTEM) -> int:
    """Compare everything; answers how many listings differ from what is expected of them and are due now.

    `read_back` listings, those confirmed longest ago, are asked about as well.
    """
    told = {"storefront": storefront, "most": most_pieces, "now": clock.now()}
    hold_listings(storefront)
    db.session.execute(LIST_ALL, told)
    differing = int(db.session.scalar(WANT_ALL, told) or 0)
    if read_back:
        db.session.execute(ASK_OLDEST, {**told, "few": read_back})
    turn = turn_of(storefront)
    turn.full_asked, turn.compared_at = True, clock.now()
    if by != SYSTEM:
        audit.write_down("stock comparison asked for", by=by, about=("storefront", storefront), differing=differing)
    return differing


def turn_of(storefront: str) -> StorefrontTurn:
    """The storefront's turn, locked; made when it is the first time."""
    new = "INSERT INTO storefront_turn (storefront) VALUES (:storefront) ON CONFLICT DO NOTHING"
    db.session.execute(text(new), {"storefront": storefront})
    rows = select(StorefrontTurn).where(StorefrontTurn.storefront == storefront).with_for_update()
    return db.session.scalars(rows.execution_options(populate_existing=True)).one()


def try_again(listing_id: int, *, by: Actor) -> None:
    """Somebody looked at a rejected barcode and wants it tried now, with fresh patience."""
    listing = _held(listing_id)
    if not listing.rejection and listing.due_at is None:
        raise NothingToTryAgain(_l("There is nothing to try again."))
    listing.needs_person, listing.attempts, listing.expected, listing.due_at = False, 0, None, clock.now()
    audit.write_down("stock listing tried again", by=by, about=("storefront listing", listing_id))


def offer(listing_id: int, *, on_sale: bool, by: Actor) -> None:
    """Take a barcode off the push, or put it back: then everything is said anew."""
    listing = _held(listing_id)
    listing.on_sale, listing.expected, listing.due_at = on_sale, None, clock.now() if on_sale else None
    audit.write_down("stock listing offered", by=by, about=("storefront listing", listing_id), on_sale=on_sale)


def _held(listing_id: int) -> StorefrontListing:
    found = db.session.get(StorefrontListing, listing_id)
    if found is None:
        raise NotFound
    hold_listings(found.storefront)
    db.session.refresh(found, with_for_update=True)
    return found

"""What was said of each barcode is kept for a while; that there was a push, and how it ended, for ever."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from portal.core.database import db

# Only what a later sending has settled: the last word about a barcode stays, however old it is.
FORGET = text(
    """WITH old AS (
         SELECT i.batch_id, i.listing_id FROM stock_push_batch b
         JOIN stock_push_item i ON i.batch_id = b.id JOIN storefront_listing l ON l.id = i.listing_id
         WHERE b.sent_at < clock_timestamp() - :kept AND i.result IS NOT NULL AND i.send_no < l.settled_no
         ORDER BY i.batch_id, i.listing_id LIMIT :limit),
       gone AS (DELETE FROM stock_push_item i USING old WHERE (i.batch_id, i.listing_id) = (old.batch_id, old.listing_id)
         RETURNING 1)
       SELECT count(*) FROM gone"""
)


def forget_old(days: int, *, limit: int = 5000) -> int:
    """Some of what was said longer ago than so many days is forgotten; how many lines. None: done."""
    return int(db.session.scalar(FORGET, {"kept": timedelta(days=days), "limit": limit}) or 0)

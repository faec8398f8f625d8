"""What changed, for those who tell others: noted by the database itself, in the transaction of the change."""

from __future__ import annotations

from sqlalchemy import text

from portal.core.database import db
from portal.core.queue import wake

# Who tells storefronts listens to this.
TOPIC = "stock_push"
# Only what is committed can be seen, and what is seen is taken by one taker: there is nothing to be missed.
TAKEN = text(
    """DELETE FROM stock_change WHERE id IN
         (SELECT id FROM stock_change ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
       RETURNING item_id"""
)


def tell() -> None:
    """After the commit, whoever tells storefronts may look at once."""
    wake(TOPIC)


def take_changed(limit: int = 1000) -> list[int]:
    """Take the notes away: the items whose available pieces changed since the last time.

    Read the stock in a later statement of the same transaction: then it is at least as new as every note.
    """
    return sorted({item_id for (item_id,) in db.session.execute(TAKEN, {"limit": limit})})

"""The proof: everything we believe about quantities, counted again from the movements and the promises."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text

from portal.core.database import db

# One statement sees one moment, so packers may go on while it runs. Nothing (0) is not listed: an empty shelf and a
# shelf that never was are the same. A line of the listing is "what item shelf pieces", ordered by those numbers.
BOTH = """
live AS (
  SELECT 1 AS what, item_id, shelf_id, qty AS pieces FROM shelf_stock WHERE qty <> 0
  UNION ALL SELECT 2, item_id, 0, qty FROM central_stock WHERE qty <> 0
  UNION ALL SELECT 3, item_id, 0, reserved FROM central_stock WHERE reserved <> 0
),
moved AS (SELECT item_id, shelf_id, sum(pieces)::bigint AS pieces FROM stock_movement GROUP BY item_id, shelf_id),
replayed AS (
  SELECT 1 AS what, item_id, shelf_id, pieces FROM moved WHERE pieces <> 0
  UNION ALL SELECT 2, item_id, 0, sum(pieces)::bigint FROM moved GROUP BY item_id HAVING sum(pieces) <> 0
  UNION ALL SELECT 3, item_id, 0, sum(pieces - taken - released)::bigint FROM reservation
    WHERE state = 'OPEN' GROUP BY item_id
)"""
DIFFERENT = """
different AS (
  SELECT CASE what WHEN 1 THEN 'shelf' WHEN 2 THEN 'central' ELSE 'reserved' END AS what, i.barcode,
    coalesce(s.code, '') AS shelf, coalesce(l.pieces, 0) AS live, coalesce(r.pieces, 0) AS replayed
  FROM live l FULL JOIN replayed r USING (what, item_id, shelf_id)
  JOIN stock_item i ON i.id = item_id LEFT JOIN shelf s ON s.id = shelf_id
  WHERE l.pieces IS DISTINCT FROM r.pieces
)"""
# For `flask books verify`: comes back empty when the stock agrees with its history.
DIFFERENCES = f"WITH {BOTH}, {DIFFERENT} SELECT * FROM different ORDER BY what, barcode, shelf"  # noqa: S608
HASH = (
    "SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws(' ', what, item_id, shelf_id, pieces), E'\\n'"
    " ORDER BY what, item_id, shelf_id), ''), 'UTF8')), 'hex') FROM"
)
PROOF = f"""WITH {BOTH}, {DIFFERENT}
SELECT ({HASH} live) AS live_hash, ({HASH} replayed) AS replayed_hash,
  (SELECT coalesce(json_agg(json_build_array(what, barcode, shelf, live, replayed)), '[]')
   FROM (SELECT * FROM different ORDER BY what, barcode, shelf LIMIT :most) shown) AS differences"""  # noqa: S608
PROOF_MAY_TAKE_MS = 600_000


class Difference(NamedTuple):
    """A quantity that is not what its history says: on a shelf, in all, or promised; in pieces."""

    what: str
    barcode: str
    shelf: str
    live: int
    replayed: int


class Proof(NamedTuple):
    """Both hashes (SHA-256, hexadecimal) over the same canonical listing, and where it differs (the first ones)."""

    live: str
    replayed: str
    differences: list[Difference]

    @property
    def agrees(self) -> bool:
        """Whether what we believe is what happened."""
        return self.live == self.replayed


def prove(*, most: int = 100) -> Proof:
    """Replay all of history and compare; lists at most so many differences. Reads only."""
    db.session.execute(text(f"SET LOCAL statement_timeout = {PROOF_MAY_TAKE_MS}"))
    row = db.session.execute(text(PROOF), {"most": most}).one()
    return Proof(row.live_hash, row.replayed_hash, [Difference(*difference) for difference in row.differences])

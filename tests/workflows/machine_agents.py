"""The sales agent in everything that can happen: earns from what a buyer keeps, whatever goes back, and when."""

from __future__ import annotations

from decimal import Decimal

import psycopg
from sqlalchemy import select

from portal.accounts.models import Person
from portal.commission.models import CommissionCorrection, CommissionSnapshot
from portal.commission.rules import Share
from portal.commission.services import corrections, deals, snapshots
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.unit_of_work import atomic
from tests.cast import Cast
from tests.commission import AGENT, LONG_AGO, Office

# By order: the pieces the buyer kept less what came back of their price; and what the agent has of it.
KEPT_AND_EARNED = """
SELECT o.id, greatest(0, o.kept - o.reduced) AS price, coalesce(sum(CASE WHEN e.direction = 'CREDIT' THEN e.amount_minor
  ELSE -e.amount_minor END), 0)::bigint AS earned
FROM (SELECT l.order_id AS id, sum(l.accepted_quantity * l.unit_price_kurus) AS kept,
    (SELECT coalesce(sum(r.amount_kurus), 0) FROM escrow_refund r JOIN escrow_hold h ON h.id = r.hold_id
     WHERE h.order_id = l.order_id AND r.state = 'DONE' AND NOT r.for_pieces) AS reduced
  FROM network_order_line l GROUP BY l.order_id) o
JOIN deal d ON d.order_id = o.id
LEFT JOIN commission_snapshot s ON s.deal_id = d.id
LEFT JOIN commission_snapshot_line n ON n.snapshot_id = s.id
LEFT JOIN commission_ledger_entry e ON e.line_id = n.id
GROUP BY o.id, o.kept, o.reduced"""


def an_agent(cast: Cast) -> Person:
    """İpek has looked after Fatma's market all along: half of everything is hers, down to the kuruş."""
    office = Office(cast)
    all_hers = [Share(1, 10_000, role=AGENT)]
    office.put_in_force(percent=Decimal("50"), shares=all_hers, valid_from=LONG_AGO.replace(day=2))
    with atomic():
        deals.look_after(cast.fatma.organisation_id, office.ipek.id, from_on=LONG_AGO, by=office.maker)
    return office.ipek


def agree_to_everything(by: Actor) -> None:
    """Every snapshot that waits is approved, and of every correction that waits the money is taken back."""
    waiting = db.session.scalars(select(CommissionSnapshot).where(CommissionSnapshot.state == "PENDING_APPROVAL"))
    shown = {snapshot.id: snapshot.digest for snapshot in waiting}
    if shown:
        snapshots.approve(shown, by=by)
    asked = (
        select(CommissionCorrection).where(CommissionCorrection.state == "PROPOSED").order_by(CommissionCorrection.id)
    )
    for correction in db.session.scalars(asked).all():
        corrections.do(correction.id, shown=correction.digest, by=by)


def earned_what_was_kept(line: psycopg.Connection) -> int:
    """Once everything is agreed to, each order has earned what its price says, to the kuruş. Returns how many have."""
    rows = line.execute(KEPT_AND_EARNED).fetchall()
    for order_id, price, earned in rows:
        assert earned == (int(price) + 1) // 2, (order_id, price, earned)  # half a kuruş goes up
    return len(rows)

"""What must not be in the warehouse, and between the warehouse and our orders."""

from __future__ import annotations

from typing import NamedTuple

from portal.core.i18n import noted
from portal.stock.replay import DIFFERENCES


class Question(NamedTuple):
    """What must not be, in words and in SQL."""

    asks: str
    sql: str


STOCK_QUESTIONS = [
    Question(noted("stock that is not what its movements say"), DIFFERENCES),
    Question(
        noted("items of which more or less is set aside than their open promises say"),
        """SELECT c.item_id, c.reserved, coalesce(r.pieces, 0) AS promised FROM central_stock c LEFT JOIN (
             SELECT item_id, sum(pieces - taken - released) AS pieces FROM reservation
             WHERE state = 'OPEN' GROUP BY item_id) r ON r.item_id = c.item_id
           WHERE c.reserved <> coalesce(r.pieces, 0)""",
    ),
    # What a paid order wants has to be set aside: pieces in no parcel yet, and those of parcels not yet packed. An
    # ended order wants nothing but what somebody still has to pack. Everything else was taken, shipped or cancelled.
    Question(
        noted("paid order lines of which more or less is set aside than is still wanted"),
        """SELECT l.id, o.number, w.pieces AS wanted, coalesce(r.pieces - r.taken - r.released, 0) AS set_aside
           FROM network_order o JOIN network_order_line l ON l.order_id = o.id
           JOIN stock_item i ON i.barcode = l.barcode
           LEFT JOIN reservation r ON r.source_kind = 'order' AND r.source_key = o.id::text AND r.line_key = l.id::text
           CROSS JOIN LATERAL (SELECT coalesce(sum((x->>'quantity')::bigint), 0)
               + CASE WHEN o.state IN ('CANCELLED', 'REFUNDED', 'COMPLETED') THEN 0
                   ELSE l.quantity - l.shipped_quantity - l.cancelled_quantity END AS pieces
             FROM shipment s CROSS JOIN LATERAL jsonb_array_elements(s.items) x
             WHERE s.order_id = o.id AND s.direction = 'OUT' AND s.state = 'PLANNED'
               AND (x->>'line_id')::bigint = l.id) w
           WHERE o.state <> 'PENDING_PAYMENT' AND w.pieces <> coalesce(r.pieces - r.taken - r.released, 0)""",
    ),
    Question(
        noted("goods taken for one of our orders without a parcel"),
        """SELECT m.id, m.act_key, m.source_key FROM stock_movement m
           WHERE m.source_kind = 'order' AND m.type = 'OUT' AND NOT EXISTS (
             SELECT FROM shipment s WHERE m.act_key = 'shipment:' || s.id AND s.order_id::text = m.source_key
               AND s.direction = 'OUT')""",
    ),
    Question(
        noted("parcels for which other pieces left the shelves than are in them"),
        """SELECT s.id, i.barcode, t.pieces AS taken, p.pieces AS inside FROM shipment s
           JOIN LATERAL (SELECT m.item_id, -sum(m.pieces) AS pieces FROM stock_movement m
             WHERE m.act_key = 'shipment:' || s.id GROUP BY m.item_id) t ON true
           JOIN stock_item i ON i.id = t.item_id
           CROSS JOIN LATERAL (SELECT coalesce(sum((x->>'quantity')::bigint), 0) AS pieces
             FROM jsonb_array_elements(s.items) x JOIN network_order_line l ON l.id = (x->>'line_id')::bigint
             WHERE l.barcode = i.barcode) p
           WHERE t.pieces <> p.pieces""",
    ),
    Question(
        noted("parcels that were cancelled although their goods are still out"),
        """SELECT s.id, i.barcode FROM shipment s JOIN stock_movement m ON m.act_key = 'shipment:' || s.id
           JOIN stock_item i ON i.id = m.item_id
           WHERE s.state = 'CANCELLED' AND NOT EXISTS (SELECT FROM stock_movement b
             WHERE b.act_key = 'shipment:' || s.id || ':back:' || m.shelf_id || ':' || m.item_id)""",
    ),
]

"""What the books are asked about packing."""

from __future__ import annotations

from portal.core.i18n import noted
from portal.health.stock_books import Question

PACKING_QUESTIONS = [
    Question(
        noted("packed pieces that are not the sum of their scans"),
        """SELECT l.id, l.task_id, l.packed, s.summed FROM packing_line l
           CROSS JOIN LATERAL (SELECT coalesce(sum(pieces), 0) AS summed FROM packing_scan s
             WHERE s.task_id = l.task_id AND s.line_id = l.id) s
           WHERE l.packed <> s.summed""",
    ),
    Question(
        noted("packed orders in which something is missing"),
        """SELECT t.id, t.number, l.barcode, l.packed, l.wanted FROM packing_task t JOIN packing_line l ON l.task_id = t.id
           WHERE t.state = 'PACKED' AND l.packed <> l.wanted""",
    ),
    Question(
        noted("packed boxes that became nothing"),
        """SELECT t.id, p.number FROM packing_task t JOIN packing_parcel p ON p.task_id = t.id
           WHERE t.state = 'PACKED' AND p.became = '' AND EXISTS (
             SELECT FROM packing_scan s WHERE s.task_id = t.id AND s.parcel_id = p.id
             GROUP BY s.parcel_id HAVING sum(s.pieces) > 0)""",
    ),
]

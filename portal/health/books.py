"""Ask the books: questions whose answer must be nothing. What comes back is rows somebody can look at."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import text

from portal.core.database import db
from portal.core.i18n import noted
from portal.health.aging_books import AGING_QUESTIONS
from portal.health.packing_books import PACKING_QUESTIONS
from portal.health.stock_books import STOCK_QUESTIONS, Question


class Trouble(NamedTuple):
    """A question that came back with rows."""

    question: str
    rows: list[dict[str, Any]]


QUESTIONS = [
    Question(
        noted("kept balances that are not the sum of their postings"),
        """SELECT a.code, a.balance_kurus, s.summed FROM ledger_account a CROSS JOIN LATERAL (
             SELECT coalesce(sum(CASE WHEN p.credit_account_id = a.id THEN p.amount_kurus ELSE -p.amount_kurus END), 0)
               AS summed FROM posting p WHERE a.id IN (p.credit_account_id, p.debit_account_id)) s
           WHERE a.limited AND a.balance_kurus <> s.summed""",
    ),
    Question(
        noted("entries without any posting"),
        "SELECT id, kind FROM journal_entry e WHERE NOT EXISTS (SELECT FROM posting p WHERE p.entry_id = e.id)",
    ),
    Question(
        noted("holds whose money in trust is not what the ledger says"),
        """SELECT h.id, h.held_kurus, h.released_kurus, r.taken, l.in_trust FROM escrow_hold h
           CROSS JOIN LATERAL (SELECT coalesce(sum(CASE WHEN c.code = 'escrow' THEN p.amount_kurus ELSE 0 END)
               - sum(CASE WHEN d.code = 'escrow' THEN p.amount_kurus ELSE 0 END), 0) AS in_trust
             FROM posting p JOIN ledger_account c ON c.id = p.credit_account_id
             JOIN ledger_account d ON d.id = p.debit_account_id WHERE p.hold_id = h.id) l
           CROSS JOIN LATERAL (SELECT coalesce(sum(amount_kurus), 0) AS taken FROM escrow_refund r
             WHERE r.hold_id = h.id AND r.state = 'REQUESTED' AND r.after_release) r
           WHERE l.in_trust <> h.held_kurus + r.taken""",
    ),
    Question(
        noted("released holds whose seller and commission postings are not the split"),
        """SELECT h.id FROM escrow_hold h
           CROSS JOIN LATERAL (SELECT
               coalesce(sum(p.amount_kurus) FILTER (WHERE c.kind = 'SELLER'), 0)
                 - coalesce(sum(p.amount_kurus) FILTER (WHERE d.kind = 'SELLER' AND e.kind <> 'PAYOUT'), 0) AS seller,
               coalesce(sum(p.amount_kurus) FILTER (WHERE c.kind = 'COMMISSION'), 0)
                 - coalesce(sum(p.amount_kurus) FILTER (WHERE d.kind = 'COMMISSION'), 0) AS commission
             FROM posting p JOIN journal_entry e ON e.id = p.entry_id
             JOIN ledger_account c ON c.id = p.credit_account_id
             JOIN ledger_account d ON d.id = p.debit_account_id WHERE p.hold_id = h.id) l
           CROSS JOIN LATERAL (SELECT coalesce(sum(seller_part_kurus), 0) AS seller,
               coalesce(sum(commission_part_kurus), 0) AS commission
             FROM escrow_refund r WHERE r.hold_id = h.id AND r.state = 'REQUESTED' AND r.after_release) r
           WHERE h.released_at IS NOT NULL AND (
               l.seller + r.seller <> h.seller_share_kurus - h.refunded_seller_kurus
               OR l.commission + r.commission
                  <> h.commission_kurus - (h.refunded_kurus - h.refunded_seller_kurus))""",
    ),
    Question(
        noted("paid orders whose holds do not add up to the order"),
        """SELECT o.id, o.number FROM network_order o LEFT JOIN escrow_hold h ON h.order_id = o.id
           WHERE o.paid_at IS NOT NULL GROUP BY o.id HAVING coalesce(sum(h.amount_kurus), 0) <> o.total_kurus""",
    ),
    Question(
        noted("checkouts paid more than once and not on their way back"),
        """SELECT checkout_id FROM network_payment WHERE state = 'PAID' GROUP BY checkout_id HAVING count(*) > 1""",
    ),
    Question(
        noted("surplus payments whose return the provider refused"),
        """SELECT p.id, p.provider_payment_key, p.amount_kurus FROM network_payment p
           JOIN provider_intent i ON i.subject_kind = 'payment' AND i.subject_id = p.id::text AND i.state = 'FAILED'
           WHERE p.state = 'SURPLUS'""",
    ),
    Question(
        noted("refunds that are more than the hold"),
        """SELECT h.id FROM escrow_hold h JOIN escrow_refund r ON r.hold_id = h.id AND r.state <> 'REFUSED'
           GROUP BY h.id HAVING sum(r.amount_kurus) > h.amount_kurus""",
    ),
    Question(
        noted("holds whose refunds do not add up"),
        """SELECT h.id FROM escrow_hold h LEFT JOIN escrow_refund r ON r.hold_id = h.id AND r.state = 'DONE'
           GROUP BY h.id HAVING coalesce(sum(r.amount_kurus), 0) <> h.refunded_kurus""",
    ),
    Question(
        noted("order lines whose parcels do not add up to what was shipped"),
        """SELECT l.id FROM network_order_line l CROSS JOIN LATERAL (
             SELECT coalesce(sum((i->>'quantity')::bigint), 0) AS pieces
             FROM shipment s CROSS JOIN LATERAL jsonb_array_elements(s.items) i
             WHERE s.order_id = l.order_id AND s.direction = 'OUT'
               AND s.state NOT IN ('CANCELLED', 'RETURNED', 'LOST') AND (i->>'line_id')::bigint = l.id) p
           WHERE p.pieces <> l.shipped_quantity + l.replaced_quantity""",
    ),
    Question(
        noted("order lines whose open disputes do not add up to the pieces argued about"),
        """SELECT l.id FROM network_order_line l LEFT JOIN dispute d
             ON d.order_line_id = l.id AND d.state <> 'SETTLED'
           GROUP BY l.id HAVING coalesce(sum(d.pieces), 0) <> l.disputed_quantity""",
    ),
    Question(
        noted("order lines whose answers do not add up to accepted, refunded, replaced and argued about"),
        """SELECT l.id FROM network_order_line l LEFT JOIN delivery_receipt_line r ON r.order_line_id = l.id
           GROUP BY l.id HAVING coalesce(sum(r.accepted + r.damaged + r.missing), 0)
             <> l.accepted_quantity + l.disputed_quantity + l.refunded_quantity + l.replaced_quantity""",
    ),
    Question(
        noted("order lines of which more money has left for the seller than was accepted"),
        """SELECT l.id FROM network_order_line l JOIN escrow_hold h ON h.order_line_id = l.id
           GROUP BY l.id HAVING sum(h.released_kurus) + sum(CASE WHEN h.state = 'RELEASING' THEN h.held_kurus ELSE 0 END)
             > l.accepted_quantity * l.unit_price_kurus""",
    ),
    Question(
        noted("refunds for pieces that are more than the pieces given up"),
        """SELECT l.id FROM network_order_line l JOIN escrow_hold h ON h.order_line_id = l.id
           JOIN escrow_refund r ON r.hold_id = h.id AND r.for_pieces AND r.state <> 'REFUSED'
           GROUP BY l.id HAVING sum(r.amount_kurus) > (l.refunded_quantity + l.cancelled_quantity) * l.unit_price_kurus""",
    ),
    Question(
        noted("parcels on their way without a despatch note"),
        """SELECT id FROM shipment WHERE direction = 'OUT' AND handed_over_at IS NOT NULL
           AND delivery_note_uuid IS NULL""",
    ),
    Question(
        noted("ended storefront packages that still hold pieces"),
        """SELECT p.id, r.line_key, r.pieces - r.taken - r.released AS held FROM storefront_package p
           JOIN reservation r ON r.source_kind = 'storefront' AND r.source_key = p.storefront || ':' || p.package_key
           WHERE p.state IN ('CANCELLED', 'UNSUPPLIED', 'RETURNED') AND r.state = 'OPEN'""",
    ),
    Question(
        noted("storefront orders whose set-aside pieces are not what they still need"),
        """SELECT p.id, l.line_key, l.quantity * l.pieces_each - l.inherited AS needed, s.set_aside
           FROM storefront_package p JOIN storefront_line l ON l.package_id = p.id
           CROSS JOIN LATERAL (SELECT coalesce(sum(r.pieces - r.released), 0) AS set_aside FROM reservation r
             WHERE r.source_kind = 'storefront' AND r.source_key = p.storefront || ':' || p.package_key
               AND (r.line_key = l.line_key OR starts_with(r.line_key, l.line_key || '+'))) s
           WHERE p.state NOT IN ('CANCELLED', 'UNSUPPLIED', 'RETURNED', 'UNPACKED', 'UNKNOWN') AND NOT p.superseded
             AND l.item_id IS NOT NULL AND l.state NOT IN ('CANCELLED', 'UNSUPPLIED', 'RETURNED')
             AND s.set_aside <> greatest(l.quantity * l.pieces_each - l.inherited, 0)""",
    ),
    Question(
        noted("payouts marked as released while a hold still waits"),
        """SELECT o.id FROM network_order o JOIN escrow_hold h ON h.order_id = o.id
           WHERE o.payout_status = 'RELEASED' AND h.state IN ('HELD', 'RELEASING')""",
    ),
    Question(
        noted("commission rows that are not what the journal says"),
        """SELECT a.code, a.in_journal, l.in_ledger FROM (
             SELECT acc.id, acc.person_id, acc.code, coalesce(sum(CASE WHEN p.credit_account_id = acc.id
               THEN p.amount_kurus ELSE -p.amount_kurus END), 0) AS in_journal
             FROM ledger_account acc LEFT JOIN posting p ON acc.id IN (p.credit_account_id, p.debit_account_id)
             WHERE acc.kind = 'AGENT' GROUP BY acc.id) a
           FULL JOIN (SELECT person_id, sum(CASE WHEN direction = 'CREDIT' THEN amount_minor ELSE -amount_minor END)
               AS in_ledger FROM commission_ledger_entry GROUP BY person_id) l ON l.person_id = a.person_id
           WHERE coalesce(a.in_journal, 0) <> coalesce(l.in_ledger, 0)""",
    ),
    Question(
        noted("commission snapshots whose shares are not their pool"),
        """SELECT s.id, s.pool_amount_minor, sum(l.amount_minor) FROM commission_snapshot s
           LEFT JOIN commission_snapshot_line l ON l.snapshot_id = s.id GROUP BY s.id
           HAVING coalesce(sum(l.amount_minor), 0) <> s.pool_amount_minor""",
    ),
    Question(
        noted("approved commission that was not earned line by line"),
        """SELECT l.id FROM commission_snapshot_line l JOIN commission_snapshot s ON s.id = l.snapshot_id
           LEFT JOIN commission_ledger_entry e ON e.line_id = l.id AND e.type = 'EARN'
           WHERE l.kind = 'PERSON' AND l.amount_minor > 0
             AND (s.state IN ('APPROVED', 'REVERSED')) <> (e.id IS NOT NULL AND e.amount_minor = l.amount_minor)""",
    ),
    Question(
        noted("kept commission sums that are not the sum of their rows"),
        """SELECT coalesce(a.person_id, e.person_id) AS person_id FROM commission_person_account a
           FULL JOIN (SELECT person_id,
               coalesce(sum(amount_minor) FILTER (WHERE type = 'EARN'), 0) AS earned,
               coalesce(sum(amount_minor) FILTER (WHERE type = 'PAYOUT'), 0) AS paid,
               coalesce(sum(amount_minor) FILTER (WHERE type = 'REVERSAL'), 0) AS reversed,
               coalesce(sum(CASE WHEN direction = 'CREDIT' THEN amount_minor ELSE -amount_minor END)
                 FILTER (WHERE type = 'ADJUSTMENT'), 0) AS adjusted
             FROM commission_ledger_entry GROUP BY person_id) e ON e.person_id = a.person_id
           WHERE (a.earned_minor, a.paid_minor, a.reversed_minor, a.adjusted_minor)
             IS DISTINCT FROM (e.earned, e.paid, e.reversed, e.adjusted)
             OR a.blocked_minor <> (SELECT coalesce(sum(d.amount_minor), 0) FROM commission_dispute d
               WHERE d.person_id = a.person_id AND d.state <> 'RESOLVED')""",
    ),
    Question(
        noted("commission paid beyond what was earned"),
        """SELECT line_id, paid_minor FROM commission_line_account
           WHERE paid_minor > earned_minor + greatest(adjusted_minor, 0)""",
    ),
    Question(
        noted("locked commission months with more or fewer rows than were sealed"),
        """SELECT k.id, k.period_on FROM commission_period_lock k CROSS JOIN LATERAL (
             SELECT count(*) AS rows, coalesce(sum(amount_minor), 0) AS minor FROM commission_ledger_entry e
             WHERE e.effective_on >= k.period_on AND e.effective_on < k.period_on + interval '1 month') n
           WHERE k.state = 'ACTIVE' AND (n.rows <> k.seal_rows OR n.minor <> k.seal_minor)""",
    ),
    Question(
        noted("completed orders of a sales agent without a deal"),
        """SELECT o.id, o.number FROM network_order o WHERE o.completed_at IS NOT NULL
             AND NOT EXISTS (SELECT FROM deal d WHERE d.order_id = o.id)
             AND (SELECT c.person_id FROM customer_agent c WHERE c.organisation_id = o.buyer_organisation_id
               AND c.from_on <= (o.placed_at AT TIME ZONE 'Europe/Istanbul')::date
               ORDER BY c.from_on DESC LIMIT 1) IS NOT NULL""",
    ),
    Question(
        noted("deals whose price is not what the buyer of the order kept"),
        """SELECT d.id, d.order_id, d.sale_price, k.kept FROM deal d CROSS JOIN LATERAL (SELECT greatest(0,
             (SELECT sum(l.accepted_quantity * l.unit_price_kurus) FROM network_order_line l WHERE l.order_id = d.order_id)
             - (SELECT coalesce(sum(r.amount_kurus), 0) FROM escrow_refund r JOIN escrow_hold h ON h.id = r.hold_id
                WHERE h.order_id = d.order_id AND r.state = 'DONE' AND NOT r.for_pieces)) AS kept) k
           WHERE d.order_id IS NOT NULL AND d.sale_price <> k.kept""",
    ),
    Question(
        noted("sellers paid out more than was released to them"),
        "SELECT code, balance_kurus FROM ledger_account WHERE kind = 'SELLER' AND balance_kurus < 0",
    ),
    *STOCK_QUESTIONS,
    Question(
        noted("stock pushes whose figures are not those of their batches"),
        """SELECT p.id, p.total_items, p.total_quantity, p.batch_count FROM stock_push_log p
           LEFT JOIN stock_push_batch b ON b.push_id = p.id LEFT JOIN stock_push_item i ON i.batch_id = b.id
           WHERE p.push_time > clock_timestamp() - interval '7 days'  -- older ones forget their lines, in time
           GROUP BY p.id HAVING p.total_items <> count(i.listing_id) OR p.batch_count <> count(DISTINCT b.id)
             OR p.total_quantity <> coalesce(sum(i.quantity), 0)""",
    ),
    Question(
        noted("barcodes sent and neither answered nor asked about any more"),
        """SELECT i.listing_id, i.batch_id FROM stock_push_item i JOIN stock_push_batch b ON b.id = i.batch_id
           JOIN storefront_listing l ON l.id = i.listing_id
           WHERE i.result IS NULL AND b.state NOT IN ('SENDING', 'WAITING') AND l.ask_at IS NULL""",
    ),
    *PACKING_QUESTIONS,
    *AGING_QUESTIONS,
]


def ask_the_books() -> list[Trouble]:
    """Every question should come back empty."""
    troubles = []
    for question in QUESTIONS:
        rows = [dict(row) for row in db.session.execute(text(question.sql)).mappings()]
        if rows:
            troubles.append(Trouble(question.asks, rows[:20]))
    return troubles

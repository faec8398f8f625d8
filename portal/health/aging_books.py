"""What must not be in the accounts by age that are shown."""

from __future__ import annotations

from portal.core.i18n import noted
from portal.health.stock_books import Question

AGING_QUESTIONS = [
    Question(
        noted("shown accounts by age whose stored months are not what was reconciled with the ERP"),
        """SELECT f.id, f.side, f.owed_kurus, m.owed, f.paid_kurus, m.paid, f.lines, m.lines AS stored_lines
           FROM aging_fetch f CROSS JOIN LATERAL (SELECT count(*) AS months, coalesce(sum(lines), 0) AS lines,
               coalesce(sum(owed_kurus), 0) AS owed, coalesce(sum(paid_kurus), 0) AS paid
             FROM aging_month WHERE fetch_id = f.id) m
           WHERE f.is_current AND (f.owed_kurus, f.paid_kurus, f.lines, f.months) <> (m.owed, m.paid, m.lines, m.months)""",
    ),
    Question(
        noted("shown accounts by age whose kept sums are not their months"),
        """SELECT account_id, m.owed, s.owed_kurus, m.paid, s.paid_kurus FROM (
             SELECT fetch_id, account_id, sum(m.owed_kurus) AS owed, sum(m.paid_kurus) AS paid
             FROM aging_month m JOIN aging_fetch f ON f.id = fetch_id AND f.is_current
             WHERE NOT future GROUP BY fetch_id, account_id) m
           FULL JOIN (SELECT k.* FROM aging_standing k JOIN aging_fetch f ON f.id = k.fetch_id AND f.is_current) s
             USING (fetch_id, account_id)
           WHERE (m.owed, m.paid) IS DISTINCT FROM (s.owed_kurus, s.paid_kurus)""",
    ),
]

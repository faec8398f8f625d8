"""What is odd about Logo's lines and cards (facts: ERP §1.6)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from portal.integrations.erp import words
from portal.integrations.erp.line import ErpLine, all_rows
from portal.integrations.erp.reading import finding
from portal.integrations.logo.periods import Period, misfits
from portal.integrations.logo.questions import Questions
from portal.receivables.ports import Finding, Oddity


def findings(line: ErpLine, ask: Questions, calendar: list[Period], as_of: date) -> list[Finding]:
    """All of them; an empty list is a ledger without contradictions."""
    found = [Finding(Oddity.PERIOD_GAP, 1, words=wrong) for wrong in misfits(ask.periods, calendar, as_of)]
    odd = [row for period in ask.periods for row in _lines(line, ask, period)]
    odd += [
        (kind, code, count, 0)
        for firm in dict.fromkeys(p.firm for p in ask.periods)
        for kind, code, count in all_rows(line, ask.odd_cards(firm))
    ]
    for kind in dict.fromkeys(row[0] for row in odd):
        found += [finding(Oddity(kind), [row[1:] for row in odd if row[0] == kind])]
    for later in ask.periods[1:]:
        found += _openings(line, ask, later)
    undated = [(code, int(count), words.micro(amount)) for code, count, amount in all_rows(line, ask.undated())]
    return [*found, finding(Oddity.OPENING_UNDATED, undated)] if undated else found


def _lines(line: ErpLine, ask: Questions, period: Period) -> list[tuple[str, str, int, int]]:
    assert period.begins and period.ends
    days = [datetime(day.year, day.month, day.day) for day in (period.begins, period.ends + timedelta(days=1))]  # noqa: DTZ001
    return [
        (str(kind), str(code), int(count), words.micro(amount))
        for kind, code, count, amount in all_rows(line, ask.oddities(period), days)
    ]


def _openings(line: ErpLine, ask: Questions, later: Period) -> list[Finding]:
    """No opening at all is a company that does not carry over; some, but not these, is a contradiction."""
    rows = all_rows(line, ask.openings(later))
    if not any(int(count or 0) for *_amounts, count in rows):
        return []
    differ = []
    for code, opening, closing, _count in rows:
        gap = words.micro(opening) - words.micro(closing)
        if words.kurus(gap):
            differ.append((str(code), 1, abs(gap)))
    return [finding(Oddity.OPENING_DIFFERS, differ, words_=later.name)] if differ else []

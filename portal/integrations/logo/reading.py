"""One look at one side of Logo's ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from portal.integrations.erp import words
from portal.integrations.erp.line import AT_ONCE, ErpLine, Row, all_rows
from portal.integrations.erp.reading import MonthsRead, open_item, pair, some_at_once
from portal.integrations.logo.findings import findings
from portal.integrations.logo.periods import Period
from portal.integrations.logo.questions import Questions
from portal.receivables.ports import Account, ErpBalance, ErpMonth, Finding, Fingerprint, MonthSum, OpenItemSum, Totals


def day_after(day: date) -> datetime:
    """Midnight: dates in Logo carry a time."""
    return datetime(day.year, day.month, day.day) + timedelta(days=1)  # noqa: DTZ001 (theirs are naive)


class LogoReading:
    """Plays receivables.ports.Reading."""

    def __init__(
        self, line: ErpLine, ask: Questions, calendar: list[Period], currencies: dict[int, str], as_of: date
    ) -> None:
        self.line, self.ask, self.calendar, self.currencies = line, ask, calendar, currencies
        self.as_of = as_of
        self.read = MonthsRead()

    def accounts(self, only: Sequence[str] = ()) -> Iterator[list[Account]]:
        """Every account with lines (or only these); where firms differ about a card, the newest is right."""
        found: dict[str, Account] = {}
        for firm in dict.fromkeys(period.firm for period in reversed(self.ask.periods)):
            for codes in some_at_once(only) if only else ([],):
                for rows in self.line.rows(self.ask.accounts(firm, len(codes)), codes):
                    for row in rows:
                        account = self._account(row)
                        found.setdefault(account.code, account)
        by_code = [found[code] for code in sorted(found)]
        for at in range(0, len(by_code), AT_ONCE):
            yield by_code[at : at + AT_ONCE]

    def months(self, only: Sequence[str] = ()) -> Iterator[list[MonthSum]]:
        """As SQL groups them."""
        if not only:
            return self.read.counted(self.line.rows(self.ask.months(), [day_after(self.as_of)]))
        return (rows for codes in some_at_once(only) for rows in self._months_of(codes))

    def _months_of(self, codes: list[str]) -> Iterator[list[MonthSum]]:
        return MonthsRead().counted(self.line.rows(self.ask.months(len(codes)), [day_after(self.as_of), *codes]))

    def fingerprints(self) -> Iterator[list[Fingerprint]]:
        """As SQL adds them up."""
        return self.read.added_up(self.line.rows(self.ask.fingerprints(), [day_after(self.as_of)]))

    def totals(self) -> Totals:
        """The ungrouped sums beside those that came in."""
        return self.read.compared(all_rows(self.line, self.ask.totals()))

    def findings(self) -> list[Finding]:
        """Everything the ERP can be asked about itself."""
        return findings(self.line, self.ask, self.calendar, self.as_of)

    def erp_balances(self) -> Iterator[list[ErpBalance]] | None:
        """From GNTOTCL of the newest period: with several periods only debit less credit means anything."""
        question = self.ask.balances()
        if question is None:
            return None
        return ([ErpBalance(words.code(row[0]), *pair(row)) for row in rows] for rows in self.line.rows(question))

    def erp_months(self) -> list[ErpMonth] | None:
        """From CLTOTFIL; months in which a period opens are left out: they hold the opening once more."""
        found: dict[date, ErpMonth] = {}
        for period in self.ask.periods:
            question = self.ask.month_totals(period)
            if question is None:
                return None
            for row in all_rows(self.line, question):
                first = words.month(row[0])
                if first and first != _first_month(period):
                    found[first] = ErpMonth(first, *pair(row))
        return [found[first] for first in sorted(found)]

    def open_items(self) -> Iterator[list[OpenItemSum]] | None:
        """From the payment plan."""
        question = self.ask.open_items()
        if question is None:
            return None
        answer = self.line.rows(question, [day_after(self.as_of)])
        return ([open_item(row) for row in rows] for rows in answer)

    def _account(self, row: Row) -> Account:
        code, name, more_name, passive, currency, email, tax, group = row
        full = f"{words.text(name)} {words.text(more_name)}".strip()
        return Account(
            code=words.code(code), name=full, currency=self.currencies.get(int(currency or 0), "TRY"), passive=bool(passive),
            email=words.text(email), tax_number=words.text(tax), group=words.text(group),
        )  # fmt: skip


def _first_month(period: Period) -> date | None:
    return period.begins.replace(day=1) if period.begins else None

"""One look at one side of SAP's journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from portal.integrations.erp import words
from portal.integrations.erp.line import ErpLine, all_rows
from portal.integrations.erp.reading import MonthsRead, finding, open_item, pair, some_at_once
from portal.integrations.sapb1_hana.questions import SapQuestions
from portal.receivables.ports import (
    Account,
    ErpBalance,
    ErpMonth,
    Finding,
    Fingerprint,
    MonthSum,
    Oddity,
    OpenItemSum,
    Totals,
)

LIRA = ("", "TL", "TRL", "##")  # SAP's names for lira, and for "any"


def day_after(day: date) -> datetime:
    """Midnight: SAP's dates carry a time."""
    return datetime(day.year, day.month, day.day) + timedelta(days=1)  # noqa: DTZ001 (theirs are naive)


class SapReading:
    """Plays receivables.ports.Reading."""

    def __init__(self, line: ErpLine, ask: SapQuestions, as_of: date) -> None:
        self.line, self.ask, self.as_of = line, ask, as_of
        self.read = MonthsRead()

    def accounts(self, only: Sequence[str] = ()) -> Iterator[list[Account]]:
        """Every partner with lines, or only these."""
        for codes in some_at_once(only) if only else ([],):
            for rows in self.line.rows(self.ask.accounts(len(codes)), codes):
                yield [
                    Account(
                        code=words.code(code), name=words.text(name), currency="TRY" if words.text(currency) in LIRA else words.text(currency),
                        passive=words.text(frozen) == "Y", email=words.text(email), tax_number=words.text(tax),
                        salesperson=words.text(salesperson), group=words.text(group),
                    )
                    for code, name, currency, frozen, email, tax, salesperson, group in rows
                ]  # fmt: skip

    def months(self, only: Sequence[str] = ()) -> Iterator[list[MonthSum]]:
        """As SQL groups them."""
        if not only:
            return self.read.counted(self.line.rows(self.ask.months(), [day_after(self.as_of)]))
        return (rows for codes in some_at_once(only) for rows in self._months_of(codes))

    def _months_of(self, codes: list[str]) -> Iterator[list[MonthSum]]:
        return MonthsRead().counted(self.line.rows(self.ask.months(len(codes)), [day_after(self.as_of), *codes]))

    def fingerprints(self) -> Iterator[list[Fingerprint]]:
        """As SQL adds them up."""
        return self.read.added_up(self.line.rows(self.ask.grouped("fingerprints"), [day_after(self.as_of)]))

    def totals(self) -> Totals:
        """The ungrouped sums beside those that came in."""
        return self.read.compared(all_rows(self.line, self.ask.grouped("totals")))

    def findings(self) -> list[Finding]:
        """What is odd about the lines."""
        rows = [
            (str(kind), str(code), int(count), words.micro(amount))
            for kind, code, count, amount in all_rows(self.line, self.ask.filled("oddities"))
        ]
        kinds = dict.fromkeys(row[0] for row in rows)
        return [finding(Oddity(kind), [row[1:] for row in rows if row[0] == kind]) for kind in kinds]

    def erp_balances(self) -> Iterator[list[ErpBalance]] | None:
        """OCRD.Balance: the net alone, on its side."""
        return (
            [ErpBalance(words.code(row[0]), *pair(row)) for row in rows]
            for rows in self.line.rows(self.ask.filled("balances"))
        )

    def erp_months(self) -> list[ErpMonth] | None:
        """SAP keeps no sums a month."""
        return None

    def open_items(self) -> Iterator[list[OpenItemSum]] | None:
        """With what was reconciled after the day put back."""
        question = self.ask.open_items()
        if question is None:
            return None
        answer = self.line.rows(question, [day_after(self.as_of)] * 2)
        return ([open_item(row) for row in rows] for rows in answer)

"""What every reading does with the months that come in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from portal.integrations.erp import words
from portal.integrations.erp.line import Row
from portal.receivables.ports import (
    Finding,
    Fingerprint,
    LedgerUnreadable,
    MonthSum,
    Oddity,
    OpenItemSum,
    Reason,
    Totals,
)

CODES_AT_ONCE = 500  # SQL Server takes 2,100 parameters
NAMED = 20  # accounts named in a finding; the count says how many there are


class MonthsRead:
    """Counts what came, exactly, so that it can be compared with what the ERP says it sent."""

    def __init__(self) -> None:
        self.debit_micro = self.credit_micro = self.lines = 0
        self.to_the_end = False

    def counted(self, answer: Iterator[list[Row]]) -> Iterator[list[MonthSum]]:
        """Rows of (code, month, future, debit, credit, lines, first day, last day)."""
        self.__init__()  # type: ignore[misc]  # asked again, counted again
        for rows in answer:
            yield [self._sum(row) for row in rows]
        self.to_the_end = True

    def added_up(self, answer: Iterator[list[Row]]) -> Iterator[list[Fingerprint]]:
        """Rows of (code, debit, credit, lines, weighted debit, weighted credit): the same lines, account by account."""
        self.__init__()  # type: ignore[misc]  # what is compared is what was read last
        for rows in answer:
            yield [self._fingerprint(row) for row in rows]
        self.to_the_end = True

    def compared(self, answer: list[Row]) -> Totals:
        """Refuses with HALF_AN_ANSWER when fewer lines came than the ERP counted."""
        (debit, credit, lines), *_ = answer or [(None, None, None)]
        if not self.to_the_end or int(lines or 0) != self.lines:
            raise LedgerUnreadable(Reason.HALF_AN_ANSWER, clue=f"{self.lines} of {lines} lines")
        return Totals(
            erp_debit_micro=words.micro(debit), erp_credit_micro=words.micro(credit), erp_lines=int(lines or 0),
            read_debit_micro=self.debit_micro, read_credit_micro=self.credit_micro, read_lines=self.lines,
        )  # fmt: skip

    def _fingerprint(self, row: Row) -> Fingerprint:
        account, debit, credit, lines, debit_weight, credit_weight = row
        found = Fingerprint(
            words.code(account), int(lines), words.micro(debit), words.micro(credit), words.micro(debit_weight),
            words.micro(credit_weight),
        )  # fmt: skip
        self.debit_micro += found.debit_micro
        self.credit_micro += found.credit_micro
        self.lines += found.lines
        return found

    def _sum(self, row: Row) -> MonthSum:
        account, month, future, debit, credit, lines, first, last = row
        debit_micro, credit_micro = words.micro(debit), words.micro(credit)
        self.debit_micro += debit_micro
        self.credit_micro += credit_micro
        self.lines += int(lines)
        return MonthSum(
            account=words.code(account), month=words.month(month), future=bool(future), debit_kurus=words.kurus(debit_micro),
            credit_kurus=words.kurus(credit_micro), lines=int(lines), first_on=words.day(first), last_on=words.day(last),
        )  # fmt: skip


def some_at_once(codes: Sequence[str]) -> Iterator[list[str]]:
    """Account codes, as many as a statement may have parameters."""
    return (list(codes[begin : begin + CODES_AT_ONCE]) for begin in range(0, len(codes), CODES_AT_ONCE))


def only_these(column: str, count: int, word: str) -> str:
    """A condition on so many codes; none when all are wanted."""
    return f"{word} {column} IN ({', '.join('?' * count)})" if count else ""


def finding(oddity: Oddity, rows: Sequence[tuple[str, int, int]], *, words_: str = "") -> Finding:
    """Rows of (account, count, millionths of a lira) under one oddity."""
    return Finding(
        oddity, sum(int(count) for _code, count, _micro in rows), words.kurus(sum(micro for _code, _count, micro in rows)),
        tuple(dict.fromkeys(code for code, _count, _micro in rows if code))[:NAMED], words_,
    )  # fmt: skip


def pair(row: Row) -> tuple[int, int]:
    """The second and third columns, debit and credit, in kuruş."""
    return words.kurus(words.micro(row[1])), words.kurus(words.micro(row[2]))


def open_item(row: Row) -> OpenItemSum:
    """Rows of (code, due month, debit, credit, items)."""
    account, number, debit, credit, items = row
    due: date | None = words.month(number)
    if due is None:
        raise LedgerUnreadable(Reason.UNREADABLE, where=words.code(account), clue="an open item without a due date")
    return OpenItemSum(
        words.code(account), due, words.kurus(words.micro(debit)), words.kurus(words.micro(credit)), int(items)
    )

"""Logo as the source of the accounts, over any line to its database (plays receivables.ports.LedgerSource)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from portal.integrations.erp import words
from portal.integrations.erp.line import ErpLine, Row, all_rows, from_file
from portal.integrations.logo.catalogue import CALENDAR, CURRENCIES, Catalogue, catalogue
from portal.integrations.logo.periods import Period, dated
from portal.integrations.logo.questions import HERE, Questions
from portal.integrations.logo.reading import LogoReading, day_after
from portal.receivables.ports import Condition, DateBasis, Document, Side

LIRA = (0, 53, 160)  # kinds of currency that are lira: none, and two numbers of it


class LogoLedger:
    """`schema` is the tables' owner, `columns_sql` the file that asks the database for its columns."""

    def __init__(
        self,
        *,
        name: str,
        connect: Callable[[], ErpLine],
        schema: str,
        columns_sql: Path,
        periods: tuple[Period, ...],
        basis: DateBasis,
    ) -> None:
        if not schema.replace("_", "").isalnum():
            raise ValueError(f"“{schema}” cannot be a schema's name")
        if not periods:
            raise ValueError("Logo needs at least one firm and period")
        self.name, self.date_basis = name, basis
        self.connect, self.schema, self.periods = connect, schema, periods
        self.columns_sql = columns_sql

    def probe(self) -> Condition:
        """Connect, look at tables, columns and periods, count the lines."""
        with self._opened() as line:
            there, _calendar, periods = self._orientation(line)
            ask = Questions(there, periods, self.date_basis, Side.CUSTOMERS.value)
            counts = [all_rows(line, ask.latest(period))[0] for period in periods]
            days = [day for _count, newest in counts if (day := words.day(newest))]
            return Condition(
                source=self.name, partitions=tuple(str(period) for period in periods), latest_on=max(days, default=None),
                lines_estimate=sum(int(count) for count, _newest in counts), missing=there.optional_missing(periods),
            )  # fmt: skip

    @contextmanager
    def reading(self, side: Side, as_of: date) -> Iterator[LogoReading]:
        """Open one side of the ledger."""
        with self._opened() as line:
            there, calendar, periods = self._orientation(line)
            ask = Questions(there, periods, self.date_basis, side.value)
            yield LogoReading(line, ask, calendar, self._currencies(line, there, periods), as_of)

    def documents(self, account: str, months: tuple[date | None, ...], as_of: date) -> list[Document]:
        """The lines behind an account's months."""
        wanted = {words.month_number(month) for month in months}
        with self._opened() as line:
            there, _calendar, periods = self._orientation(line)
            ask = Questions(there, periods, self.date_basis, Side.CUSTOMERS.value)
            names = self._currencies(line, there, periods)
            rows: list[Row] = []
            for period in periods:
                rows += all_rows(line, ask.documents(period), [account, day_after(as_of)])
        rows = [row for row in rows if int(row[1]) in wanted]
        return _documents(sorted(rows, key=lambda row: (int(row[1]), str(row[0]), int(row[10]))), names)

    @contextmanager
    def _opened(self) -> Iterator[ErpLine]:
        line = self.connect()
        try:
            yield line
        finally:
            line.close()

    def _orientation(self, line: ErpLine) -> tuple[Catalogue, list[Period], tuple[Period, ...]]:
        owner = f'"{self.schema}".'
        there = catalogue(line, self.columns_sql.read_text(), owner, self.schema, self.periods)
        calendar: list[Period] = []
        if CALENDAR in there.columns:
            rows = all_rows(line, from_file(HERE, "calendar", owner=owner))
            calendar = [
                Period(int(firm), int(number), words.day(begins), words.day(ends))
                for firm, number, begins, ends in rows
            ]
        return there, calendar, dated(self.periods, calendar)

    def _currencies(self, line: ErpLine, there: Catalogue, periods: tuple[Period, ...]) -> dict[int, str]:
        if CURRENCIES not in there.columns:
            return {}
        rows = all_rows(line, from_file(HERE, "currencies", owner=there.owner), [periods[-1].firm])
        return {int(kind): words.text(code) for kind, code in rows if int(kind) not in LIRA}


def _documents(rows: list[Row], currencies: dict[int, str]) -> list[Document]:
    """Month by month, so that each month's documents add up to its rounded sum."""
    found: list[Document] = []
    for month in dict.fromkeys(int(row[1]) for row in rows):
        of_month = [row for row in rows if int(row[1]) == month]
        sides = [_sides(row) for row in of_month]
        debits, credits_ = (words.in_kurus(side) for side in zip(*sides, strict=True))
        found += [_document(*each, currencies) for each in zip(of_month, debits, credits_, strict=True)]
    return found


def _sides(row: Row) -> tuple[int, int]:
    """Debit and credit in millionths; a negative amount stands on the other side, a line of neither sign on none."""
    sign, amount = row[6], words.micro(row[7])
    if sign not in (0, 1):
        return 0, 0
    return (abs(amount), 0) if (sign == 0) == (amount >= 0) else (0, abs(amount))


def _document(row: Row, debit_kurus: int, credit_kurus: int, currencies: dict[int, str]) -> Document:
    day, _month, module, kind, number, text, _sign, _amount, opening, currency, reference = row
    return Document(
        on=words.day(day), kind=f"{module}/{kind}", number=words.text(number), text=words.text(text), debit_kurus=debit_kurus,
        credit_kurus=credit_kurus, opening=bool(opening), currency=currencies.get(int(currency or 0), ""), reference=str(reference),
    )  # fmt: skip

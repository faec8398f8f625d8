"""SAP Business One as the source of the accounts (plays receivables.ports.LedgerSource)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from portal.integrations.erp import words
from portal.integrations.erp.line import ErpLine, Row, all_rows
from portal.integrations.hana import HanaAddress, HanaLine
from portal.integrations.sapb1_hana.questions import SapCatalogue, SapQuestions
from portal.integrations.sapb1_hana.reading import SapReading, day_after
from portal.receivables.ports import Condition, DateBasis, Document, Side

DEFAULT_OPENINGS = ("ACF",)


class SapLedger:
    """One company's schema. The year needs no mapping: SAP keeps all years in one journal."""

    def __init__(
        self,
        *,
        connect: Callable[[], ErpLine],
        schema: str,
        opening_codes: Sequence[str] = DEFAULT_OPENINGS,
        basis: DateBasis = DateBasis.POSTED,
    ) -> None:
        if not schema.replace("_", "").isalnum():
            raise ValueError(f"“{schema}” cannot be a schema's name")
        self.name, self.date_basis = "SAP Business One (HANA)", basis
        self.connect, self.schema, self.opening_codes = connect, schema, tuple(opening_codes)

    def probe(self) -> Condition:
        """Connect, look at tables and columns, count the lines."""
        with self._opened() as (line, there):
            count, newest = all_rows(line, self._ask(there, Side.CUSTOMERS).filled("latest"))[0]
            return Condition(
                source=self.name,
                partitions=(self.schema,),
                lines_estimate=int(count),
                latest_on=words.day(newest),
                missing=there.missing(),
            )

    @contextmanager
    def reading(self, side: Side, as_of: date) -> Iterator[SapReading]:
        """Open one side of the journal."""
        with self._opened() as (line, there):
            yield SapReading(line, self._ask(there, side), as_of)

    def documents(self, account: str, months: tuple[date | None, ...], as_of: date) -> list[Document]:
        """The lines behind a partner's months; amounts have six decimals, so each month is rounded as a whole."""
        with self._opened() as (line, there):
            rows = all_rows(line, self._ask(there, Side.CUSTOMERS).filled("documents"), [account, day_after(as_of)])
        found: list[Document] = []
        for month in (words.month_number(month) for month in sorted(months, key=words.month_number)):
            of_month = [row for row in rows if int(row[1]) == month]
            amounts = [words.micro(row[5]) for row in of_month]
            debits = words.in_kurus(max(amount, 0) for amount in amounts)
            credits_ = words.in_kurus(max(-amount, 0) for amount in amounts)
            found += [_document(*each) for each in zip(of_month, debits, credits_, strict=True)]
        return found

    @contextmanager
    def _opened(self) -> Iterator[tuple[ErpLine, SapCatalogue]]:
        line = self.connect()
        try:
            yield line, SapCatalogue(line, self.schema)
        finally:
            line.close()

    def _ask(self, there: SapCatalogue, side: Side) -> SapQuestions:
        return SapQuestions(there, side, self.date_basis, self.opening_codes)


def sapb1_on_hana(
    address: HanaAddress, opening_codes: Sequence[str] = DEFAULT_OPENINGS, basis: DateBasis = DateBasis.POSTED
) -> SapLedger:
    """A LedgerSource. The driver is loaded when it is first read, not here."""
    return SapLedger(connect=lambda: HanaLine(address), schema=address.schema, opening_codes=opening_codes, basis=basis)


def _document(row: Row, debit_kurus: int, credit_kurus: int) -> Document:
    day, _month, kind, number, text, _amount, opening, currency, due, transaction, at = row
    return Document(
        on=words.day(day), kind=words.text(kind), number=words.text(number), text=words.text(text), debit_kurus=debit_kurus,
        credit_kurus=credit_kurus, opening=bool(opening), due_on=words.day(due), currency=words.text(currency),
        reference=f"{transaction}/{at}",
    )  # fmt: skip

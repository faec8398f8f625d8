"""Which of Logo's tables and columns are there: versions differ (facts: ERP §8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from portal.integrations.erp.line import ErpLine, all_rows, missing
from portal.integrations.logo.periods import Period

CARDS = ("LOGICALREF", "CODE", "DEFINITION_", "ACTIVE", "CARDTYPE")
LINES = ("LOGICALREF", "CLIENTREF", "DATE_", "MODULENR", "TRCODE", "SIGN", "AMOUNT", "CANCELLED")
MORE_OF_CARDS = ("DEFINITION2", "EMAILADDR", "TAXNR", "TCKNO", "SPECODE", "CCURRENCY")
MORE_OF_LINES = ("STATUS", "DOCDATE", "MONTH_", "YEAR_", "DEVIRPROCDATE", "TRANNO", "LINEEXP", "TRCURR")
TOTALS = {
    "GNTOTCL": ("CARDREF", "TOTTYP", "DEBIT", "CREDIT"),
    "CLTOTFIL": ("CARDREF", "TOTTYP", "YEAR_", "MONTH_", "DEBIT", "CREDIT"),
}
PAYMENTS = ("CARDREF", "DATE_", "PROCDATE", "SIGN", "TOTAL", "PAID", "CROSSREF", "CANCELLED")
CALENDAR, CURRENCIES = "L_CAPIPERIOD", "L_CURRENCYLIST"


@dataclass(frozen=True)
class Catalogue:
    """Tables with their columns, as the database lists them."""

    owner: str  # with the dot: "LOGO". or "dbo".
    columns: dict[str, frozenset[str]] = field(default_factory=dict)

    def name(self, table: str) -> str:
        """A table's full name. The names are made from checked numbers and our own words."""
        return f'{self.owner}"{table}"'

    def has(self, table: str, *wanted: str) -> bool:
        """Whether the table is there, with these columns."""
        return table in self.columns and set(wanted) <= self.columns[table]

    def need(self, table: str, wanted: Iterable[str]) -> None:
        """Refuses with WRONG_SCHEMA, naming the first thing that is not there."""
        if table not in self.columns:
            raise missing(table)
        for column in wanted:
            if column not in self.columns[table]:
                raise missing(f"{table}.{column}")

    def totals(self, period: Period, kind: str) -> str | None:
        """Logo's own totals: a view in some versions, a table in others."""
        table = period.table(kind)
        for name in ("LV" + table[2:], table):
            if self.has(name, *TOTALS[kind]):
                return name
        return None

    def optional_missing(self, periods: Sequence[Period]) -> tuple[str, ...]:
        """What would be read if it were there."""
        lost = [table for table in (CALENDAR, CURRENCIES) if table not in self.columns]
        for period in periods:
            lines = period.table("CLFLINE")
            lost += [f"{period.cards}.{column}" for column in MORE_OF_CARDS if not self.has(period.cards, column)]
            lost += [f"{lines}.{column}" for column in MORE_OF_LINES if not self.has(lines, column)]
            lost += [period.table(kind) for kind in TOTALS if self.totals(period, kind) is None]
        newest = periods[-1].table("PAYTRANS")
        return tuple(lost if self.has(newest, *PAYMENTS) else [*lost, newest])


def wanted_tables(periods: Sequence[Period]) -> list[str]:
    """Every table we may ask, by name: live databases hold look-alikes, so nothing is matched by pattern."""
    names = {CALENDAR, CURRENCIES}
    for period in periods:
        names |= {period.cards, period.table("CLFLINE"), period.table("PAYTRANS")}
        for kind in TOTALS:
            names |= {period.table(kind), "LV" + period.table(kind)[2:]}
    return sorted(names)


def catalogue(line: ErpLine, sql: str, owner: str, schema: str, periods: Sequence[Period]) -> Catalogue:
    """Ask once which of them are there. Refuses with WRONG_SCHEMA when a table or column we cannot do without is not."""
    names = wanted_tables(periods)
    marks = ", ".join("?" * len(names))
    found: dict[str, set[str]] = {}
    for table, column in all_rows(line, sql.replace("$marks", marks), [schema, *names]):
        found.setdefault(str(table), set()).add(str(column))
    there = Catalogue(owner, {table: frozenset(columns) for table, columns in found.items()})
    for period in periods:
        there.need(period.cards, CARDS)
        there.need(period.table("CLFLINE"), LINES)
    return there

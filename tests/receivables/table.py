"""A ledger of a million lines in PostgreSQL that plays the ERP through the port: sums are made where the lines are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from typing import Any

import psycopg

from portal.receivables.ports import (
    Account,
    Condition,
    DateBasis,
    Document,
    ErpBalance,
    ErpMonth,
    Finding,
    Fingerprint,
    MonthSum,
    OpenItemSum,
    Side,
    Totals,
)

CHUNK = 10_000
NAMES = (
    "Aytek Teknoloji", "Çağla Gıda", "Işık Elektrik", "İrem Tekstil", "Ömer Yapı", "Şule Kozmetik", "Üçler Nakliyat",
    "Ğ Ambalaj", "Cem Otomotiv", "Gül Mobilya", "Deniz Turizm", "Zeytin Tarım",
)  # fmt: skip
FORMS = ("A.Ş.", "Ltd. Şti.", "Koll. Şti.", "ve Oğulları")

_MAKE = """
CREATE TABLE erp_line (account int, on_date date, kurus bigint, debit boolean, number int);
INSERT INTO erp_line
SELECT account, on_date, CASE WHEN n %% 997 = 0 THEN -kurus ELSE kurus END, debit, n FROM (
  SELECT n, CASE WHEN n %% 20 = 0 THEN 1 ELSE 1 + (hashint8(n) & 2147483647) %% %(accounts)s END AS account,
    %(until)s::date - ((hashint8(n * 7 + 3) & 2147483647) %% 1090) AS on_date,
    100 + (hashint8(n * 13 + 5) & 2147483647) %% 5000000 AS kurus,
    (hashint8(n * 17 + 11) & 2147483647) %% 100 < 56 AS debit
  FROM generate_series(1::bigint, %(lines)s) n) made;
ANALYZE erp_line;
"""
_OWED = "sum(CASE WHEN debit = (kurus >= 0) THEN abs(kurus) ELSE 0 END)::bigint"
_PAID = "sum(CASE WHEN debit = (kurus >= 0) THEN 0 ELSE abs(kurus) END)::bigint"
CLOSED_FORM = f"""
WITH month AS (SELECT account, extract(year FROM on_date)::int * 100 + extract(month FROM on_date)::int AS month,
    {_OWED} AS owed, {_PAID} AS paid FROM erp_line GROUP BY 1, 2)
SELECT account, sum(owed) - sum(paid), max(month) FROM month GROUP BY account
"""


FINGERPRINTS = """
SELECT account, count(*), sum(owed)::bigint, sum(paid)::bigint, sum(owed * weight), sum(paid * weight) FROM (
  SELECT account, CASE WHEN debit = (kurus >= 0) THEN abs(kurus) ELSE 0 END AS owed,
    CASE WHEN debit = (kurus >= 0) THEN 0 ELSE abs(kurus) END AS paid,
    ((date_part('year', on_date) * 100 + date_part('month', on_date)) * 2)::int + (on_date > %s)::int AS weight
  FROM erp_line) line GROUP BY account
"""


def make(url: str, *, lines: int, accounts: int, until: date) -> None:
    """Fill the ledger: one account has a twentieth of all lines, the rest is spread, some amounts are below zero."""
    with psycopg.connect(url, autocommit=True) as there:
        there.execute("DROP TABLE IF EXISTS erp_line")
        for statement in _MAKE.strip().split(";\n"):
            there.execute(statement, {"lines": lines, "accounts": accounts, "until": until})


@lru_cache(maxsize=20_000)
def code_of(number: int) -> str:
    """An account's code."""
    return f"120.{number % 80 + 1:02d}.{number:07d}"


class TableLedger:
    """Plays `LedgerSource` over the table."""

    name = "Deneme defteri"
    date_basis = DateBasis.POSTED

    def __init__(self, url: str, accounts: int) -> None:
        self.url, self.accounts = url, accounts

    def probe(self) -> Condition:
        """Well."""
        return Condition(self.name, (), 0, None, ())

    @contextmanager
    def reading(self, side: Side, as_of: date) -> Iterator[TableReading]:
        """One snapshot."""
        with psycopg.connect(self.url) as there:
            there.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield TableReading(there, side, as_of, self.accounts)

    def documents(self, account: str, months: tuple[date | None, ...], as_of: date) -> list[Document]:
        """Lines of one account in some months."""
        asked = """SELECT on_date, kurus, debit, number FROM erp_line WHERE account = %s AND on_date <= %s
            AND date_trunc('month', on_date) = ANY(%s) ORDER BY 1, 4"""
        with psycopg.connect(self.url) as there:
            rows = there.execute(asked, (int(account[-7:]), as_of, list(months))).fetchall()
        found = []
        for on, kurus, debit, number in rows:
            owed, paid = (abs(kurus), 0) if debit == (kurus >= 0) else (0, abs(kurus))
            kind, words = ("4/38", "Toptan satış faturası") if debit else ("7/20", "Gelen havale")
            found.append(Document(on, kind, f"FTR{number:09d}", words, owed, paid, opening=False))
        return found


class TableReading:
    """Sums over the table."""

    def __init__(self, there: psycopg.Connection[Any], side: Side, as_of: date, accounts: int) -> None:
        self.there, self.as_of, self.side = there, as_of, side
        self.count = accounts if side is Side.CUSTOMERS else 0
        self.came = [0, 0, 0]

    def accounts(self, only: Sequence[str] = ()) -> Iterator[list[Account]]:
        """Cards."""
        cards = [
            Account(
                code_of(n),
                f"{NAMES[n % 12]} {n} {FORMS[n % 4]}",
                passive=n % 97 == 0,
                email=f"muhasebe{n}@ornek.example",
            )
            for n in ([int(code[-7:]) for code in only] or range(1, self.count + 1))
        ]
        for begin in range(0, len(cards), CHUNK):
            yield cards[begin : begin + CHUNK]

    def months(self, only: Sequence[str] = ()) -> Iterator[list[MonthSum]]:
        """Grouped in the database, streamed."""
        these = "WHERE account = ANY(%s)" if only else ""
        asked = f"""SELECT account, date_trunc('month', on_date)::date, on_date > %s, {_OWED}, {_PAID}, count(*)::int,
            min(on_date), max(on_date) FROM erp_line {these} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
        if self.side is not Side.CUSTOMERS:
            return
        if only:
            rows_ = self.there.execute(asked, (self.as_of, [int(code[-7:]) for code in only])).fetchall()
            yield [MonthSum(code_of(row[0]), *row[1:]) for row in rows_]
            return
        self.came = [0, 0, 0]
        with self.there.cursor("months") as rows:
            rows.execute(asked, (self.as_of,))
            while chunk := rows.fetchmany(CHUNK):
                for row in chunk:
                    self.came[0] += row[3]
                    self.came[1] += row[4]
                    self.came[2] += row[5]
                yield [MonthSum(code_of(row[0]), *row[1:]) for row in chunk]

    def fingerprints(self) -> Iterator[list[Fingerprint]]:
        """Added up in the database."""
        self.came = [0, 0, 0]
        for account, *row in self.there.execute(FINGERPRINTS, (self.as_of,)):
            self.came = [had + more for had, more in zip(self.came, (row[1], row[2], row[0]), strict=True)]
            yield [Fingerprint(code_of(account), row[0], *(int(kurus) * 10_000 for kurus in row[1:]))]

    def totals(self) -> Totals:
        """Ungrouped."""
        row: Any = self.there.execute(f"SELECT {_OWED}, {_PAID}, count(*) FROM erp_line").fetchone()
        return Totals(
            row[0] * 10_000, row[1] * 10_000, row[2], self.came[0] * 10_000, self.came[1] * 10_000, self.came[2]
        )

    def findings(self) -> list[Finding]:
        """Nothing odd."""
        return []

    def erp_balances(self) -> Iterator[list[ErpBalance]] | None:
        """It keeps none."""
        return None

    def erp_months(self) -> list[ErpMonth] | None:
        """It keeps none."""
        return None

    def open_items(self) -> Iterator[list[OpenItemSum]] | None:
        """It keeps none."""
        return None

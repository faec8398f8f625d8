"""Makes a ledger in a database of its own, of any size, the same for the same size and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

HERE = Path(__file__).parent


class Period(NamedTuple):
    """A firm's period, as Logo's calendar has it."""

    firm: int
    number: int
    begins: date
    ends: date


@dataclass(frozen=True)
class Size:
    """How much of it. `today` is the day the ledger was last written; three years of it lie before."""

    accounts: int = 10_000
    suppliers: int = 1_500
    lines: int = 240_000
    today: date = date(2025, 5, 20)
    sap: bool = True

    @property
    def begins(self) -> date:
        """The first day of the books."""
        return date(self.today.year - 2, 1, 1)

    @property
    def periods(self) -> tuple[Period, Period]:
        """The company moved to a new firm number at the turn of this year, as companies do."""
        turn = date(self.today.year, 1, 1)
        return (
            Period(101, 1, self.begins, turn - timedelta(days=1)),
            Period(201, 1, turn, date(self.today.year, 12, 31)),
        )


def make(url: str, size: Size) -> None:
    """Fill an empty database: Logo's tables in "LOGO", SAP's in "SBO_DEMO", and what the stand-ins' SQL needs."""
    with psycopg.connect(url) as line:
        line.execute("SET LOCAL synchronous_commit = off")
        line.execute(
            "CREATE TEMP TABLE size AS SELECT %s::int AS accounts, %s::int AS suppliers, %s::bigint AS lines,"
            " %s::date AS begins, %s::date AS today",
            (size.accounts, size.suppliers, size.lines, size.begins, size.today),
        )
        line.execute(_text("staging"))
        _logo(line, size)
        if size.sap:
            line.execute(_text("sapb1"))
        line.execute("DROP SCHEMA erp_staging CASCADE")
        line.execute(_text("words"))
        _owned_by_dbo(line)
        line.execute("ANALYZE")


def _logo(line: psycopg.Connection[tuple[object, ...]], size: Size) -> None:
    line.execute(_text("logo_shared"))
    before: Period | None = None
    for shift, period in enumerate(size.periods):
        words = {
            ":before_firm": f"{before.firm:03}" if before else "",
            ":before": f"{before.firm:03}_{before.number:02}" if before else "",
            ":firm": f"{period.firm:03}",
            ":period": f"{period.number:02}",
            ":begins": f"{period.begins}",
            ":ends": f"{period.ends}",
            ":shift": str(shift * 100_000_000),
        }
        for file in ("logo", *(("logo_opening",) if before else ()), "logo_after"):
            line.execute(_filled(_text(file), words))
        before = period
    line.execute(_filled(_text("logo_payments"), words))


def _owned_by_dbo(line: psycopg.Connection[tuple[object, ...]]) -> None:
    """SQL Server keeps the same tables under its usual owner."""
    line.execute("CREATE SCHEMA dbo")
    tables = line.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'LOGO'").fetchall()
    for (table,) in tables:
        view, source = sql.Identifier("dbo", str(table)), sql.Identifier("LOGO", str(table))
        line.execute(sql.SQL("CREATE VIEW {} AS SELECT * FROM {}").format(view, source))


def _text(name: str) -> str:
    return (HERE / f"{name}.sql").read_text()


def _filled(text: str, words: dict[str, str]) -> sql.SQL:
    for word, value in words.items():
        text = text.replace(word, value)
    return sql.SQL(text)  # our own files, our own numbers


def database(server_url: str, size: Size) -> str:
    """The ledger's own database beside the portal's: made once, and again when a new month has begun. Gives its address."""
    head, _slash, portal = server_url.rpartition("/")
    name = f"{portal}_erp"
    mark = f"{size.accounts} accounts, {size.lines} lines, {size.today:%Y-%m}"
    with psycopg.connect(server_url, autocommit=True) as line:
        known = line.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (name,)
        ).fetchone()
        if known == (mark,):
            return f"{head}/{name}"
        ours = sql.Identifier(name)
        line.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(ours))
        line.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(ours))
        make(f"{head}/{name}", size)
        # Said last: a ledger that was interrupted in the making is made again.
        line.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(ours, sql.Literal(mark)))
    return f"{head}/{name}"

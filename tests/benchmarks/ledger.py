"""Reading a whole ledger through the real drivers, beside the same grouping asked of PostgreSQL directly.

`python -m tests.benchmarks.ledger [lines] [accounts]`. It never fails by the clock.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import psycopg

from portal.integrations.ledgers import ledger_sources
from portal.integrations.logo.adapter import LogoLedger
from portal.integrations.logo.questions import Questions
from portal.receivables.ports import LedgerSource, Side
from portal.sandbox.erp import Size
from tests.erp import TODAY, Erp, counters, read, small_database

SOURCES = ("logo_hana", "logo_mssql", "sapb1_hana")


def timed(work: Callable[[], object]) -> tuple[float, float, object]:
    """Seconds on the wall, seconds of our own CPU, and what came of it."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - wall, time.process_time() - cpu, found


def source(erp: Erp, name: str) -> LedgerSource:
    """One of them, with patience."""
    return ledger_sources(
        erp.settings(customer_ledgers=(name,), supplier_ledgers=(), patience_seconds=Decimal(600))
    ).of(Side.CUSTOMERS)


def floor(erp: Erp) -> int:
    """Logo's months grouped and fetched over PostgreSQL's own protocol: no driver, no stand-in, no objects of ours."""
    logo = source(erp, "logo_hana")
    assert isinstance(logo, LogoLedger)
    with logo._opened() as line:
        there, _calendar, periods = logo._orientation(line)
        sql = Questions(there, periods, logo.date_basis, Side.CUSTOMERS.value).months().replace("?", "$1")
    with psycopg.connect(erp.url, options="-c search_path=erp_words -c jit=off -c work_mem=128MB") as plain:
        return len(psycopg.RawCursor(plain).execute(sql, [day_after(TODAY)]).fetchall())


def day_after(day: date) -> datetime:
    """Midnight."""
    return datetime(day.year, day.month, day.day) + timedelta(days=1)


def main() -> None:
    """One row per source: accounts, months and totals, read whole."""
    lines, accounts = (int(given) for given in (*sys.argv[1:3], "1000000", "10000")[:2])
    with (
        small_database(Size(accounts=accounts, suppliers=accounts * 3 // 20, lines=lines, today=TODAY)) as url,
        counters(url) as erp,
    ):
        base, cpu, months = timed(lambda: floor(erp))
        print(f"{lines:,} lines, {accounts:,} accounts, {months:,} months")
        print(f"{'grouped and fetched (the floor)':<40}{base:>8.2f} s {cpu:>7.2f} s CPU")
        for name in SOURCES:
            wall, cpu, found = timed(lambda name=name: read(source(erp, name)).totals.read_lines)  # type: ignore[misc]
            print(f"{name:<40}{wall:>8.2f} s {cpu:>7.2f} s CPU   × {wall / base:.1f}   {found:,} lines", flush=True)


if __name__ == "__main__":
    main()

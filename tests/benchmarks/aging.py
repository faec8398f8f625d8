"""Aging against the plain SQL it cannot beat, in the same run: AGING_ACCOUNTS (10000), AGING_LINES (1000000,2000000).

It never fails by the clock. Times are medians of wall seconds; the ratio is to the floor named in the same line.
"""

from __future__ import annotations

import io
import os
import resource
import statistics
import time
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import jwt
import msgspec
import openpyxl
import psycopg
from flask import Flask
from werkzeug.test import TestResponse

from portal.core.actor import SYSTEM
from portal.core.clock import today
from portal.core.database import db
from portal.core.ports import cast_role
from portal.core.web import Page
from portal.receivables import export, months, queries
from portal.receivables.ports import LedgerSources, Side
from portal.receivables.queries import Filter, Window
from portal.receivables.sums import View
from portal.workflows import aging_fetch
from tests.receivables import CUSTOMERS, table

ACCOUNTS = int(os.environ.get("AGING_ACCOUNTS") or 10_000)
LINES = [int(size) for size in (os.environ.get("AGING_LINES") or "1000000,2000000").split(",")]
ROUNDS = 5


def median_seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median wall time of one call."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def peak_mib(work: Callable[[], object]) -> float:
    """The most Python memory one call held, in MiB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def say(what: str, seconds: float, floor: float, name: str, more: str = "") -> None:
    """One line of the table."""
    print(f"  {what:<58}{seconds:>9.4f} s   × {seconds / floor:<6.1f} {name} {more}")


def measure(app: Flask, url: str) -> None:
    """Every size in turn."""
    plain_url = url.replace("+psycopg", "")
    print(f"  this process, before anything is read: {_most_memory()} MiB")
    for lines in LINES:
        table.make(plain_url, lines=lines, accounts=ACCOUNTS, until=today() + timedelta(days=3))
        source = table.TableLedger(plain_url, ACCOUNTS)
        cast_role(app, LedgerSources, LedgerSources({Side.CUSTOMERS: (source,)}))
        print(f"aging: {ACCOUNTS} accounts, {lines} lines")
        with psycopg.connect(plain_url, autocommit=True) as plain:
            _one_size(app, plain, lines)
        print(f"  this process, at its highest so far: {_most_memory()} MiB", flush=True)


def _most_memory() -> int:
    """MiB this process ever held at once; PostgreSQL not counted."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _one_size(app: Flask, plain: psycopg.Connection[tuple[object, ...]], lines: int) -> None:
    scan = median_seconds(lambda: plain.execute("SELECT count(*) FROM erp_line").fetchall())
    say("floor: sequential scan of the lines", scan, scan, "scan")
    closed = median_seconds(lambda: plain.execute(table.CLOSED_FORM).fetchall(), 3)
    say("floor: closed form over the lines, plain SQL", closed, scan, "scan")
    cold = median_seconds(lambda: aging_fetch.read_now(Side.CUSTOMERS, by=SYSTEM, patience_seconds=1), 3)
    fetch = queries.current(Side.CUSTOMERS)
    assert fetch is not None and fetch.lines == lines and fetch.state == "DONE", fetch
    say("cold: read, staged, reconciled, swapped", cold, closed, "closed form", f"({fetch.months} months)")
    few = max(ACCOUNTS // 1000, 1)
    changed = f"UPDATE erp_line SET kurus = kurus + 1 WHERE account <= {few} AND number % 50 = 0 AND on_date <= now()"

    def again() -> None:
        plain.execute(changed)
        aging_fetch.read_now(Side.CUSTOMERS, by=SYSTEM, patience_seconds=1)

    say(f"{few} accounts (0.1 %) changed: the whole reading again", median_seconds(again, 3), closed, "closed form")
    sums = median_seconds(lambda: plain.execute(table.FINGERPRINTS, (today(),)).fetchall(), 3)
    say("floor: every account's lines added up, plain SQL", sums, scan, "scan")
    app.config["AGING_CHANGED_ONLY"] = True
    changes = median_seconds(again, 3)
    app.config["AGING_CHANGED_ONLY"] = False
    renewed = queries.current(Side.CUSTOMERS)
    assert renewed is not None and renewed.fence > 3, "the changes were not folded in"
    db.session.rollback()
    say(f"{few} accounts (0.1 %) changed: only they read, folded in", changes, sums, "accounts added up")
    same = median_seconds(lambda: _only_changes(app), 3)
    say("nothing changed: compared and reconciled", same, sums, "accounts added up")
    _reports(app, plain)


def _only_changes(app: Flask) -> None:
    app.config["AGING_CHANGED_ONLY"] = True
    fetch = aging_fetch.read_now(Side.CUSTOMERS, by=SYSTEM, patience_seconds=1)
    app.config["AGING_CHANGED_ONLY"] = False
    assert (fetch.state, fetch.live, fetch.accounts) == ("DONE", False, 0), fetch


def _reports(app: Flask, plain: psycopg.Connection[tuple[object, ...]]) -> None:
    fetch = queries.current(Side.CUSTOMERS)
    assert fetch is not None
    usual = queries.view(Side.CUSTOMERS, Window.of(None, None))
    wide = View(fetch, fetch.as_of_on, months.up_to(months.month_of(fetch.as_of_on), 6))
    past = View(
        fetch, months.last_day(months.later(usual.shown[-1], -1)), months.up_to(months.later(usual.shown[-1], -1), 4)
    )
    sums = (
        f"SELECT account_id, sum(owed_kurus) - sum(paid_kurus) FROM aging_month WHERE fetch_id = {fetch.id} GROUP BY 1"
    )
    floor = median_seconds(lambda: plain.execute(sums).fetchall())
    say("floor: balances from the stored months, plain SQL", floor, floor, "months")
    say(
        "report of all accounts from the stored months, 6 months",
        median_seconds(lambda: queries.all_rows(wide, Filter())),
        floor,
        "months",
    )
    say(
        "report of all accounts as of the last month's end",
        median_seconds(lambda: queries.all_rows(past, Filter())),
        floor,
        "months",
    )
    say(
        "report of all accounts, the usual window",
        median_seconds(lambda: queries.all_rows(usual, Filter())),
        floor,
        "months",
    )

    def page() -> None:
        totals = queries.totals(usual, Filter(words="a"))
        queries.rows(usual, Filter(words="a", sort="name"), Page(3, 50), totals.accounts)

    say("a page of 50, searched, sorted by name, with totals", median_seconds(page), floor, "months")
    _json(app, usual)
    _files(usual)
    db.session.rollback()


def _json(app: Flask, view: View) -> None:
    """Encode alone against the barest encoder; what the figures cost on their way, against the rows alone."""
    names = export.column_names(view)
    rows = queries.all_rows(view, Filter())
    shape = msgspec.defstruct("Floor", [(f"f{n}", str if n < 2 else Decimal) for n in range(len(names))])
    ready = [shape(*row[:2], *[export.lira(kurus) for kurus in row[2 : len(names)]]) for row in rows]
    floor = median_seconds(lambda: export.ENCODER.encode(ready))
    say("floor: msgspec structs, made before, amounts already decimal", floor, floor, "structs")
    told = queries.all_told(view, Filter(), names[2:])
    say(
        "JSON, encode alone, amounts written by the query",
        median_seconds(lambda: export.as_json(told)),
        floor,
        "structs",
    )
    bare = median_seconds(lambda: queries.all_rows(view, Filter()))
    say("floor: the rows of all accounts, no JSON", bare, bare, "rows")
    whole = median_seconds(lambda: export.as_json(queries.all_told(view, Filter(), names[2:])))
    more = f"(the JSON in it: × {(whole - bare) / floor:.1f} structs)"
    say("JSON of all accounts, query and encode", whole, bare, "rows", more)
    machine, kept = _machine(app), app.extensions.setdefault("aging_answers", OrderedDict())

    def asked() -> None:
        answer = machine()
        assert answer.status_code == 200 and len(answer.data) > 100 * ACCOUNTS

    def first() -> None:
        kept.clear()
        asked()

    say("JSON by the whole route, asked for the first time", median_seconds(first), bare, "rows")
    say("JSON by the whole route, asked for again", median_seconds(asked), bare, "rows")


def _machine(app: Flask) -> Callable[[], TestResponse]:
    """Somebody with a token of the configured issuer."""
    secret, now = "benchmark" * 4, int(time.time())
    app.config.update(
        AGING_JWT_ISSUER="bench", AGING_JWT_AUDIENCE="aging", AGING_JWT_ALGORITHM="HS256", AGING_JWT_SECRET=secret
    )
    token = jwt.encode({"iss": "bench", "aud": "aging", "sub": "bench", "iat": now, "exp": now + 900}, secret)
    client = app.test_client()
    return lambda: client.get(f"{CUSTOMERS}/summary/", headers={"Authorization": f"Bearer {token}"})


def _files(view: View) -> None:
    rows = [tuple(row) for row in queries.all_rows(view, Filter())]
    names = export.column_names(view)

    def usual_way() -> None:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in rows:
            sheet.append([row[0], row[1], *[kurus / 100 for kurus in row[2 : len(names)]]])
        book.save(io.BytesIO())

    def ours() -> None:
        export.write_xlsx(io.BytesIO(), view, rows, [], title="x")

    slow = median_seconds(usual_way, 1)
    say("yardstick: openpyxl write-only, no styles", slow, slow, "openpyxl")
    say(
        "XLSX of all accounts, styled, with totals and facts",
        median_seconds(ours),
        slow,
        "openpyxl",
        f"(peak {peak_mib(ours):.1f} MiB)",
    )

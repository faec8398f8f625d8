"""The real pyodbc with FreeTDS against the played SQL Server: values, time limits, TLS, and each way it can go wrong."""

from __future__ import annotations

import builtins
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from portal.integrations.erp.line import all_rows
from portal.integrations.ledgers import ledger_sources
from portal.integrations.logo_mssql.client import MssqlAddress, MssqlLine, reason_of
from portal.receivables.ports import LedgerUnreadable, Reason, Side
from portal.sandbox.erp import who
from tests.erp import ODBC_DRIVER, TODAY, Erp, certificate, counters, needs_odbc, read

SILENT_SECONDS = 20.0


@pytest.fixture(autouse=True)
def _odbc() -> None:
    needs_odbc()


def address(erp: Erp, **more: Any) -> MssqlAddress:
    """The played SQL Server's."""
    plain = MssqlAddress(
        "127.0.0.1", erp.counter.tds_port, who.MSSQL_DATABASE, who.USER, who.PASSWORD, ODBC_DRIVER, encrypt=False,
        connect_seconds=Decimal(10), patience_seconds=Decimal(10),
    )  # fmt: skip
    return replace(plain, **more)


@contextmanager
def line_to(where: MssqlAddress) -> Iterator[MssqlLine]:
    """A line that is hung up whatever happens."""
    line = MssqlLine(where)
    try:
        yield line
    finally:
        line.close()


def reason(where: MssqlAddress) -> Reason:
    """Why one cannot even sign in."""
    with pytest.raises(LedgerUnreadable) as no, line_to(where):
        pass
    return no.value.reason


def test_the_same_values_come_back(erp: Erp) -> None:
    sql = (
        "SELECT CAST(1254300.5 AS DECIMAL(28, 6)), CAST(NULL AS DECIMAL(28, 6)), 'ĞÜŞİÖÇ ğüşıöç', '', CAST('2024-02-29' AS DATE),"
        " CAST('2025-05-20 13:14:15' AS TIMESTAMP), 42, CAST(NULL AS VARCHAR(5)), CAST(NULL AS DATE), 9000000000"
    )
    with line_to(address(erp)) as line:
        [row] = all_rows(line, sql)
    assert tuple(row) == (
        Decimal("1254300.500000"), None, "ĞÜŞİÖÇ ğüşıöç", "", datetime(2024, 2, 29), datetime(2025, 5, 20, 13, 14, 15), 42, None, None,
        9000000000,
    )  # fmt: skip


@pytest.mark.parametrize(
    "amount", ["9999999999999999999999.999999", "-9999999999999999999999.999999", "0.000001", "-0.000001", "0"]
)
def test_amounts_at_the_edge_of_decimal_28_6_are_exact(erp: Erp, amount: str) -> None:
    with line_to(address(erp)) as line:
        [row] = all_rows(line, f"SELECT CAST('{amount}' AS DECIMAL(28, 6)), SUM(CAST('{amount}' AS DECIMAL(28, 6)))")
    assert (row[0], row[1]) == (Decimal(amount), Decimal(amount))


@pytest.mark.parametrize(
    "value", ["120.40.0000123", "ĞÜŞİÖÇ ğüşıöç ₺", "", "x" * 300, 0, -(2**31), 2**40, datetime(2025, 5, 20), None]
)
def test_what_is_bound_comes_back_as_it_was(erp: Erp, value: Any) -> None:
    kind = {str: "VARCHAR", int: "BIGINT", datetime: "TIMESTAMP", type(None): "VARCHAR"}[type(value)]
    with line_to(address(erp)) as line:
        assert all_rows(line, f"SELECT CAST(? AS {kind}) AS X", [value])[0][0] == value


def test_every_row_arrives_once_and_in_order(erp: Erp) -> None:
    with line_to(address(erp)) as line:
        seen = [
            row[0]
            for some in line.rows("SELECT g, 'satır ' || g AS ad FROM generate_series(1, ?) g ORDER BY g", [60_000])
            for row in some
        ]
    assert seen == list(range(1, 60_001))


def test_a_line_sees_one_ledger_where_the_database_allows_snapshots(erp: Erp) -> None:
    question = 'SELECT COUNT(*) FROM "dbo"."L_CAPIFIRM"'
    with line_to(address(erp)) as steady, line_to(address(erp, isolation="read_committed")) as naive:
        before = all_rows(steady, question)[0][0]
        assert all_rows(naive, question)[0][0] == before
        erp.sql('INSERT INTO "LOGO"."L_CAPIFIRM" VALUES (998, %s, %s)', "YENİ", "YENİ")
        try:
            assert all_rows(steady, question)[0][0] == before
            assert all_rows(naive, question)[0][0] == before + 1
        finally:
            erp.sql('DELETE FROM "LOGO"."L_CAPIFIRM" WHERE "NR" = 998')


# At the door.


def test_a_closed_port_is_told_at_once(erp: Erp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert reason(address(erp, port=port)) is Reason.UNREACHABLE


def test_a_name_nobody_knows(erp: Erp) -> None:
    assert reason(address(erp, host="erp.invalid")) is Reason.UNKNOWN_HOST


def test_a_server_that_says_nothing(erp: Erp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert reason(address(erp, port=server.getsockname()[1], connect_seconds=Decimal(1))) is Reason.CONNECT_TIMEOUT


def test_a_wrong_user_and_a_wrong_password_sound_the_same(erp: Erp) -> None:
    assert reason(address(erp, password="Sandbox-2027")) is Reason.WRONG_PASSWORD
    assert reason(address(erp, user="BASKASI")) is Reason.WRONG_PASSWORD


@pytest.mark.parametrize("password", ["a;b=c", "{x}", "}}", "ğüş"])
def test_a_password_with_signs_of_the_connection_string_is_only_a_wrong_password(erp: Erp, password: str) -> None:
    assert reason(address(erp, password=password)) is Reason.WRONG_PASSWORD


def test_a_database_that_is_not_there(erp: Erp) -> None:
    assert reason(address(erp, database="BASKA")) is Reason.WRONG_SCHEMA


@pytest.mark.parametrize(
    ("code", "why"), [(18487, Reason.PASSWORD_EXPIRED), (18486, Reason.WRONG_PASSWORD), (916, Reason.NOT_PERMITTED)]
)
def test_other_refusals_at_the_door(erp: Erp, code: int, why: Reason) -> None:
    erp.fails("sign_in", "refuse", provider="tds", code=code)
    assert reason(address(erp)) is why


def test_hung_up_on_while_signing_in(erp: Erp) -> None:
    erp.fails("sign_in", "malformed", provider="tds")
    assert reason(address(erp)) in (Reason.NOT_A_DATABASE, Reason.DROPPED)


def test_tls_is_spoken_where_it_is_asked_for(erp: Erp, tmp_path_factory: pytest.TempPathFactory) -> None:
    pem, key = certificate(tmp_path_factory.mktemp("tls"))
    with counters(erp.url, certificate=pem, key=key) as private:
        with line_to(address(private, encrypt=True, check_certificate=False)) as line:
            assert all_rows(line, "SELECT 1 AS X")[0][0] == 1
        source = ledger_sources(
            private.settings(customer_ledgers=("logo_mssql",), mssql_encrypt=True, mssql_check_certificate=False)
        ).of(Side.CUSTOMERS)
        plain = ledger_sources(erp.settings(customer_ledgers=("logo_mssql",))).of(Side.CUSTOMERS)
        assert read(source).by_month() == read(plain).by_month()


def test_tls_that_the_server_has_not_is_refused(erp: Erp) -> None:
    assert reason(address(erp, encrypt=True)) in (Reason.TLS, Reason.NOT_A_DATABASE)


# While reading.


@pytest.mark.parametrize(
    ("mode", "code", "why"),
    [
        ("refuse", 229, Reason.NOT_PERMITTED), ("refuse", 1205, Reason.BUSY), ("refuse", 1222, Reason.BUSY), ("refuse", 601, Reason.BUSY),
        ("refuse", 208, Reason.WRONG_SCHEMA), ("refuse", 207, Reason.WRONG_SCHEMA), ("refuse", 50000, Reason.REFUSED),
        ("error_500_after_effect", 0, Reason.DROPPED), ("malformed", 0, Reason.DROPPED),
    ],
)  # fmt: skip
def test_each_way_a_question_can_fail(erp: Erp, mode: str, code: int, why: Reason) -> None:
    with line_to(address(erp)) as line:
        erp.fails("query", mode, provider="tds", code=code)
        with pytest.raises(LedgerUnreadable) as no:
            all_rows(line, "SELECT g FROM generate_series(1, 2000) g")
    assert no.value.reason is why
    with line_to(address(erp)) as again:
        assert all_rows(again, "SELECT 1 AS X")[0][0] == 1


def test_an_answer_that_does_not_come_in_time(erp: Erp) -> None:
    with line_to(address(erp, patience_seconds=Decimal(1))) as line:
        erp.fails("query", "slow", provider="tds", seconds=SILENT_SECONDS)
        with pytest.raises(LedgerUnreadable) as no:
            all_rows(line, "SELECT 1 AS X")
    assert no.value.reason is Reason.TIMEOUT


def test_a_schema_that_is_not_there_names_the_table_that_is_missed(erp: Erp) -> None:
    source = ledger_sources(erp.settings(customer_ledgers=("logo_mssql",), mssql_schema="baska")).of(Side.CUSTOMERS)
    with pytest.raises(LedgerUnreadable) as no:
        source.documents("120.40.0000123", (date(2025, 5, 1),), TODAY)
    assert (no.value.reason, no.value.where) == (Reason.WRONG_SCHEMA, "LG_101_CLCARD")


# Drivers.


def test_a_driver_that_is_not_installed_is_said_plainly(erp: Erp) -> None:
    assert reason(address(erp, driver="ODBC Driver 99 for SQL Server")) is Reason.DRIVER_MISSING
    assert reason(address(erp, driver="/nowhere/libmsodbcsql.so")) is Reason.DRIVER_MISSING


def test_a_missing_driver_manager_is_said_by_its_package(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name == "pyodbc":
            raise ImportError("libodbc.so.2: cannot open shared object file: No such file or directory")
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LedgerUnreadable) as no:
        MssqlLine(address(erp))
    assert (no.value.reason, no.value.where) == (Reason.DRIVER_MISSING, "libodbc2 (unixODBC)")


def test_the_password_is_in_no_words(erp: Erp) -> None:
    assert who.PASSWORD not in repr(address(erp))


# What Microsoft's driver says where FreeTDS says something else (facts: ERP §5.2).
@pytest.mark.parametrize(
    ("state", "words", "signed_in", "why"),
    [
        ("28000", "[28000] [Microsoft][SQL Server]Login failed for user 'x'. (18456) (SQLDriverConnect)", False, Reason.WRONG_PASSWORD),
        ("42000", "[42000] [FreeTDS][SQL Server]Login failed for user 'x'. (18456) (SQLDriverConnect)", False, Reason.WRONG_PASSWORD),
        ("HYT00", "[HYT00] [Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired (0) (SQLDriverConnect)", False, Reason.CONNECT_TIMEOUT),
        ("HYT00", "[HYT00] [Microsoft][ODBC Driver 18 for SQL Server]Query timeout expired (0) (SQLExecDirectW)", True, Reason.TIMEOUT),
        ("08001", "[08001] [Microsoft][ODBC Driver 18 for SQL Server]SSL Provider: certificate verify failed (-1)", False, Reason.TLS),
        ("42S02", "[42S02] Invalid object name 'dbo.X'. (208) (SQLExecDirectW)", True, Reason.WRONG_SCHEMA),
        ("01000", "[01000] [unixODBC][Driver Manager]Can't open lib '/x.so' : file not found (0)", False, Reason.DRIVER_MISSING),
        ("08S01", "[08S01] Communication link failure (0)", True, Reason.DROPPED),
        ("42000", "[42000] Transaction (Process ID 55) was deadlocked (1205) (SQLExecDirectW)", True, Reason.BUSY),
        ("HY000", "[HY000] something new (0)", True, Reason.REFUSED),
    ],
)  # fmt: skip
def test_states_and_numbers_of_both_drivers(state: str, words: str, signed_in: bool, why: Reason) -> None:
    assert reason_of(state, words, signed_in=signed_in) is why


def test_microsofts_driver_checks_the_certificate_unless_told_not_to(erp: Erp) -> None:
    checking = address(erp, driver="ODBC Driver 18 for SQL Server", encrypt=True).words()
    trusting = address(erp, driver="ODBC Driver 18 for SQL Server", encrypt=True, check_certificate=False).words()
    assert "Encrypt=yes;TrustServerCertificate=no" in checking
    assert "Encrypt=yes;TrustServerCertificate=yes" in trusting
    assert "ApplicationIntent=ReadOnly" in checking

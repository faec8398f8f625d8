"""The real hdbcli against the played HANA: values, paging, time limits, TLS, and each way it can go wrong."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.integrations.erp.line import all_rows
from portal.integrations.hana import HanaAddress, HanaLine, reason_of
from portal.integrations.ledgers import ledger_sources
from portal.receivables.ports import REASONS, LedgerUnreadable, Reason, Side
from portal.sandbox.erp import who
from tests.erp import TODAY, Erp, certificate, counters, read

SILENT_SECONDS = 20.0  # longer than the patience of whoever waits in these tests


def address(erp: Erp, **more: Any) -> HanaAddress:
    """The played HANA's."""
    plain = HanaAddress(
        "127.0.0.1", erp.counter.hana_port, who.USER, who.PASSWORD, who.LOGO_SCHEMA, encrypt=False, connect_seconds=Decimal(10),
        patience_seconds=Decimal(10),
    )  # fmt: skip
    return replace(plain, **more)


@contextmanager
def line_to(where: HanaAddress) -> Iterator[HanaLine]:
    """A line that is hung up whatever happens."""
    line = HanaLine(where)
    try:
        yield line
    finally:
        line.close()


def reason(where: HanaAddress) -> Reason:
    """Why one cannot even sign in."""
    with pytest.raises(LedgerUnreadable) as no, line_to(where):
        pass
    return no.value.reason


def test_the_same_values_come_back(erp: Erp) -> None:
    sql = (
        "SELECT CAST(1254300.5 AS DECIMAL(28, 6)) AS TUTAR, CAST(NULL AS DECIMAL(28, 6)) AS YOK, 'ĞÜŞİÖÇ ğüşıöç' AS AD,"
        " CAST('' AS VARCHAR(5)) AS BOS, CAST('2024-02-29' AS DATE) AS GUN, CAST('2025-05-20 13:14:15.123456' AS TIMESTAMP) AS AN,"
        " 42 AS SAYI, CAST(NULL AS VARCHAR(5)) AS AD_YOK, CAST(NULL AS DATE) AS GUN_YOK, 9000000000 AS BUYUK FROM DUMMY"
    )
    with line_to(address(erp)) as line:
        [row] = all_rows(line, sql)
    assert tuple(row) == (
        Decimal("1254300.5"), None, "ĞÜŞİÖÇ ğüşıöç", "", date(2024, 2, 29), datetime(2025, 5, 20, 13, 14, 15, 123456), 42, None, None,
        9000000000,
    )  # fmt: skip


@pytest.mark.parametrize(
    "amount",
    [
        "9999999999999999999999.999999",
        "-9999999999999999999999.999999",
        "0.000001",
        "-0.000001",
        "0",
        "99999999999999999999.01",
    ],
)
def test_amounts_at_the_edge_of_decimal_28_6_are_exact(erp: Erp, amount: str) -> None:
    with line_to(address(erp)) as line:
        [row] = all_rows(
            line, f"SELECT CAST('{amount}' AS DECIMAL(28, 6)), SUM(CAST('{amount}' AS DECIMAL(28, 6))) FROM DUMMY"
        )
    assert (row[0], row[1]) == (Decimal(amount), Decimal(amount))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=300),
    st.integers(-(2**63), 2**63 - 1),
    st.datetimes(datetime(1753, 1, 1), datetime(9998, 12, 31)),
    st.decimals(-(10**21), 10**21, places=6),
)
@example("𐍈 beyond the first plane", 0, datetime(2024, 2, 29, 23, 59, 59, 999999), Decimal("0.000001"))
@example("x" * 246, -1, datetime(1900, 1, 1), Decimal(0))
def test_what_is_bound_comes_back_as_it_was(
    open_line: HanaLine, text: str, whole: int, moment: datetime, amount: Decimal
) -> None:
    sql = "SELECT CAST(? AS VARCHAR), CAST(? AS BIGINT), CAST(? AS TIMESTAMP), CAST(? AS DECIMAL(28, 6)) FROM DUMMY"
    [row] = all_rows(open_line, sql, [text, whole, moment, amount])
    assert (row[0], row[1], row[2], row[3]) == (text, whole, moment, amount)


@pytest.fixture
def open_line(erp: Erp) -> Iterator[HanaLine]:
    """One line for many questions."""
    with line_to(address(erp)) as line:
        yield line


@pytest.mark.parametrize("rows", [0, 1, 499, 500, 501, 5_000, 120_000])
def test_every_row_arrives_once_and_in_order(open_line: HanaLine, rows: int) -> None:
    seen = [
        row[0]
        for some in open_line.rows("SELECT g, 'satır ' || g AS AD FROM generate_series(1, ?) g ORDER BY g", [rows])
        for row in some
    ]
    assert seen == list(range(1, rows + 1))


def test_rows_travel_some_thousands_at_a_time(open_line: HanaLine) -> None:
    chunks = [len(some) for some in open_line.rows("SELECT g FROM generate_series(1, ?) g", [12_000])]
    assert len(chunks) >= 3
    assert max(chunks) <= 5_000


def test_a_line_sees_one_ledger_from_its_first_question_to_its_last(erp: Erp) -> None:
    question = 'SELECT COUNT(*) FROM "LOGO"."L_CAPIFIRM"'
    with line_to(address(erp)) as steady, line_to(address(erp)) as later:
        before = all_rows(steady, question)[0][0]
        erp.sql('INSERT INTO "LOGO"."L_CAPIFIRM" VALUES (999, %s, %s)', "YENİ", "YENİ")
        try:
            assert all_rows(steady, question)[0][0] == before
            # The naive twin, who begins to look after the change, sees another ledger.
            assert all_rows(later, question)[0][0] == before + 1
        finally:
            erp.sql('DELETE FROM "LOGO"."L_CAPIFIRM" WHERE "NR" = 999')


def test_nothing_can_be_written_over_our_line(erp: Erp) -> None:
    with line_to(address(erp)) as line, pytest.raises(LedgerUnreadable):
        all_rows(line, 'DELETE FROM "LOGO"."L_CAPIFIRM"')
    assert erp.sql('SELECT count(*) FROM "LOGO"."L_CAPIFIRM"') == [(2,)]


# At the door.


def test_a_closed_port(erp: Erp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert reason(address(erp, port=port)) is Reason.UNREACHABLE


def test_a_name_nobody_knows(erp: Erp) -> None:
    assert reason(address(erp, host="erp.invalid")) is Reason.UNKNOWN_HOST


@pytest.mark.parametrize("encrypt", [True, False])
def test_a_server_that_says_nothing(erp: Erp, encrypt: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = address(erp, port=server.getsockname()[1], connect_seconds=Decimal("0.5"), encrypt=encrypt)
        assert reason(silent) is Reason.CONNECT_TIMEOUT


def test_a_server_that_is_none_of_saps(erp: Erp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            line, _from = server.accept()
            with line:
                line.recv(100)
                line.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" * 3)
                line.recv(100)

        threading.Thread(target=answer, daemon=True).start()
        assert reason(address(erp, port=server.getsockname()[1])) is Reason.NOT_A_DATABASE


def test_a_wrong_user_and_a_wrong_password_sound_the_same(erp: Erp) -> None:
    assert reason(address(erp, password="Sandbox-2027")) is Reason.WRONG_PASSWORD
    assert reason(address(erp, user="BASKASI")) is Reason.WRONG_PASSWORD


@pytest.mark.parametrize(("code", "why"), [(414, Reason.PASSWORD_EXPIRED), (416, Reason.WRONG_PASSWORD)])
def test_an_expired_password_and_a_locked_user(erp: Erp, code: int, why: Reason) -> None:
    erp.fails("sign_in", "refuse", code=code)
    assert reason(address(erp)) is why


def test_hung_up_on_while_signing_in(erp: Erp) -> None:
    erp.fails("sign_in", "malformed")
    assert reason(address(erp)) is Reason.DROPPED


def test_silence_while_signing_in(erp: Erp) -> None:
    erp.fails("sign_in", "slow", seconds=SILENT_SECONDS)
    assert reason(address(erp, connect_seconds=Decimal(1), patience_seconds=Decimal(1))) is Reason.CONNECT_TIMEOUT


# TLS.


@pytest.fixture(scope="module")
def private(erp_house: Erp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Erp, str]]:
    """The same ledger behind counters that speak TLS only, with a certificate of their own making."""
    pem, key = certificate(tmp_path_factory.mktemp("tls"))
    with counters(erp_house.url, certificate=pem, key=key) as erp:
        yield erp, pem


def test_a_certificate_that_we_were_told_to_trust_is_trusted(private: tuple[Erp, str]) -> None:
    erp, pem = private
    with line_to(address(erp, encrypt=True, trust=pem, host_in_certificate="erp.example")) as line:
        assert all_rows(line, "SELECT 1 FROM DUMMY")[0][0] == 1


def test_a_certificate_nobody_knows_is_refused_unless_somebody_turned_the_check_off(private: tuple[Erp, str]) -> None:
    erp, _pem = private
    assert reason(address(erp, encrypt=True)) is Reason.TLS
    with line_to(address(erp, encrypt=True, check_certificate=False)) as line:
        assert all_rows(line, "SELECT 1 FROM DUMMY")[0][0] == 1


def test_a_certificate_for_another_host_is_refused(private: tuple[Erp, str]) -> None:
    erp, pem = private
    assert reason(address(erp, encrypt=True, trust=pem, host_in_certificate="baska.example")) is Reason.TLS
    assert reason(address(erp, encrypt=True, trust=pem)) is Reason.TLS  # it is not made out to the address


def test_encryption_where_the_server_has_none_is_refused(erp: Erp) -> None:
    assert reason(address(erp, encrypt=True)) is Reason.TLS


def test_no_password_is_sent_in_clear_to_a_server_that_wants_tls(private: tuple[Erp, str]) -> None:
    assert reason(address(private[0], encrypt=False)) in (Reason.DROPPED, Reason.UNREACHABLE, Reason.NOT_A_DATABASE)


# While reading.


@pytest.mark.parametrize(
    ("mode", "code", "why"),
    [
        ("refuse", 0, Reason.NOT_PERMITTED), ("refuse", 131, Reason.BUSY), ("refuse", 133, Reason.BUSY), ("refuse", 4, Reason.BUSY),
        ("refuse", 613, Reason.TIMEOUT), ("error_500", 0, Reason.REFUSED), ("refuse", 259, Reason.WRONG_SCHEMA),
        ("refuse", 362, Reason.WRONG_SCHEMA), ("error_500_after_effect", 0, Reason.DROPPED), ("malformed", 0, Reason.DROPPED),
    ],
)  # fmt: skip
def test_each_way_a_question_can_fail(erp: Erp, mode: str, code: int, why: Reason) -> None:
    with line_to(address(erp)) as line:
        erp.fails("query", mode, code=code)
        with pytest.raises(LedgerUnreadable) as no:
            all_rows(line, "SELECT 1 FROM DUMMY")
    assert no.value.reason is why
    with line_to(address(erp)) as again:
        assert all_rows(again, "SELECT 1 FROM DUMMY")[0][0] == 1


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELEC 1", Reason.REFUSED),
        ("SELECT * FROM YOK", Reason.WRONG_SCHEMA),
        ("SELECT YOK FROM DUMMY", Reason.WRONG_SCHEMA),
    ],
)
def test_sql_that_is_not_understood(open_line: HanaLine, sql: str, why: Reason) -> None:
    with pytest.raises(LedgerUnreadable) as no:
        all_rows(open_line, sql)
    assert no.value.reason is why
    assert all_rows(open_line, "SELECT 1 FROM DUMMY")[0][0] == 1  # the line is as good as before


def test_an_answer_that_does_not_come_in_time(erp: Erp) -> None:
    with line_to(address(erp, patience_seconds=Decimal(1))) as line:
        erp.fails("query", "slow", seconds=SILENT_SECONDS)
        with pytest.raises(LedgerUnreadable) as no:
            all_rows(line, "SELECT 1 FROM DUMMY")
    assert no.value.reason is Reason.TIMEOUT


@pytest.mark.parametrize(("mode", "why"), [("error_500_after_effect", Reason.DROPPED), ("slow", Reason.TIMEOUT)])
def test_a_line_that_breaks_half_way_through_the_rows(erp: Erp, mode: str, why: Reason) -> None:
    erp.fails("fetch", mode, seconds=SILENT_SECONDS)
    rows = 0
    with line_to(address(erp, patience_seconds=Decimal(1))) as line, pytest.raises(LedgerUnreadable) as no:
        for some in line.rows("SELECT g FROM generate_series(1, ?) g", [40_000]):
            rows += len(some)
    assert no.value.reason is why
    assert rows < 40_000


def test_rows_that_end_too_early_are_half_an_answer(erp: Erp) -> None:
    """The driver notices nothing: a naive reader would take half of the ledger for all of it."""
    source = ledger_sources(erp.settings()).of(Side.CUSTOMERS)
    whole = read(source)
    erp.fails("fetch", "malformed")
    with source.reading(Side.CUSTOMERS, TODAY) as reading:
        came = [month for some in reading.months() for month in some]
        assert 0 < len(came) < len(whole.months)
        with pytest.raises(LedgerUnreadable) as no:
            reading.totals()
    assert no.value.reason is Reason.HALF_AN_ANSWER
    assert read(source).by_month() == whole.by_month()


# Names and drivers.


def test_a_schema_that_is_not_there_names_the_table_that_is_missed(erp: Erp) -> None:
    with pytest.raises(LedgerUnreadable) as no:
        ledger_sources(erp.settings(logo_hana_schema="BASKA")).of(Side.CUSTOMERS).probe()
    assert (no.value.reason, no.value.where) == (Reason.WRONG_SCHEMA, "LG_101_CLCARD")
    with pytest.raises(LedgerUnreadable) as no:
        ledger_sources(erp.settings(sap_schema="BASKA")).sides[Side.SUPPLIERS][1].probe()
    assert (no.value.reason, no.value.where) == (Reason.WRONG_SCHEMA, "OCRD")


@pytest.mark.parametrize("schema", ['LOGO"."X', "LOGO; DROP", "", "a b"])
def test_a_schemas_name_is_never_more_than_a_name(erp: Erp, schema: str) -> None:
    with pytest.raises(ValueError, match="schema"):
        ledger_sources(erp.settings(logo_hana_schema=schema))


def test_a_missing_driver_is_said_plainly(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hdbcli", None)
    with pytest.raises(LedgerUnreadable) as no:
        HanaLine(address(erp))
    assert (no.value.reason, no.value.where) == (Reason.DRIVER_MISSING, "hdbcli")


def test_the_password_is_in_no_words(erp: Erp) -> None:
    assert who.PASSWORD not in repr(address(erp)) + repr(erp.settings())


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(Reason)


@pytest.mark.parametrize(
    ("number", "words", "signed_in", "why"),
    [
        (-10709, "Connect failed (connect timeout expired)", False, Reason.CONNECT_TIMEOUT),
        (
            -10709,
            "Connection failed (RTE:[89006] System call 'recv' failed, rc=104:Connection reset by peer",
            False,
            Reason.DROPPED,
        ),
        (-10709, "something new", False, Reason.UNREACHABLE),
        (-10807, "Connection down: [89012] Socket recv timeout", True, Reason.TIMEOUT),
        (-10807, "Connection down: [89013] Socket closed by peer", True, Reason.DROPPED),
        (-10108, "Session has been reconnected after an error", True, Reason.DROPPED),
        (0, "Connection closed", True, Reason.DROPPED),
        (1024, "session error", True, Reason.DROPPED),
        (591, "internal error", True, Reason.REFUSED),
    ],
)
def test_numbers_and_words_of_the_driver(number: int, words: str, signed_in: bool, why: Reason) -> None:
    assert reason_of(number, words, signed_in=signed_in) is why


def test_the_driver_waits_for_nobody_while_another_thread_works(erp: Erp) -> None:
    """A question that takes long does not stop the rest of the portal."""
    done = threading.Event()
    with line_to(address(erp)) as line:
        erp.fails("query", "slow", seconds=1.5)

        def ask() -> None:
            all_rows(line, "SELECT 1 FROM DUMMY")
            done.set()

        asking = threading.Thread(target=ask)
        asking.start()
        turns = 0
        while not done.is_set() and turns < 5:
            turns += 1
            with psycopg.connect(erp.url) as other:
                other.execute("SELECT 1")
        asking.join()
    assert turns == 5


def test_a_certificates_file_is_only_read_when_it_is_named(tmp_path: Path, erp: Erp) -> None:
    assert "sslTrustStore" not in address(erp).words()
    assert address(erp, trust=str(tmp_path / "x.pem")).words()["sslTrustStore"].endswith("x.pem")


def test_many_may_read_at_the_same_time(erp: Erp) -> None:
    """Each over a line of its own: the driver does not share them between threads."""
    source = ledger_sources(erp.settings()).of(Side.CUSTOMERS)
    expected = read(source).by_month()
    found: list[bool] = []
    readers = [threading.Thread(target=lambda: found.append(read(source).by_month() == expected)) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert found == [True] * 4


@pytest.mark.parametrize("port", ["hana_port", "tds_port"])
@pytest.mark.parametrize("noise", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 5000, b"\xff" * 5000])
def test_noise_at_the_counter_disturbs_nobody(erp: Erp, port: str, noise: bytes) -> None:
    with socket.create_connection(("127.0.0.1", getattr(erp.counter, port))) as stranger:
        stranger.sendall(noise)
    with line_to(address(erp)) as line:
        assert all_rows(line, "SELECT 1 FROM DUMMY")[0][0] == 1
    assert erp.counter.process.poll() is None

"""SQL Server through ODBC (facts: ERP §5). pyodbc is loaded only when somebody connects: without libodbc it cannot be."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from loguru import logger

from portal.integrations.erp.line import AT_ONCE, Row, all_rows
from portal.receivables.ports import LedgerUnreadable, Reason

HERE = Path(__file__).parent
LOCK_MILLISECONDS = 5000  # the portal never holds up the ERP
NUMBER = re.compile(r"\((\d+)\) \(SQL\w+\)|\((\d+)\)")
# The server's own numbers say most; the same failure has different classes and states in the two drivers.
BY_NUMBER = {
    18456: Reason.WRONG_PASSWORD, 18452: Reason.WRONG_PASSWORD, 18486: Reason.WRONG_PASSWORD, 18487: Reason.PASSWORD_EXPIRED,
    18488: Reason.PASSWORD_EXPIRED, 4060: Reason.WRONG_SCHEMA, 911: Reason.WRONG_SCHEMA, 208: Reason.WRONG_SCHEMA,
    207: Reason.WRONG_SCHEMA, 229: Reason.NOT_PERMITTED, 230: Reason.NOT_PERMITTED, 916: Reason.NOT_PERMITTED,
    20004: Reason.DROPPED, 20006: Reason.DROPPED, 20017: Reason.DROPPED, 20047: Reason.DROPPED,  # FreeTDS's own
    1205: Reason.BUSY, 1222: Reason.BUSY, 3960: Reason.BUSY, 601: Reason.BUSY,
}  # fmt: skip
BY_STATE = {
    "28000": Reason.WRONG_PASSWORD, "42S02": Reason.WRONG_SCHEMA, "42S22": Reason.WRONG_SCHEMA, "IM002": Reason.DRIVER_MISSING,
    "IM003": Reason.DRIVER_MISSING,
}  # fmt: skip
ISOLATION = {"snapshot": "SNAPSHOT", "read_committed": "READ COMMITTED", "nolock": "READ UNCOMMITTED"}


@dataclass(frozen=True)
class MssqlAddress:
    """Where and as whom; `driver` is a name from odbcinst.ini or the path of a library."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    driver: str
    encrypt: bool = True
    check_certificate: bool = True
    schema: str = "dbo"
    isolation: str = "auto"
    connect_seconds: Decimal = Decimal(10)
    patience_seconds: Decimal = Decimal(120)

    @property
    def free(self) -> bool:
        """FreeTDS, whose words differ."""
        return "freetds" in self.driver.lower() or "tdsodbc" in self.driver.lower()

    def words(self) -> str:
        """The connection string. What people chose is braced: a password may hold any sign."""
        theirs = {"DRIVER": self.driver, "UID": self.user, "PWD": self.password, "DATABASE": self.database}
        ours = self._free_words() if self.free else self._microsofts_words()
        braced = [f"{name}={{{value.replace('}', '}}')}}}" for name, value in theirs.items()]
        return ";".join([*braced, "APP=Emanet", *ours])

    def _free_words(self) -> tuple[str, ...]:
        """It checks no certificate unless its own configuration file says which to trust."""
        encryption = "require" if self.encrypt else "off"
        return (
            f"SERVER={self.host}",
            f"PORT={self.port}",
            "TDS_Version=7.4",
            "ClientCharset=UTF-8",
            f"Encryption={encryption}",
        )

    def _microsofts_words(self) -> tuple[str, ...]:
        encrypt, trust = ("yes" if wish else "no" for wish in (self.encrypt, not self.check_certificate))
        return (
            f"SERVER=tcp:{self.host},{self.port}", "ApplicationIntent=ReadOnly", f"Encrypt={encrypt}", f"TrustServerCertificate={trust}",
        )  # fmt: skip


class MssqlLine:
    """One connection; one snapshot where the database allows it."""

    def __init__(self, address: MssqlAddress) -> None:
        self.odbc = _driver()
        _knock(address)
        try:
            self.connection = self.odbc.connect(
                address.words(), autocommit=False, readonly=True, timeout=max(1, int(address.connect_seconds))
            )
            self.connection.timeout = max(1, int(address.patience_seconds))
        except self.odbc.Error as no:
            raise _unreadable(no, signed_in=False) from no
        try:
            self._settle(address.isolation)
        except LedgerUnreadable:
            self.close()
            raise

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[list[Row]]:
        """The answer, some thousands of rows at a time."""
        cursor = self._say(sql, values)
        try:
            while some := self._fetched(cursor):
                yield some
        finally:
            with contextlib.suppress(self.odbc.Error):
                cursor.close()

    def close(self) -> None:
        """Give up the snapshot and hang up."""
        for last in (self.connection.rollback, self.connection.close):
            with contextlib.suppress(self.odbc.Error):
                last()

    def _settle(self, isolation: str) -> None:
        """NOLOCK would give wrong sums that look right: it has to be asked for by name."""
        self._say(f"SET LOCK_TIMEOUT {LOCK_MILLISECONDS}").close()
        if isolation == "auto":
            found = all_rows(self, (HERE / "snapshot.sql").read_text())
            isolation = "snapshot" if found and int(found[0][0] or 0) == 1 else "read_committed"
            # The level may not be changed inside a transaction that has begun to read.
            self.connection.rollback()
        self._say(f"SET TRANSACTION ISOLATION LEVEL {ISOLATION[isolation]}").close()

    def _say(self, sql: str, values: Sequence[Any] = ()) -> Any:
        try:
            cursor = self.connection.cursor()
            cursor.execute(sql, *values)
        except self.odbc.Error as no:
            raise _unreadable(no, signed_in=True) from no
        return cursor

    def _fetched(self, cursor: Any) -> list[Row]:
        try:
            found: list[Row] = cursor.fetchmany(AT_ONCE)
        except self.odbc.Error as no:
            raise _unreadable(no, signed_in=True) from no
        return found


def _driver() -> Any:
    try:
        import pyodbc
    except ImportError as missing:
        # The wheel brings no driver manager: Debian has it as libodbc2.
        where = "libodbc2 (unixODBC)" if "libodbc" in str(missing) else "pyodbc"
        raise LedgerUnreadable(Reason.DRIVER_MISSING, clue=str(missing), where=where) from missing
    return pyodbc


def _knock(address: MssqlAddress) -> None:
    """Microsoft's driver waits its whole time-out for a closed port and a name nobody knows, and calls both a time-out."""
    try:
        socket.create_connection((address.host, address.port), timeout=float(address.connect_seconds)).close()
    except socket.gaierror as no:
        raise LedgerUnreadable(Reason.UNKNOWN_HOST, clue=str(no.errno)) from no
    except TimeoutError as no:
        raise LedgerUnreadable(Reason.CONNECT_TIMEOUT, clue="connect") from no
    except OSError as no:
        raise LedgerUnreadable(Reason.UNREACHABLE, clue=str(no.errno)) from no


def reason_of(state: str, words: str, *, signed_in: bool) -> Reason:
    """By the server's number, then by SQLSTATE, then by the driver's words."""
    numbers = [int(first or second) for first, second in NUMBER.findall(words)]
    known = next((BY_NUMBER[number] for number in numbers if number in BY_NUMBER), None)
    if known or state in BY_STATE:
        return known or BY_STATE[state]
    said = words.lower()
    if "can't open lib" in said:
        return Reason.DRIVER_MISSING
    if any(word in said for word in ("certificate", "ssl", "tls", "encryption")):
        return Reason.TLS
    if state in ("HYT00", "HYT01") or "timeout" in said or "timed out" in said:
        return Reason.TIMEOUT if signed_in else Reason.CONNECT_TIMEOUT
    if state.startswith("08") or "dead" in said or "not connected" in said:
        return Reason.DROPPED if signed_in else Reason.NOT_A_DATABASE
    return Reason.REFUSED


def _unreadable(no: Any, *, signed_in: bool) -> LedgerUnreadable:
    state = str(no.args[0]) if no.args else ""
    words = str(no.args[1]) if len(no.args) > 1 else str(no)
    reason = reason_of(state, words, signed_in=signed_in)
    # The driver's words name hosts, users and tables: they are for our log.
    logger.warning("mssql: {} {}: {}", reason.value, state, words[:300])
    number = NUMBER.search(words)
    return LedgerUnreadable(reason, clue=f"{state} {number.group() if number else ''}".strip())

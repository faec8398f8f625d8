"""SAP HANA through SAP's own driver (facts: ERP §4). The driver is loaded only when somebody connects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from loguru import logger

from portal.integrations.erp.line import AT_ONCE, Row
from portal.receivables.ports import LedgerUnreadable, Reason

# By the driver's own words where the number is the same for everything (-10709).
AT_THE_DOOR = (
    ("Connection reset", Reason.DROPPED),
    ("RTE:[89013]", Reason.DROPPED),
    ("RTE:[89006]", Reason.UNREACHABLE),
    ("RTE:[89001]", Reason.UNKNOWN_HOST),
    ("connect timeout expired", Reason.CONNECT_TIMEOUT),
    ("RTE:[89012]", Reason.CONNECT_TIMEOUT),
    ("RTE:[3000", Reason.TLS),
    ("RTE:[2001", Reason.NOT_A_DATABASE),
)
BY_NUMBER = {
    10: Reason.WRONG_PASSWORD, 414: Reason.PASSWORD_EXPIRED, 416: Reason.WRONG_PASSWORD,
    258: Reason.NOT_PERMITTED,
    259: Reason.WRONG_SCHEMA, 260: Reason.WRONG_SCHEMA, 362: Reason.WRONG_SCHEMA,
    131: Reason.BUSY, 133: Reason.BUSY, 138: Reason.BUSY, 4: Reason.BUSY, 1024: Reason.DROPPED, 613: Reason.TIMEOUT,
}  # fmt: skip
LINE_DOWN = (-10807, -10806, -10108)


@dataclass(frozen=True)
class HanaAddress:
    """Where and as whom. `trust` is a certificate file; without one the system's are trusted.

    `patience_seconds` bounds every single receive, sign-in included.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    schema: str
    encrypt: bool = True
    check_certificate: bool = True
    trust: str = ""
    host_in_certificate: str = ""
    connect_seconds: Decimal = Decimal(10)
    patience_seconds: Decimal = Decimal(120)

    def words(self) -> dict[str, Any]:
        """The driver ignores words it does not know, so every one of these is checked by a test against a server."""
        said: dict[str, Any] = {
            "address": self.host, "port": self.port, "user": self.user, "password": self.password,
            "autocommit": False, "encrypt": self.encrypt, "sslValidateCertificate": self.check_certificate,
            "connectTimeout": int(self.connect_seconds * 1000), "communicationTimeout": int(self.patience_seconds * 1000),
        }  # fmt: skip
        if self.trust:
            said["sslTrustStore"] = self.trust
        if self.host_in_certificate:
            said["sslHostNameInCertificate"] = self.host_in_certificate
        return said


class HanaLine:
    """One connection with one snapshot: what is asked first and what is asked last see the same ledger."""

    def __init__(self, address: HanaAddress) -> None:
        self.dbapi = _driver()
        try:
            self.connection = self.dbapi.connect(**address.words())
        except self.dbapi.Error as no:
            raise _unreadable(no, signed_in=False) from no
        try:
            for wish in ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET TRANSACTION READ ONLY"):
                self._say(wish)
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
            with contextlib.suppress(self.dbapi.Error):
                cursor.close()

    def close(self) -> None:
        """Give up the snapshot and hang up."""
        for last in (self.connection.rollback, self.connection.close):
            with contextlib.suppress(self.dbapi.Error):
                last()

    def _say(self, sql: str, values: Sequence[Any] = ()) -> Any:
        try:
            cursor = self.connection.cursor()
            cursor.execute(sql, tuple(values)) if values else cursor.execute(sql)
        except self.dbapi.Error as no:
            raise _unreadable(no, signed_in=True) from no
        return cursor

    def _fetched(self, cursor: Any) -> list[Row]:
        try:
            found: list[Row] = cursor.fetchmany(AT_ONCE)
        except self.dbapi.Error as no:
            raise _unreadable(no, signed_in=True) from no
        return found


def _driver() -> Any:
    try:
        from hdbcli import dbapi
    except ImportError as missing:
        raise LedgerUnreadable(Reason.DRIVER_MISSING, clue=str(missing), where="hdbcli") from missing
    return dbapi


def reason_of(number: int, words: str, *, signed_in: bool) -> Reason:
    """The class of hdbcli's errors says little; the number says more, and at the door only the words do."""
    if number in BY_NUMBER:
        return BY_NUMBER[number]
    if number in LINE_DOWN or (number == 0 and signed_in):
        # The driver gives a time-out the number of a broken line.
        return Reason.TIMEOUT if "timeout" in words.lower() else Reason.DROPPED
    door = next((reason for mark, reason in AT_THE_DOOR if mark in words), None)
    if number == -10709:
        return door or Reason.UNREACHABLE
    return Reason.REFUSED


def _unreadable(no: Any, *, signed_in: bool) -> LedgerUnreadable:
    number, words = int(getattr(no, "errorcode", 0) or 0), str(getattr(no, "errortext", "") or no)
    reason = reason_of(number, words, signed_in=signed_in)
    # The driver's words name hosts and tables: they are for our log.
    logger.warning("hana: {} {}: {}", reason.value, number, words[:300])
    return LedgerUnreadable(reason, clue=str(number))

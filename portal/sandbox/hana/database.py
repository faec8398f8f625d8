"""What stands behind the counter: one PostgreSQL session for one client's session."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import ExecStatus

from portal.sandbox.hana import dialect
from portal.sandbox.hana.values import Column, packer

FIRST_ROWS = 500  # go with the answer itself; the rest is fetched


class NotUnderstood(Exception):
    """The statement was refused: HANA's number and words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@dataclass
class Statement:
    """A question somebody prepared."""

    sql: str
    parameters: list[Column]
    columns: list[Column]


@dataclass
class Answer:
    """Rows on their way: read from PostgreSQL as they are asked for."""

    cursor: psycopg.RawServerCursor[Any]
    columns: list[Column]
    over: bool = False

    def rows(self, count: int) -> tuple[bytes, int]:
        """The next rows, written as the client reads them, and how many they are."""
        found = self.cursor.fetchmany(count)
        self.over = len(found) < count
        packers = [packer(column) for column in self.columns]
        return b"".join([write(value) for row in found for write, value in zip(packers, row, strict=True)]), len(found)


class Session:
    """A client's transaction, schema and open answers. Nobody writes here: everything is read only."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(
            url, autocommit=False, options="-c default_transaction_read_only=on -c jit=off"
        )
        self.schema = "public"
        self.level: psycopg.IsolationLevel | None = None
        self.serial = 0

    def understand(self, sql: str) -> Statement:
        """Have PostgreSQL describe the question and its answer."""
        text = dialect.translated(sql)
        link = self.connection.pgconn
        self._settle()
        prepared = link.prepare(b"", text.encode())
        if prepared.status != ExecStatus.COMMAND_OK:
            self._refuse(prepared)
        asked = link.describe_prepared(b"")
        if asked.status != ExecStatus.COMMAND_OK:
            self._refuse(asked)
        parameters = [Column.of("", asked.param_type(i), 4 + (28 << 16) + 6) for i in range(asked.nparams)]
        columns = [Column.of(_name(asked.fname(i)), asked.ftype(i), asked.fmod(i)) for i in range(asked.nfields)]
        return Statement(text, parameters, columns)

    def ask(self, statement: Statement, values: list[Any]) -> Answer:
        """Run it; rows come when they are fetched."""
        self._settle()
        self.serial += 1
        cursor = psycopg.RawServerCursor(self.connection, f"answer_{self.serial}")
        try:
            cursor.execute(statement.sql, values)
        except psycopg.Error as no:
            self.connection.rollback()
            raise NotUnderstood(*dialect.complaint(no.sqlstate, str(no).split("\n", 1)[0])) from no
        return Answer(cursor, statement.columns)

    def wish(self, what: str, value: str) -> None:
        """`SET SCHEMA`, `SET TRANSACTION`: kept for what comes."""
        if what == "SCHEMA":
            self.schema = value
        elif "REPEATABLE" in value.upper() or "SERIALIZABLE" in value.upper():
            self.level = psycopg.IsolationLevel.REPEATABLE_READ

    def finish(self, *, commit: bool) -> None:
        """The transaction is over, and with it the open answers."""
        if self.connection.closed:
            return
        (self.connection.commit if commit else self.connection.rollback)()
        self.level = None

    def close(self) -> None:
        """Gone."""
        self.connection.close()

    def _settle(self) -> None:
        """Begin a transaction as wished, and look for names where HANA would."""
        if self.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            self.connection.isolation_level = self.level
        self.connection.execute(
            psycopg.sql.SQL("SET LOCAL search_path TO {}, erp_words, public").format(
                psycopg.sql.Identifier(self.schema)
            )
        )

    def _refuse(self, result: Any) -> None:
        state = (result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b"").decode()
        words = (result.error_field(psycopg.pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode()
        self.connection.rollback()
        raise NotUnderstood(*dialect.complaint(state, words))


def _name(raw: bytes | None) -> str:
    """HANA writes names in capitals unless they were quoted; PostgreSQL made the unquoted ones small."""
    name = (raw or b"").decode()
    return name.upper() if name.islower() else name


def fetch_size(body: bytes) -> int:
    """How many rows the client would like."""
    return max(1, min(struct.unpack_from("<i", body)[0], 32767)) if len(body) >= 4 else 1000

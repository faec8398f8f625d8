"""What stands behind both counters: one PostgreSQL session for one client's session. Everything is read only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus


class NotUnderstood(Exception):
    """The statement was refused: the played database's number and words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


class Field(NamedTuple):
    """One column of an answer, as PostgreSQL describes it."""

    name: str
    oid: int
    modifier: int


@dataclass
class Statement:
    """A question somebody prepared; parameters by PostgreSQL's type numbers."""

    sql: str
    parameters: list[int]
    fields: list[Field]


@dataclass
class Answer:
    """Rows on their way: read from PostgreSQL as they are asked for."""

    cursor: psycopg.RawServerCursor[Any]
    over: bool = False

    def rows(self, count: int) -> list[tuple[Any, ...]]:
        """The next rows; fewer than asked for are the last."""
        found = self.cursor.fetchmany(count)
        self.over = len(found) < count
        return found


@dataclass(frozen=True)
class Dialect:
    """How one database's SQL is made PostgreSQL's, where it looks for names, and how it complains."""

    translated: Callable[[str], str]
    complaint: Callable[[str | None, str], tuple[int, str]]
    schemas: tuple[str, ...] = ()


class Session:
    """A client's transaction, schema and open answers."""

    def __init__(self, url: str, dialect: Dialect) -> None:
        self.dialect = dialect
        self.connection = psycopg.connect(
            url,
            autocommit=False,
            # Answers are read to their end: a plan made for the first rows takes minutes for all of them.
            options="-c default_transaction_read_only=on -c jit=off -c cursor_tuple_fraction=1",
        )
        self.schema: str | None = None
        self.snapshot = False
        self.serial = 0

    def understand(self, sql: str, oids: list[int] | None = None) -> Statement:
        """Have PostgreSQL describe the question and its answer. `oids`: what the parameters are, where that is known."""
        text = self.dialect.translated(sql)
        link = self.connection.pgconn
        self._settle()
        prepared = link.prepare(b"", text.encode(), oids or None)
        if prepared.status != ExecStatus.COMMAND_OK:
            self._refuse(prepared)
        asked = link.describe_prepared(b"")
        if asked.status != ExecStatus.COMMAND_OK:
            self._refuse(asked)
        fields = [Field((asked.fname(i) or b"").decode(), asked.ftype(i), asked.fmod(i)) for i in range(asked.nfields)]
        return Statement(text, [asked.param_type(i) for i in range(asked.nparams)], fields)

    def ask(self, statement: Statement, values: list[Any]) -> Answer:
        """Run it; rows come when they are fetched."""
        self._settle()
        self.serial += 1
        cursor = psycopg.RawServerCursor(self.connection, f"answer_{self.serial}")
        try:
            cursor.execute(statement.sql, values)
        except psycopg.Error as no:
            self.connection.rollback()
            raise NotUnderstood(*self.dialect.complaint(no.sqlstate, str(no).split("\n", 1)[0])) from no
        return Answer(cursor)

    def finish(self) -> None:
        """The transaction is over, and with it the open answers."""
        if not self.connection.closed:
            self.connection.rollback()

    def close(self) -> None:
        """Gone."""
        self.connection.close()

    def _settle(self) -> None:
        """Begin a transaction as wished, and look for names where the played database would."""
        if self.connection.info.transaction_status == TransactionStatus.IDLE:
            level = psycopg.IsolationLevel
            self.connection.isolation_level = level.REPEATABLE_READ if self.snapshot else level.READ_COMMITTED
        path = [self.schema] if self.schema else []
        names = [psycopg.sql.Identifier(name) for name in (*path, *self.dialect.schemas, "erp_words", "public")]
        self.connection.execute(
            psycopg.sql.SQL("SET LOCAL search_path TO {}").format(psycopg.sql.SQL(", ").join(names))
        )

    def _refuse(self, result: Any) -> None:
        state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        words = (result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"").decode()
        self.connection.rollback()
        raise NotUnderstood(*self.dialect.complaint(state, words))

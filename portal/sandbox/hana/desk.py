"""A signed-in client's questions: prepared, asked, fetched, forgotten."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from portal.sandbox.erp.database import Answer, Field, NotUnderstood, Session, Statement
from portal.sandbox.hana import wire
from portal.sandbox.hana.dialect import HANA, session_wish
from portal.sandbox.hana.values import Column, bound, described, packer, wanted
from portal.sandbox.hana.wire import Function, Kind, Message, Part, Request

FIRST_ROWS = 500  # go with the answer itself; the rest is fetched
MOST_ROWS = 32_767
INVALID_RESULT = 1024
DECIMAL_28_6 = 4 + (28 << 16) + 6
COMMITTED, ROLLED_BACK = (struct.pack("<bb?", flag, 28, True) for flag in (2, 1))

Said = tuple[Function, list[Part]]


@dataclass
class Asked:
    """A question with its columns as HANA would describe them."""

    statement: Statement
    parameters: list[Column]
    columns: list[Column]


@dataclass
class Open:
    """An answer that is being fetched."""

    answer: Answer
    packers: list[tuple[Callable[[Any], bytes], bytes]]


class Desk:
    """One session's transaction, statements and open answers."""

    def __init__(self, url: str) -> None:
        self.session = Session(url, HANA)
        self.statements: dict[bytes, Asked] = {}
        self.answers: dict[bytes, Open] = {}
        self.keys = count(1)

    def question(self, request: Request) -> Said:
        """EXECUTE_DIRECT, PREPARE or EXECUTE."""
        if request.message == Message.EXECUTE:
            asked = self.statements[request.body(Kind.STATEMENT_ID)]
            return Function.SELECT, self._asked(asked, bound(request.body(Kind.PARAMETERS), asked.parameters))
        sql = request.body(Kind.COMMAND).decode("utf-8", "surrogatepass")
        if wish := session_wish(sql):
            self._wish(*wish)
            return Function.DDL, []
        if request.commit and not self.answers:
            self.session.finish()  # nobody wants a snapshot: look at what is there now
        asked = self._understood(sql)
        head = Part(Kind.RESULT_SET_METADATA, described(asked.columns), len(asked.columns))
        if request.message == Message.EXECUTE_DIRECT:
            return Function.SELECT, [head, *self._asked(asked, [])]
        return Function.SELECT, [*self._prepared(asked), head]

    def fetch(self, request: Request, *, end: bool = False) -> Said:
        """The next rows. `end`: say that there are no more, whatever is left."""
        key = request.body(Kind.RESULT_SET_ID)
        if key not in self.answers:
            raise NotUnderstood(INVALID_RESULT, "session error: invalid result set")
        size = request.body(Kind.FETCH_SIZE)
        wish = max(1, min(struct.unpack_from("<i", size)[0], MOST_ROWS)) if len(size) >= 4 else FIRST_ROWS
        return Function.FETCH, [self._rows(key, 0 if end else wish)]

    def finish(self, request: Request) -> Said:
        """COMMIT or ROLLBACK: nothing was written, so both only let the snapshot go."""
        self.session.finish()
        self.session.snapshot = False
        self.answers.clear()
        if request.message == Message.COMMIT:
            return Function.COMMIT, [Part(Kind.TRANSACTION_FLAGS, COMMITTED)]
        return Function.ROLLBACK, [Part(Kind.TRANSACTION_FLAGS, ROLLED_BACK)]

    def forget(self, request: Request) -> Said:
        """CLOSE_RESULT_SET or DROP_STATEMENT."""
        if found := self.answers.pop(request.body(Kind.RESULT_SET_ID), None):
            found.answer.cursor.close()
        self.statements.pop(request.body(Kind.STATEMENT_ID), None)
        return Function.CLOSE_CURSOR, []

    def close(self) -> None:
        """The client is gone."""
        self.session.close()

    def _wish(self, what: str, value: str) -> None:
        if what == "SCHEMA":
            self.session.schema = value
        elif "REPEATABLE" in value.upper() or "SERIALIZABLE" in value.upper():
            self.session.snapshot = True

    def _understood(self, sql: str) -> Asked:
        statement = self.session.understand(sql)
        parameters = [Column.of("", oid, DECIMAL_28_6) for oid in statement.parameters]
        return Asked(statement, parameters, [_column(field) for field in statement.fields])

    def _prepared(self, asked: Asked) -> list[Part]:
        key = struct.pack("<q", next(self.keys))
        self.statements[key] = asked
        parts = [Part(Kind.STATEMENT_ID, key)]
        if asked.parameters:
            parts.append(Part(Kind.PARAMETER_METADATA, wanted(asked.parameters), len(asked.parameters)))
        return parts

    def _asked(self, asked: Asked, values: list[Any]) -> list[Part]:
        answer = self.session.ask(asked.statement, values)
        key = struct.pack("<q", next(self.keys))
        self.answers[key] = Open(answer, [packer(column) for column in asked.columns])
        return [Part(Kind.RESULT_SET_ID, key), self._rows(key, FIRST_ROWS)]

    def _rows(self, key: bytes, wish: int) -> Part:
        found = self.answers[key]
        rows = found.answer.rows(wish) if wish else []
        body = b"".join(
            [
                nothing if value is None else write(value)
                for row in rows
                for (write, nothing), value in zip(found.packers, row, strict=True)
            ]
        )
        attributes = 0 if rows else wire.NO_ROW
        if found.answer.over or not wish:
            attributes |= wire.LAST | wire.CLOSED
            self.answers.pop(key).answer.cursor.close()
        return Part(Kind.RESULT_SET, body, len(rows), attributes)


def _column(field: Field) -> Column:
    """HANA writes names in capitals unless they were quoted; PostgreSQL made the unquoted ones small."""
    return Column.of(field.name.upper() if field.name.islower() else field.name, field.oid, field.modifier)

"""The counter: takes connections, speaks TDS, and goes wrong on request."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from portal.sandbox.erp.database import Answer, NotUnderstood, Session, Statement
from portal.sandbox.faults import Mishaps
from portal.sandbox.tds import wire
from portal.sandbox.tds.dialect import ENDING, HOUSEKEEPING, SNAPSHOT, SQL_SERVER
from portal.sandbox.tds.values import Reader, described, handle, kind_of, row
from portal.sandbox.tds.wire import HungUp, Packet, Wire

WRONG_PASSWORD, NO_DATABASE, NO_PERMISSION, NO_PROCEDURE = 18456, 4060, 229, 2812
ENCRYPT_OFF, ENCRYPT_ON, ENCRYPT_NONE = 0, 1, 2
AT_ONCE = 2_000
PROCEDURES = {10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 15: "sp_unprepare"}
OIDS: dict[type, int] = {datetime: 1114, date: 1082, Decimal: 1700, int: 20, float: 701, str: 25}
ATTENDED = 0x20


class TdsCounter:
    """The server, on threads of its own. Port 0 takes any free one; `port` then says which."""

    def __init__(
        self, database_url: Callable[[], str], faults: Mishaps, *, port: int = 0, user: str, password: str, database: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.database_url, self.faults = database_url, faults
        self.user, self.password, self.database, self.tls = user, password, database, tls
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._listen, name="tds", daemon=True).start()

    def _listen(self) -> None:
        while True:
            line, _from = self.listener.accept()
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(HungUp, OSError), contextlib.closing(line):
            Conversation(self, Wire(line)).hold()


class Conversation:
    """One client, from its first word to its last."""

    def __init__(self, counter: TdsCounter, line: Wire) -> None:
        self.counter, self.wire = counter, line
        self.session: Session | None = None
        self.statements: dict[int, Statement] = {}
        self.numbers = count(1)

    def hold(self) -> None:
        """Answer until they go."""
        try:
            while True:
                kind, body = self.wire.read()
                match kind:
                    case Packet.PRELOGIN:
                        self._greet(body)
                    case Packet.LOGIN:
                        self.wire.write(self._sign_in(body))
                    case Packet.ATTENTION:
                        self.wire.write(wire.done(ATTENDED))
                    case _:
                        self._serve(kind, body)
        finally:
            if self.session is not None:
                self.session.close()

    def _greet(self, body: bytes) -> None:
        wish = _encryption(body)
        ours = ENCRYPT_ON if self.counter.tls else ENCRYPT_NONE
        options = [(0, b"\x10\x00\x10\x00\x00\x00"), (1, bytes([ours])), (2, b"\x00"), (3, b""), (4, b"\x00")]
        at, heads = 5 * len(options) + 1, b""
        for kind, value in options:
            heads += struct.pack(">BHH", kind, at, len(value))
            at += len(value)
        self.wire.write(heads + b"\xff" + b"".join(value for _kind, value in options))
        if self.counter.tls and wish != ENCRYPT_NONE:
            self.wire.encrypt(self.counter.tls)
        elif self.counter.tls:
            raise HungUp

    def _sign_in(self, body: bytes) -> bytes:
        if fault := self.counter.faults.take("tds", "sign_in"):
            if fault.mode == "refuse":
                return wire.error(fault.code or WRONG_PASSWORD, "Sign-in refused.", severity=14)
            if fault.mode in ("malformed", "error_500", "error_500_after_effect"):
                raise HungUp
            time.sleep(fault.seconds)
        said = [_login_text(body, at) for at in (40, 44, 68)]
        user, password, database = said[0], _clear(body, 44), said[2]
        if (user.upper(), password) != (self.counter.user.upper(), self.counter.password):
            return wire.error(WRONG_PASSWORD, f"Login failed for user '{user}'.", severity=14)
        if database.upper() != self.counter.database.upper():
            return wire.error(NO_DATABASE, f'Cannot open database "{database}" requested by the login.', severity=11)
        self.session = Session(self.counter.database_url(), SQL_SERVER)
        return wire.signed_in(database)

    def _serve(self, kind: int, body: bytes) -> None:
        if self.session is None:
            raise HungUp
        try:
            for some in self._answered(kind, body):
                self.wire.write(some)
        except NotUnderstood as no:
            self.wire.write(wire.error(no.code, no.words))

    def _answered(self, kind: int, body: bytes) -> Iterator[bytes]:
        reader = Reader(body, int.from_bytes(body[:4], "little"))  # behind the headers
        if kind == Packet.TRANSACTION:
            yield self._transaction(reader.number(2))
        elif kind == Packet.RPC:
            yield from self._procedure(reader)
        else:
            yield from self._batch(body[reader.at :].decode("utf-16-le"))

    def _transaction(self, wish: int) -> bytes:
        assert self.session is not None
        self.session.finish()
        name = bytes([8]) + struct.pack("<Q", 1)
        match wish:
            case 5:
                return wire.changed(8, name, b"\x00") + wire.done()
            case 7 | 8:
                return wire.changed(9 if wish == 7 else 10, b"\x00", name) + wire.done()
        return wire.done()

    def _batch(self, sql: str) -> Iterator[bytes]:
        assert self.session is not None
        if HOUSEKEEPING.match(sql):
            if SNAPSHOT.search(sql):
                self.session.snapshot = True
            if ENDING.search(sql):
                self.session.finish()
            yield wire.done()
            return
        yield self._told(self.session.understand(sql), [], wire.done)

    def _procedure(self, reader: Reader) -> Iterator[bytes]:
        assert self.session is not None
        size = reader.number(2)
        name = PROCEDURES.get(reader.number(2), "") if size == 0xFFFF else reader.take(size * 2).decode("utf-16-le")
        reader.take(2)
        said: list[Any] = []
        while not reader.over:
            reader.name()
            reader.take(1)
            said.append(reader.value())
        match name.lower():
            case "sp_executesql":
                yield self._told(self._understood(said[0], said[2:]), said[2:], _done_proc)
            case "sp_prepexec":
                number, statement = next(self.numbers), self._understood(said[2], said[3:])
                self.statements[number] = statement
                yield self._told(statement, said[3:], lambda status, rows: _done_proc(status, rows, handle(number)))
            case "sp_prepare":
                number = next(self.numbers)
                self.statements[number] = self._understood(said[2], [])
                yield _done_proc(0, 0, handle(number))
            case "sp_execute":
                yield self._told(self.statements[said[0]], said[1:], _done_proc)
            case "sp_unprepare":
                self.statements.pop(said[0], None)
                yield _done_proc(0, 0)
            case _:
                raise NotUnderstood(NO_PROCEDURE, f"Could not find stored procedure '{name}'.")

    def _understood(self, sql: str, values: list[Any]) -> Statement:
        assert self.session is not None
        return self.session.understand(sql, [OIDS.get(type(value), 25) for value in values])

    def _told(self, statement: Statement, values: list[Any], finish: Callable[[int, int], bytes]) -> bytes:
        """Rows, whole: what cannot be said to the end must not look like an answer."""
        assert self.session is not None
        fault = self.counter.faults.take("tds", "query")
        if fault and fault.mode in ("refuse", "error_500"):
            raise NotUnderstood(fault.code or NO_PERMISSION, "Refused.")
        if fault and fault.mode == "error_500_after_effect":
            raise HungUp
        if fault and fault.mode in ("slow", "timeout_before_effect", "timeout_after_effect"):
            self._dawdle(fault.seconds)
        said = _rows(self.session.ask(statement, values), statement, finish)
        if fault and fault.mode == "malformed":
            self.wire.break_off(said)
        return said

    def _dawdle(self, seconds: float) -> None:
        """Say nothing for a while, unless the client loses its patience and says so."""
        ready, _w, _x = select.select([self.wire.line], [], [], min(seconds, 120))
        if ready:
            kind, _body = self.wire.read()
            if kind == Packet.ATTENTION:
                self.wire.write(wire.done(ATTENDED))
            raise HungUp


def _rows(answer: Answer, statement: Statement, finish: Callable[[int, int], bytes]) -> bytes:
    kinds = [kind_of(field) for field in statement.fields]
    said, rows = [described(statement.fields)], 0
    while not answer.over:
        some = answer.rows(AT_ONCE)
        rows += len(some)
        said += [row(kinds, values) for values in some]
    answer.cursor.close()
    return b"".join(said) + finish(0x10, rows)


def _done_proc(status: int, rows: int, more: bytes = b"") -> bytes:
    """DONEINPROC for the rows, the return status, what is returned, DONEPROC."""
    counted = wire.done(status | 0x01, rows, kind=0xFF) if status else b""
    return counted + b"\x79" + struct.pack("<i", 0) + more + wire.done(kind=0xFE)


def _encryption(body: bytes) -> int:
    at = 0
    while body[at] != 0xFF:
        kind, offset, _length = struct.unpack_from(">BHH", body, at)
        if kind == 1:
            return int(body[offset])
        at += 5
    return ENCRYPT_NONE


def _login_text(body: bytes, at: int) -> str:
    offset, length = struct.unpack_from("<HH", body, at)
    return body[offset : offset + length * 2].decode("utf-16-le", "replace")


def _clear(body: bytes, at: int) -> str:
    """Passwords come with their half-bytes changed over: that hides them from nobody."""
    offset, length = struct.unpack_from("<HH", body, at)
    raw = bytes(((byte ^ 0xA5) << 4 | (byte ^ 0xA5) >> 4) & 0xFF for byte in body[offset : offset + length * 2])
    return raw.decode("utf-16-le", "replace")

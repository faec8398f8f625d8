"""The counter: takes connections, speaks HANA's protocol, and goes wrong on request."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from itertools import count

from portal.sandbox.faults import Fault, Mishaps, hang
from portal.sandbox.hana import wire
from portal.sandbox.hana.database import FIRST_ROWS, Answer, NotUnderstood, Session, Statement, fetch_size
from portal.sandbox.hana.dialect import session_wish
from portal.sandbox.hana.sign_in import SignIn, WrongPassword
from portal.sandbox.hana.values import bound, described, wanted
from portal.sandbox.hana.wire import Function, HungUp, Kind, Message, Part, Request

AUTHENTICATION_FAILED = 10
CONNECT_OPTIONS = b"".join(
    (
        struct.pack("<bbi", 12, 3, 8),  # data format: every type
        struct.pack("<bbi", 23, 3, 8),
        struct.pack("<bb?", 2, 28, True),  # whole arrays at once
    )
)
COMMITTED = struct.pack("<bb?", 2, 28, True)
ROLLED_BACK = struct.pack("<bb?", 1, 28, True)


class HanaCounter:
    """The server, on threads of its own. Port 0 takes any free one; `port` then says which."""

    def __init__(
        self,
        database_url: Callable[[], str],
        faults: Mishaps,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str,
        password: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.database_url, self.faults = database_url, faults
        self.user, self.password, self.tls = user, password, tls
        self.sessions = count(1)
        self.listener = socket.create_server((host, port))
        self.port = int(self.listener.getsockname()[1])
        self.lines: set[socket.socket] = set()
        threading.Thread(target=self._listen, name="hana", daemon=True).start()

    def stop(self) -> None:
        """Close the counter and hang up on everybody."""
        for line in (self.listener, *self.lines):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _listen(self) -> None:
        while True:
            try:
                line, _from = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines.add(line)
        try:
            if self.tls is not None:
                line = self.tls.wrap_socket(line, server_side=True)
                self.lines.add(line)
            Conversation(self, line).hold()
        except (HungUp, OSError):
            pass
        finally:
            self.lines.discard(line)
            line.close()


class Conversation:
    """One client, from hello to goodbye."""

    def __init__(self, counter: HanaCounter, line: socket.socket) -> None:
        self.counter, self.line = counter, line
        self.number = 0  # our session; 0 until they are signed in
        self.sign_in = SignIn(counter.user, counter.password)
        self.session: Session | None = None
        self.statements: dict[bytes, Statement] = {}
        self.answers: dict[bytes, Answer] = {}
        self.keys = count(1)

    def hold(self) -> None:
        """Answer until they go."""
        hello = wire.take(self.line, 14)
        self.line.sendall(hello[4:12])
        try:
            while True:
                request = wire.read(self.line)
                try:
                    reply = self._answer(request)
                except NotUnderstood as no:
                    self.answers.clear()
                    reply = wire.error(self.number, request.number, no.code, no.words)
                except WrongPassword:
                    reply = wire.error(0, request.number, AUTHENTICATION_FAILED, "authentication failed")
                self.line.sendall(reply)
                if request.message == Message.DISCONNECT:
                    return
        finally:
            if self.session is not None:
                self.session.close()

    def _answer(self, request: Request) -> bytes:
        match request.message:
            case Message.AUTHENTICATE:
                said = self.sign_in.begin(wire.read_fields(request.body(Kind.AUTHENTICATION)))
                return self._reply(request, Function.NIL, Part(Kind.AUTHENTICATION, wire.fields(said)))
            case Message.CONNECT:
                return self._connect(request)
        if self.session is None:
            raise HungUp
        match request.message:
            case Message.EXECUTE_DIRECT | Message.PREPARE | Message.EXECUTE:
                return self._mishap("query", request, lambda: self._question(request))
            case Message.FETCH_NEXT:
                return self._mishap("fetch", request, lambda: self._fetch(request))
            case Message.COMMIT | Message.ROLLBACK:
                return self._end(request)
            case Message.CLOSE_RESULT_SET:
                self.answers.pop(request.body(Kind.RESULT_SET_ID), None)
                return self._reply(request, Function.CLOSE_CURSOR)
            case Message.DROP_STATEMENT:
                self.statements.pop(request.body(Kind.STATEMENT_ID), None)
        return self._reply(request, Function.DISCONNECT if request.message == Message.DISCONNECT else Function.NIL)

    def _reply(self, request: Request, function: int, *parts: Part) -> bytes:
        return wire.reply(self.number, request.number, function, list(parts))

    def _connect(self, request: Request) -> bytes:
        fault = self.counter.faults.take("hana", "sign_in")
        if fault is not None:
            if fault.mode == "refuse":
                raise WrongPassword
            if fault.mode in ("malformed", "error_500"):
                raise HungUp
            hang(fault.seconds)
        said = self.sign_in.finish(wire.read_fields(request.body(Kind.AUTHENTICATION)))
        self.session, self.number = Session(self.counter.database_url()), next(self.counter.sessions)
        options = Part(Kind.CONNECT_OPTIONS, CONNECT_OPTIONS, 3)
        return self._reply(request, Function.CONNECT, Part(Kind.AUTHENTICATION, wire.fields(said)), options)

    def _mishap(self, operation: str, request: Request, act: Callable[[], bytes]) -> bytes:
        fault = self.counter.faults.take("hana", operation)
        if fault is None:
            return act()
        return self._broken(fault, operation, request, act)

    def _broken(self, fault: Fault, operation: str, request: Request, act: Callable[[], bytes]) -> bytes:
        match fault.mode:
            case "refuse":
                raise NotUnderstood(fault.code or 258, "insufficient privilege: Not authorized")
            case "error_500":
                raise NotUnderstood(fault.code or 2048, "column store error: search table error")
            case "error_500_after_effect":
                raise HungUp
            case "malformed" if operation == "fetch":
                # All looks well, but half of the rows never come: the client is told that this was the end.
                return self._fetch(request, end=True)
            case "malformed":
                whole = act()
                self.line.sendall(whole[: max(40, len(whole) // 2)])
                raise HungUp
        hang(fault.seconds)
        return act()

    def _question(self, request: Request) -> bytes:
        assert self.session is not None
        if request.message == Message.EXECUTE:
            statement = self.statements[request.body(Kind.STATEMENT_ID)]
            return self._rows(request, statement, bound(request.body(Kind.PARAMETERS), statement.parameters))
        sql = request.body(Kind.COMMAND).decode("utf-8", "surrogatepass")
        if wish := session_wish(sql):
            self.session.wish(*wish)
            return self._reply(request, Function.DDL)
        if request.commit and not self.answers:
            self.session.finish(commit=False)  # nobody asked for a snapshot: look at what is there now
        statement = self.session.understand(sql)
        if request.message == Message.EXECUTE_DIRECT:
            return self._rows(request, statement, [])
        key = struct.pack("<q", next(self.keys))
        self.statements[key] = statement
        parts = [Part(Kind.STATEMENT_ID, key)]
        if statement.parameters:
            parts.append(Part(Kind.PARAMETER_METADATA, wanted(statement.parameters), len(statement.parameters)))
        parts.append(Part(Kind.RESULT_SET_METADATA, described(statement.columns), len(statement.columns)))
        return self._reply(request, Function.SELECT, *parts)

    def _rows(self, request: Request, statement: Statement, values: list[object]) -> bytes:
        assert self.session is not None
        answer = self.session.ask(statement, values)
        key = struct.pack("<q", next(self.keys))
        rows = self._packed(answer, key, FIRST_ROWS)
        head = [Part(Kind.RESULT_SET_METADATA, described(statement.columns), len(statement.columns))]
        if request.message == Message.EXECUTE:
            head = []  # said already, when it was prepared
        return self._reply(request, Function.SELECT, *head, Part(Kind.RESULT_SET_ID, key), rows)

    def _fetch(self, request: Request, *, end: bool = False) -> bytes:
        key = request.body(Kind.RESULT_SET_ID)
        answer = self.answers.get(key)
        if answer is None:
            raise NotUnderstood(1024, "session error: invalid result set")
        answer.over = answer.over or end
        return self._reply(
            request, Function.FETCH, self._packed(answer, key, fetch_size(request.body(Kind.FETCH_SIZE)), end=end)
        )

    def _packed(self, answer: Answer, key: bytes, wish: int, *, end: bool = False) -> Part:
        body, rows = (b"", 0) if end else answer.rows(wish)
        if answer.over:
            answer.cursor.close()
            self.answers.pop(key, None)
        else:
            self.answers[key] = answer
        return Part(Kind.RESULT_SET, body, rows, (ALL_OF_IT if answer.over else 0) | (0 if rows else wire.NO_ROW))

    def _end(self, request: Request) -> bytes:
        assert self.session is not None
        commit = request.message == Message.COMMIT
        self.session.finish(commit=commit)
        self.answers.clear()
        flags = Part(Kind.TRANSACTION_FLAGS, COMMITTED if commit else ROLLED_BACK)
        return self._reply(request, Function.COMMIT if commit else Function.ROLLBACK, flags)


ALL_OF_IT = wire.LAST | wire.CLOSED

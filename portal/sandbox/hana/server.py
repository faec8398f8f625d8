"""The counter: takes connections, speaks HANA's protocol, and goes wrong on request."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from itertools import count

from portal.sandbox.erp.database import NotUnderstood
from portal.sandbox.faults import Fault, Mishaps, hang
from portal.sandbox.hana import wire
from portal.sandbox.hana.desk import Desk, Said
from portal.sandbox.hana.sign_in import SignIn, WrongPassword
from portal.sandbox.hana.wire import Function, HungUp, Kind, Message, Part, Request

AUTHENTICATION_FAILED, NOT_AUTHORIZED, COLUMN_STORE = 10, 258, 2048
CONNECT_OPTIONS = b"".join(
    (
        struct.pack("<bbi", 12, 3, 8),  # data format: every type
        struct.pack("<bbi", 23, 3, 8),
        struct.pack("<bb?", 2, 28, True),  # whole arrays at once
    )
)


class HanaCounter:
    """The server, on threads of its own. Port 0 takes any free one; `port` then says which."""

    def __init__(
        self,
        database_url: Callable[[], str],
        faults: Mishaps,
        *,
        port: int = 0,
        user: str,
        password: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.database_url, self.faults = database_url, faults
        self.user, self.password, self.tls = user, password, tls
        self.sessions = count(1)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._listen, name="hana", daemon=True).start()

    def _listen(self) -> None:
        while True:
            line, _from = self.listener.accept()
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(HungUp, OSError), contextlib.closing(line):
            if self.tls is None:
                Conversation(self, line).hold()
                return
            with self.tls.wrap_socket(line, server_side=True) as private:
                Conversation(self, private).hold()


class Conversation:
    """One client, from hello to goodbye."""

    def __init__(self, counter: HanaCounter, line: socket.socket) -> None:
        self.counter, self.line = counter, line
        self.number = 0  # our session; 0 until they are signed in
        self.sign_in = SignIn(counter.user, counter.password)
        self.desk: Desk | None = None

    def hold(self) -> None:
        """Answer until they go."""
        hello = wire.take(self.line, 14)
        self.line.sendall(hello[4:12])
        try:
            while True:
                request = wire.read(self.line)
                self.line.sendall(self._answered(request))
                if request.message == Message.DISCONNECT:
                    return
        finally:
            if self.desk is not None:
                self.desk.close()

    def _answered(self, request: Request) -> bytes:
        try:
            function, parts = self._answer(request)
        except NotUnderstood as no:
            return wire.error(self.number, request.number, no.code, no.words)
        except WrongPassword:
            return wire.error(0, request.number, AUTHENTICATION_FAILED, "authentication failed")
        return wire.reply(self.number, request.number, function, parts)

    def _answer(self, request: Request) -> Said:
        if request.message == Message.AUTHENTICATE:
            said = self.sign_in.begin(wire.read_fields(request.body(Kind.AUTHENTICATION)))
            return Function.NIL, [Part(Kind.AUTHENTICATION, wire.fields(said))]
        if request.message == Message.CONNECT:
            return self._connect(request)
        if self.desk is None:
            raise HungUp
        desk = self.desk
        match request.message:
            case Message.EXECUTE_DIRECT | Message.PREPARE | Message.EXECUTE:
                return self._served("query", request, lambda: desk.question(request))
            case Message.FETCH_NEXT:
                return self._served("fetch", request, lambda: desk.fetch(request))
            case Message.COMMIT | Message.ROLLBACK:
                return desk.finish(request)
            case Message.CLOSE_RESULT_SET | Message.DROP_STATEMENT:
                return desk.forget(request)
        return Function.DISCONNECT if request.message == Message.DISCONNECT else Function.NIL, []

    def _connect(self, request: Request) -> Said:
        if fault := self.counter.faults.take("hana", "sign_in"):
            self._at_the_door(fault)
        said = self.sign_in.finish(wire.read_fields(request.body(Kind.AUTHENTICATION)))
        self.desk, self.number = Desk(self.counter.database_url()), next(self.counter.sessions)
        options = Part(Kind.CONNECT_OPTIONS, CONNECT_OPTIONS, 3)
        return Function.CONNECT, [Part(Kind.AUTHENTICATION, wire.fields(said)), options]

    def _at_the_door(self, fault: Fault) -> None:
        if fault.mode == "refuse":
            raise NotUnderstood(fault.code, "sign-in refused") if fault.code else WrongPassword
        if fault.mode in ("malformed", "error_500", "error_500_after_effect"):
            raise HungUp
        hang(fault.seconds)

    def _served(self, operation: str, request: Request, act: Callable[[], Said]) -> Said:
        """`refuse` and `error_500` are answers with a number; `malformed` is half an answer; `…_after_effect` a dead line."""
        fault = self.counter.faults.take("hana", operation)
        if fault is None:
            return act()
        match fault.mode:
            case "refuse":
                raise NotUnderstood(fault.code or NOT_AUTHORIZED, "insufficient privilege: Not authorized")
            case "error_500":
                raise NotUnderstood(fault.code or COLUMN_STORE, "column store error: search table error")
            case "error_500_after_effect":
                raise HungUp
            case "malformed":
                return self._half(operation, request, act)
        hang(fault.seconds)
        return act()

    def _half(self, operation: str, request: Request, act: Callable[[], Said]) -> Said:
        """Half a packet and a dead line; or, when fetching, a good packet that says the rest of the rows is not there."""
        assert self.desk is not None
        if operation == "fetch":
            return self.desk.fetch(request, end=True)
        function, parts = act()
        whole = wire.reply(self.number, request.number, function, parts)
        self.line.sendall(whole[: max(40, len(whole) // 2)])
        raise HungUp

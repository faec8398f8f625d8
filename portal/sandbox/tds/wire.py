"""TDS packets and the tokens in an answer (as MS-TDS describes them)."""

from __future__ import annotations

import socket
import ssl
import struct
from enum import IntEnum

PACKET_SIZE = 4096
HEADER = struct.Struct(">BBHHBB")
LAST = 1


class Packet(IntEnum):
    """What a message is."""

    BATCH = 0x01
    RPC = 0x03
    ANSWER = 0x04
    ATTENTION = 0x06
    TRANSACTION = 0x0E
    LOGIN = 0x10
    PRELOGIN = 0x12


class HungUp(Exception):
    """The client is gone."""


class Wire:
    """Messages over a socket, in clear or, after `encrypt`, in TLS whose handshake travels inside TDS packets."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.tls: ssl.SSLObject | None = None
        self.coming, self.going = ssl.MemoryBIO(), ssl.MemoryBIO()

    def read(self) -> tuple[int, bytes]:
        """The next message, whole."""
        body = bytearray()
        while True:
            kind, status, length, _spid, _number, _window = HEADER.unpack(self._take(HEADER.size))
            if length < HEADER.size:
                raise HungUp
            body += self._take(length - HEADER.size)
            if status & LAST:
                return kind, bytes(body)

    def write(self, body: bytes, kind: int = Packet.ANSWER) -> None:
        """One message, in packets."""
        self._give(framed(body, kind))

    def break_off(self, body: bytes) -> None:
        """Half a message."""
        whole = framed(body, Packet.ANSWER)
        self._give(whole[: max(HEADER.size + 1, len(whole) // 2)])
        raise HungUp

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Shake hands inside PRELOGIN packets; afterwards TLS is outermost."""
        self.tls = context.wrap_bio(self.coming, self.going, server_side=True)
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush_handshake()
                _kind, _status, length, *_rest = HEADER.unpack(self._raw(HEADER.size))
                self.coming.write(self._raw(length - HEADER.size))
                continue
            except ssl.SSLError as no:
                raise HungUp from no
            self._flush_handshake()
            return

    def _flush_handshake(self) -> None:
        if said := self.going.read():
            self.line.sendall(framed(said, Packet.PRELOGIN))

    def _take(self, count: int) -> bytes:
        if self.tls is None:
            return self._raw(count)
        taken = bytearray()
        while len(taken) < count:
            try:
                taken += self.tls.read(count - len(taken))
            except ssl.SSLWantReadError:
                some = self.line.recv(1 << 16)
                if not some:
                    raise HungUp from None
                self.coming.write(some)
            except ssl.SSLError as no:
                raise HungUp from no
        return bytes(taken)

    def _raw(self, count: int) -> bytes:
        taken = bytearray()
        while len(taken) < count:
            some = self.line.recv(count - len(taken))
            if not some:
                raise HungUp
            taken += some
        return bytes(taken)

    def _give(self, whole: bytes) -> None:
        if self.tls is None:
            self.line.sendall(whole)
            return
        self.tls.write(whole)
        self.line.sendall(self.going.read())


def framed(body: bytes, kind: int) -> bytes:
    """In packets of the agreed size."""
    most = PACKET_SIZE - HEADER.size
    pieces = [body[at : at + most] for at in range(0, len(body), most)] or [b""]
    last = len(pieces) - 1
    return b"".join(
        HEADER.pack(kind, LAST if i == last else 0, len(piece) + HEADER.size, 1, (i + 1) % 256, 0) + piece
        for i, piece in enumerate(pieces)
    )


def short(text: str) -> bytes:
    """A name: characters counted in one byte."""
    return bytes([len(text.encode("utf-16-le")) // 2]) + text.encode("utf-16-le")


def _long(text: str) -> bytes:
    return struct.pack("<H", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


def token(kind: int, body: bytes) -> bytes:
    """A token with its length."""
    return struct.pack("<BH", kind, len(body)) + body


def changed(kind: int, now: bytes, before: bytes) -> bytes:
    """ENVCHANGE."""
    return token(0xE3, bytes([kind]) + now + before)


def signed_in(database: str) -> bytes:
    """What follows a good LOGIN7."""
    acknowledged = b"\x01" + b"\x74\x00\x00\x04" + short("Microsoft SQL Server") + b"\x10\x00\x10\x00"
    size = str(PACKET_SIZE)
    collation = changed(7, b"\x05" + COLLATION, b"\x00")
    return (
        changed(1, short(database), short("master"))
        + collation
        + token(0xAD, acknowledged)
        + changed(4, short(size), short(size))
        + done()
    )


def error(number: int, words: str, *, severity: int = 16) -> bytes:
    """ERROR and the DONE that says there was one."""
    body = struct.pack("<iBB", number, 1, severity) + _long(words) + short("SANDBOX") + short("") + struct.pack("<i", 1)
    return token(0xAA, body) + done(0x0002)


def done(status: int = 0, rows: int = 0, *, kind: int = 0xFD) -> bytes:
    """DONE, DONEPROC (0xFE) or DONEINPROC (0xFF)."""
    return struct.pack("<BHHQ", kind, status, 0xC1, rows)


COLLATION = struct.pack("<IB", 0x00D0041F, 0)  # Turkish

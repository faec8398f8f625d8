"""HANA's packets: a header, one segment, and parts padded to eight bytes. Everything little-endian."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from enum import IntEnum

PACKET = struct.Struct("<qiIIhbxIxxxx")
SEGMENT = struct.Struct("<iihhbb")
PART = struct.Struct("<bbhiii")
LARGEST = 1 << 26  # nobody asks questions of 64 MiB


class Message(IntEnum):
    """What the client wants."""

    EXECUTE_DIRECT = 2
    PREPARE = 3
    EXECUTE = 13
    AUTHENTICATE = 65
    CONNECT = 66
    COMMIT = 67
    ROLLBACK = 68
    CLOSE_RESULT_SET = 69
    DROP_STATEMENT = 70
    FETCH_NEXT = 71
    DISCONNECT = 77


class Kind(IntEnum):
    """What a part holds."""

    COMMAND = 3
    RESULT_SET = 5
    ERROR = 6
    STATEMENT_ID = 10
    ROWS_AFFECTED = 12
    RESULT_SET_ID = 13
    PARAMETERS = 32
    AUTHENTICATION = 33
    CONNECT_OPTIONS = 42
    FETCH_SIZE = 45
    PARAMETER_METADATA = 47
    RESULT_SET_METADATA = 48
    TRANSACTION_FLAGS = 64


class Function(IntEnum):
    """What was done, as a reply says it."""

    NIL = 0
    DDL = 1
    SELECT = 5
    FETCH = 10
    COMMIT = 11
    ROLLBACK = 12
    CONNECT = 14
    DISCONNECT = 18
    CLOSE_CURSOR = 19


REPLY, ERROR = 2, 5  # kinds of segments
LAST, NO_ROW, CLOSED = 1, 8, 16  # a result's part: nothing follows, nothing is in it, the result is closed


class HungUp(Exception):
    """The client is gone."""


@dataclass(frozen=True)
class Part:
    """One thing said."""

    kind: int
    body: bytes = b""
    count: int = 1
    attributes: int = 0


@dataclass(frozen=True)
class Request:
    """One segment from the client."""

    message: int
    number: int  # of the packet; the reply carries the same
    parts: list[Part] = field(default_factory=list)
    commit: bool = False

    def body(self, kind: Kind) -> bytes:
        """A part's content; empty when there is none."""
        return next((part.body for part in self.parts if part.kind == kind), b"")


def take(line: socket.socket, count: int) -> bytes:
    """So many bytes, however they trickle in."""
    taken = bytearray()
    while len(taken) < count:
        some = line.recv(min(count - len(taken), 1 << 16))
        if not some:
            raise HungUp
        taken += some
    return bytes(taken)


def read(line: socket.socket) -> Request:
    """The next request."""
    _session, number, length, _size, _segments, _options, _raw = PACKET.unpack(take(line, PACKET.size))
    if not SEGMENT.size <= length <= LARGEST:
        raise HungUp
    segment = take(line, length)
    _length, _offset, count, _number, _kind, message = SEGMENT.unpack_from(segment)
    return Request(message, number, _parts(segment, count), bool(segment[14]))


def _parts(segment: bytes, count: int) -> list[Part]:
    found, at = [], 24
    for _ in range(count):
        kind, attributes, few, many, length, _size = PART.unpack_from(segment, at)
        at += PART.size
        found.append(Part(kind, segment[at : at + length], many if few == -1 else few, attributes))
        at += length + -length % 8
    return found


def reply(session: int, number: int, function: int, parts: list[Part], *, kind: int = REPLY) -> bytes:
    """A packet for the client."""
    body = b"".join(_written(part) for part in parts)
    length = 24 + len(body)
    segment = SEGMENT.pack(length, 0, len(parts), 1, kind, 0) + struct.pack("<h8x", function)
    return PACKET.pack(session, number, length, length, 1, 0, 0) + segment + body


def _written(part: Part) -> bytes:
    few, many = (part.count, 0) if part.count < 32767 else (-1, part.count)
    header = PART.pack(part.kind, part.attributes, few, many, len(part.body), len(part.body))
    return header + part.body + bytes(-len(part.body) % 8)


def error(session: int, number: int, code: int, words: str) -> bytes:
    """A packet that says what went wrong."""
    said = words.encode()
    body = struct.pack("<iiib5s", code, 0, len(said), 1, b"HY000") + said
    return reply(session, number, Function.NIL, [Part(Kind.ERROR, body)], kind=ERROR)


def fields(values: list[bytes]) -> bytes:
    """Counted and measured values, as sign-in uses them."""
    return struct.pack("<H", len(values)) + b"".join(_measured(value) for value in values)


def _measured(value: bytes) -> bytes:
    if len(value) <= 245:
        return bytes([len(value)]) + value
    return b"\xf6" + struct.pack("<H", len(value)) + value


def read_fields(body: bytes) -> list[bytes]:
    """The other way round."""
    found, at = [], 2
    for _ in range(struct.unpack_from("<H", body)[0]):
        length, at = body[at], at + 1
        if length == 0xF6:
            length, at = struct.unpack_from("<H", body, at)[0], at + 2
        found.append(body[at : at + length])
        at += length
    return found

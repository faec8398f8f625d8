"""Values as SQL Server writes them: PostgreSQL's answers go out, bound parameters come in."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from portal.sandbox.erp.database import Field
from portal.sandbox.tds.wire import COLLATION, short

EPOCH = datetime(1900, 1, 1)  # noqa: DTZ001 (SQL Server knows no zones)
TICKS = 300  # in a second
INTN, BITN, DECIMALN, FLTN, DATETIMN, DATEN, DATETIME2N = 0x26, 0x68, 0x6C, 0x6D, 0x6F, 0x28, 0x2A
NVARCHAR, BIGVARCHAR, NTEXT, NUMERICN = 0xE7, 0xA7, 0x63, 0x6A
WHOLE = {20: 8, 21: 2, 23: 4, 16: 4}


class Kind(NamedTuple):
    """A column's type on the wire, and how its values are written."""

    info: bytes
    write: Callable[[Any], bytes]


def kind_of(field: Field) -> Kind:
    """From PostgreSQL's type. A decimal without a known scale is DECIMAL(38, 6), as SQL Server's SUM makes it."""
    if size := WHOLE.get(field.oid):
        return Kind(bytes([INTN, size]), lambda value: bytes([size]) + int(value).to_bytes(size, "little", signed=True))
    if field.oid == 1700:
        scale = (field.modifier - 4) & 0x7FF if field.modifier >= 4 else 6
        return Kind(bytes([DECIMALN, 17, 38, scale]), lambda value: _decimal(value, scale))
    if field.oid in (700, 701):
        return Kind(bytes([FLTN, 8]), lambda value: b"\x08" + struct.pack("<d", value))
    if field.oid in (1082, 1114):
        return Kind(bytes([DATETIMN, 8]), lambda value: b"\x08" + _datetime(value))
    return Kind(bytes([NVARCHAR]) + struct.pack("<H", 8000) + COLLATION, _text)


def nothing(kind: Kind) -> bytes:
    """NULL."""
    return b"\xff\xff" if kind.info[0] == NVARCHAR else b"\x00"


def described(fields: list[Field]) -> bytes:
    """COLMETADATA."""
    columns = [struct.pack("<IH", 0, 0x0009) + kind_of(field).info + short(_name(field.name)) for field in fields]
    return b"\x81" + struct.pack("<H", len(columns)) + b"".join(columns)


def row(kinds: list[Kind], values: tuple[Any, ...]) -> bytes:
    """ROW."""
    return b"\xd1" + b"".join(
        [nothing(kind) if value is None else kind.write(value) for kind, value in zip(kinds, values, strict=True)]
    )


def handle(number: int) -> bytes:
    """RETURNVALUE: the number of a prepared statement."""
    return (
        b"\xac"
        + struct.pack("<H", 0)
        + short("")
        + b"\x01"
        + struct.pack("<IH", 0, 0)
        + bytes([INTN, 4, 4])
        + struct.pack("<i", number)
    )


def _name(name: str) -> str:
    return name.upper() if name.islower() else name


def _decimal(value: Decimal, scale: int) -> bytes:
    number = int(value.scaleb(scale))
    return b"\x11" + (b"\x01" if number >= 0 else b"\x00") + abs(number).to_bytes(16, "little")


def _datetime(value: date | datetime) -> bytes:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
    passed = moment - EPOCH
    return struct.pack("<iI", passed.days, passed.seconds * TICKS + passed.microseconds * TICKS // 1_000_000)


def _text(value: Any) -> bytes:
    raw = str(value).encode("utf-16-le")[:8000]
    return struct.pack("<H", len(raw)) + raw


class Reader:
    """A message, read from left to right."""

    def __init__(self, body: bytes, at: int = 0) -> None:
        self.body, self.at = body, at

    def take(self, count: int) -> bytes:
        """So many bytes."""
        self.at += count
        return self.body[self.at - count : self.at]

    def number(self, size: int, *, signed: bool = False) -> int:
        """A whole number of so many bytes."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def name(self) -> str:
        """Characters counted in one byte."""
        return self.take(self.number(1) * 2).decode("utf-16-le")

    @property
    def over(self) -> bool:
        """Nothing is left."""
        return self.at >= len(self.body)

    def value(self) -> Any:
        """A parameter's value behind its type."""
        kind = self.number(1)
        if kind in (INTN, BITN):
            self.take(1)
            size = self.number(1)
            return self.number(size, signed=True) if size else None
        if kind in (NVARCHAR, BIGVARCHAR):
            return self._words(kind)
        if kind == NTEXT:
            self.take(4 + len(COLLATION))
            size = self.number(4, signed=True)
            return None if size < 0 else self.take(size).decode("utf-16-le")
        if kind in (DECIMALN, NUMERICN):
            return self._decimal()
        if kind == FLTN:
            self.take(1)
            size = self.number(1)
            return struct.unpack("<d" if size == 8 else "<f", self.take(size))[0] if size else None
        return self._time(kind)

    def _words(self, kind: int) -> str | None:
        largest = self.number(2)
        self.take(len(COLLATION))
        code = "utf-16-le" if kind == NVARCHAR else "cp1254"
        if largest != 0xFFFF:
            size = self.number(2)
            return None if size == 0xFFFF else self.take(size).decode(code)
        if self.number(8) == 0xFFFFFFFFFFFFFFFF:
            return None
        parts = []
        while size := self.number(4):
            parts.append(self.take(size))
        return b"".join(parts).decode(code)

    def _decimal(self) -> Decimal | None:
        _size, _precision, scale = self.take(3)
        size = self.number(1)
        if not size:
            return None
        sign = self.number(1)
        found = Decimal(self.number(size - 1)).scaleb(-scale)
        return found if sign else -found

    def _time(self, kind: int) -> date | datetime | None:
        if kind == DATETIMN:
            self.take(1)
            if not (size := self.number(1)):
                return None
            days, ticks = struct.unpack("<iI" if size == 8 else "<HH", self.take(size))
            return EPOCH + timedelta(days=days, seconds=ticks / TICKS if size == 8 else ticks * 60)
        scale = self.number(1) if kind == DATETIME2N else 0
        if not (size := self.number(1)):
            return None
        ticks = self.number(size - 3)
        day = date(1, 1, 1) + timedelta(days=self.number(3))
        if kind == DATEN:
            return day
        assert kind == DATETIME2N, f"a parameter of type {kind:#x}"
        micros = ticks * 10 ** (6 - scale) if scale <= 6 else ticks // 10
        return datetime(day.year, day.month, day.day) + timedelta(microseconds=micros)  # noqa: DTZ001

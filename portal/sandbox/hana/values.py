"""Values as HANA writes them: what PostgreSQL answers goes out, what the client binds comes in."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

TINYINT, SMALLINT, INT, BIGINT, DECIMAL, DOUBLE = 1, 2, 3, 4, 5, 7
VARCHAR, NVARCHAR, STRING, NSTRING = 9, 11, 29, 30
DATE, TIMESTAMP, LONGDATE, SECONDDATE, DAYDATE, FIXED8, FIXED12, FIXED16 = 14, 16, 61, 62, 63, 81, 82, 76

NO_LONGDATE, NO_DAYDATE = 3155380704000000001, 3652062
TICKS = 10_000_000  # in a second
# HANA counts days in the Julian calendar of old: two days more than Python's at the beginning of time.
JULIAN = 2
BIAS, MANTISSA = 6176, (1 << 113) - 1
FLOATING = 0x7FFF
FIRST_OF_FOUR = 0xF0  # bytes of UTF-8: a sign beyond the first plane

# PostgreSQL's type numbers.
OIDS = {
    16: INT,
    20: BIGINT,
    21: SMALLINT,
    23: INT,
    700: DOUBLE,
    701: DOUBLE,
    1082: DAYDATE,
    1114: LONGDATE,
    1700: DECIMAL,
}


@dataclass(frozen=True)
class Column:
    """One column of an answer, or one parameter of a question."""

    name: str
    kind: int
    precision: int = 0
    scale: int = 0

    @classmethod
    def of(cls, name: str, oid: int, modifier: int) -> Column:
        """As PostgreSQL describes it. Decimals of a known scale are fixed, the others float."""
        kind = OIDS.get(oid, NVARCHAR)
        if kind == DECIMAL and modifier >= 4:
            return cls(name, FIXED16, (modifier - 4) >> 16, (modifier - 4) & 0x7FF)
        if kind == DECIMAL:
            return cls(name, DECIMAL, 34, FLOATING)
        return cls(name, kind, 5000 if kind == NVARCHAR else 10)


def text(value: str) -> bytes:
    """CESU-8: what lies beyond the first plane goes as two halves."""
    raw = value.encode()
    if len(raw) > len(value) and max(raw) >= FIRST_OF_FOUR:
        raw = _cesu(value)
    if len(raw) <= 245:
        return bytes([len(raw)]) + raw
    return (
        b"\xf6" + struct.pack("<H", len(raw)) + raw
        if len(raw) < 1 << 15
        else b"\xf7" + struct.pack("<I", len(raw)) + raw
    )


def _cesu(value: str) -> bytes:
    units = value.encode("utf-16-be", "surrogatepass")
    return b"".join(chr(unit).encode("utf-8", "surrogatepass") for (unit,) in struct.iter_unpack(">H", units))


def longdate(value: date | datetime) -> int:
    """Tenths of microseconds since the beginning of time, and one."""
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    days = moment.toordinal() - 1 + JULIAN
    return (days * 86400 + seconds) * TICKS + moment.microsecond * 10 + 1


def from_longdate(ticks: int) -> datetime:
    """The other way round."""
    days, rest = divmod(ticks - 1, 86400 * TICKS)
    return datetime.fromordinal(days + 1 - JULIAN) + timedelta(microseconds=rest // 10)


def decimal(value: Decimal) -> bytes:
    """A sign, an exponent, and 113 bits of digits."""
    millionths = value.scaleb(6)
    if -MANTISSA <= (whole := int(millionths)) <= MANTISSA and whole == millionths:
        return ((whole < 0) << 127 | (BIAS - 6) << 113 | abs(whole)).to_bytes(16, "little")
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    number = int("".join(map(str, digits)) or "0")
    while number > MANTISSA:
        number, exponent = (number + 5) // 10, exponent + 1
    return (sign << 127 | (exponent + BIAS) << 113 | number).to_bytes(16, "little")


def from_decimal(raw: bytes) -> Decimal:
    """The other way round."""
    whole = int.from_bytes(raw, "little")
    number = Decimal(whole & MANTISSA).scaleb((whole >> 113 & 0x3FFF) - BIAS)
    return -number if whole >> 127 else number


def _fixed(scale: int) -> Callable[[Any], bytes]:
    shift = Decimal(scale)
    return lambda value: b"\x01" + int(value.scaleb(shift)).to_bytes(16, "little", signed=True)


_PACKED: dict[int, tuple[Callable[[Any], bytes], bytes]] = {
    SMALLINT: (lambda value: b"\x01" + value.to_bytes(2, "little", signed=True), b"\x00"),
    INT: (lambda value: b"\x01" + int(value).to_bytes(4, "little", signed=True), b"\x00"),
    BIGINT: (lambda value: b"\x01" + value.to_bytes(8, "little", signed=True), b"\x00"),
    DOUBLE: (lambda value: struct.pack("<d", value), b"\xff" * 8),
    DECIMAL: (decimal, bytes(15) + b"\x70"),
    NVARCHAR: (lambda value: text(str(value)), b"\xff"),
    LONGDATE: (lambda value: longdate(value).to_bytes(8, "little"), NO_LONGDATE.to_bytes(8, "little")),
    DAYDATE: (lambda value: (value.toordinal() + JULIAN).to_bytes(4, "little"), NO_DAYDATE.to_bytes(4, "little")),
}


def packer(column: Column) -> tuple[Callable[[Any], bytes], bytes]:
    """How this column's values are written, and what stands for none."""
    return (_fixed(column.scale), b"\x00") if column.kind == FIXED16 else _PACKED[column.kind]


def bound(body: bytes, columns: list[Column]) -> list[Any]:
    """The parameters of one execution."""
    found: list[Any] = []
    at = 0
    for column in columns:
        kind, at = body[at], at + 1
        if kind & 0x80:
            found.append(None)
            continue
        value, at = _read(kind, body, at, column.scale)
        found.append(value)
    return found


def _read(kind: int, body: bytes, at: int, scale: int) -> tuple[Any, int]:
    if kind in (VARCHAR, NVARCHAR, STRING, NSTRING, 8, 10):
        length, at = _length(body, at)
        return _from_cesu(body[at : at + length]), at + length
    if size := {TINYINT: 1, SMALLINT: 2, INT: 4, BIGINT: 8}.get(kind):
        return int.from_bytes(body[at : at + size], "little", signed=True), at + size
    if kind in (FIXED8, FIXED12, FIXED16):
        size = {FIXED8: 8, FIXED12: 12, FIXED16: 16}[kind]
        return Decimal(int.from_bytes(body[at : at + size], "little", signed=True)).scaleb(-scale), at + size
    if kind == DECIMAL:
        return from_decimal(body[at : at + 16]), at + 16
    if kind == DOUBLE:
        return struct.unpack_from("<d", body, at)[0], at + 8
    return _read_time(kind, body, at)


def _read_time(kind: int, body: bytes, at: int) -> tuple[Any, int]:
    if kind == LONGDATE:
        return from_longdate(struct.unpack_from("<q", body, at)[0]), at + 8
    if kind == DAYDATE:
        return date.fromordinal(struct.unpack_from("<i", body, at)[0] - JULIAN), at + 4
    year, month, day = struct.unpack_from("<HBB", body, at)
    on = date(year & 0x3FFF, month + 1, day)
    if kind == DATE:
        return on, at + 4
    assert kind == TIMESTAMP, f"a parameter of type {kind}"
    hour, minute, milliseconds = struct.unpack_from("<BBH", body, at + 4)
    return datetime(on.year, on.month, on.day, hour & 0x7F, minute, *divmod(milliseconds * 1000, 1_000_000)), at + 8  # noqa: DTZ001


def _length(body: bytes, at: int) -> tuple[int, int]:
    if body[at] <= 245:
        return body[at], at + 1
    if body[at] == 0xF6:
        return struct.unpack_from("<H", body, at + 1)[0], at + 3
    return struct.unpack_from("<I", body, at + 1)[0], at + 5


def _from_cesu(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")


def described(columns: list[Column]) -> bytes:
    """The metadata of an answer."""
    heads, names = [], bytearray()
    for column in columns:
        at = len(names)
        raw = column.name.encode()[:255]
        names += bytes([len(raw)]) + raw
        heads.append(struct.pack("<bbhhhiiii", 2, column.kind, column.scale, column.precision, 0, -1, -1, at, at))
    return b"".join(heads) + bytes(names)


def wanted(columns: list[Column]) -> bytes:
    """The metadata of a question's parameters."""
    return b"".join(
        struct.pack(
            "<bbbbihhi", 2, column.kind, 1, 0, -1, column.precision, column.scale if column.scale != FLOATING else 6, 0
        )
        for column in columns
    )

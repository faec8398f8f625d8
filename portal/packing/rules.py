"""What a scan means: pure decisions about barcodes and counts."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from portal.packing.states import Verdict

# A scanner set to tell what kind of code it read puts "]C1" and the like before it.
KIND_OF_CODE = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
UPC_A = 12


@dataclass
class Row:
    """A line as the decisions see it. `cases`: barcode on a case → pieces in it."""

    id: int
    barcode: str
    wanted: int
    packed: int
    cases: Mapping[str, int] = field(default_factory=dict)

    @property
    def room(self) -> int:
        """Pieces still to be packed."""
        return self.wanted - self.packed


class Counted(NamedTuple):
    """Pieces that are in a box because of one scan."""

    scan_id: uuid.UUID
    line_id: int
    parcel_id: uuid.UUID
    pieces: int


class Decision(NamedTuple):
    """What is said of a scan; pieces are those that now are in the box more (or less) than before."""

    verdict: Verdict
    line_id: int | None = None
    pieces: int = 0


def plain(barcode: str) -> str:
    """A barcode as it is compared: without what a scanner adds, in capital ASCII letters, a UPC-A as the EAN it is.

    Only ASCII letters are folded: Turkish i and ı are different letters, and neither belongs into a barcode of ours.
    """
    bare = KIND_OF_CODE.sub("", barcode.strip())
    folded = "".join(c.upper() if c.isascii() else c for c in bare)
    return f"0{folded}" if len(folded) == UPC_A and folded.isascii() and folded.isdigit() else folded


def decide(rows: Sequence[Row], barcode: str, *, known: Collection[str] = ()) -> Decision:
    """What one scan means while these lines are being packed; `known` are plain barcodes of other things we keep."""
    code = plain(barcode)
    singles = [row for row in rows if plain(row.barcode) == code]
    if singles:
        open_row = next((row for row in singles if row.room), None)
        return Decision(Verdict.OK, open_row.id, 1) if open_row else Decision(Verdict.TOO_MANY)
    cases = [(row, pieces) for row in rows for case, pieces in row.cases.items() if plain(case) == code]
    if cases:
        fits = next(((row, pieces) for row, pieces in cases if row.room >= pieces), None)
        return Decision(Verdict.CASE, fits[0].id, fits[1]) if fits else Decision(Verdict.TOO_MANY)
    return Decision(Verdict.WRONG_ITEM if code in known else Verdict.UNKNOWN)


def undo(history: Sequence[Counted]) -> tuple[Decision, Counted | None]:
    """Take back the device's last scan that still counts."""
    if not history:
        return Decision(Verdict.NOTHING_TO_UNDO), None
    last = history[-1]
    return Decision(Verdict.UNDONE, last.line_id, -last.pieces), last


def count(rows: Sequence[Row], decision: Decision) -> None:
    """The rows as they are after the decision: the next scan of the same message is decided by them."""
    for row in rows:
        if row.id == decision.line_id:
            row.packed += decision.pieces


def complete(rows: Sequence[Row]) -> bool:
    """Whether everything is in a box."""
    return all(row.room == 0 for row in rows)


def is_ours(barcode: str, rows: Sequence[Row]) -> bool:
    """Whether the lines themselves say what it is; only otherwise the stock has to be asked."""
    code = plain(barcode)
    return any(code == plain(row.barcode) or any(code == plain(case) for case in row.cases) for row in rows)


# Barcodes on the packing table: what a hand in a glove says without keyboard and mouse.
COMMANDS = {
    "EMCMDOK": "ok",
    "EMCMDUNDO": "undo",
    "EMCMDNEWBOX": "box",
    "EMCMDNEXTBOX": "next",
    "EMCMDFINISH": "finish",
    **{f"EMCMDBOX{number}": f"box-{number}" for number in range(1, 10)},
}


def command(barcode: str) -> str | None:
    """What a command barcode says; nothing when it is goods."""
    return COMMANDS.get(plain(barcode))

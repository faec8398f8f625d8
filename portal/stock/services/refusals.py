"""What the stock says no to."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import lazy_gettext as _l

from portal.core.errors import BadInput, NotFound, Refusal
from portal.stock.models import Reservation

MOST_PIECES = 1_000_000
NAMED_IN_A_MESSAGE = 5


class UnknownBarcode(NotFound):
    """Nothing we keep carries this barcode."""

    code = "unknown_barcode"


class UnknownShelf(NotFound):
    """There is no shelf with this code."""

    code = "unknown_shelf"


class BarcodeInUse(Refusal):
    """A barcode means one thing."""

    code = "barcode_in_use"


class ShelfExists(Refusal):
    """A shelf code means one place."""

    code = "shelf_exists"


class NotEnoughStock(Refusal):
    """Fewer pieces are free than were to be promised; nothing was set aside."""

    code = "not_enough_stock"

    def __init__(self, barcode: str, *, wanted: int, free: int) -> None:
        super().__init__(
            _l("Only %(free)s of %(barcode)s are free; %(wanted)s were wanted.", free=free, barcode=barcode, wanted=wanted),
            barcode=barcode,
            wanted=wanted,
            free=free,
        )  # fmt: skip
        self.free = free


class SourceReservedOther(Refusal):
    """The same order line already set something else aside."""

    code = "source_reserved_other"

    def __init__(self, reservation: Reservation) -> None:
        super().__init__(
            _l("This order line has already set other goods aside."),
            item_id=reservation.item_id,
            pieces=reservation.pieces,
        )


class SameKeyOtherGoods(Refusal):
    """The same act was already done, with other goods: nothing is changed."""

    code = "same_key_other_goods"


class MoreThanTaken(Refusal):
    """More would come back than ever went out."""

    code = "more_than_taken"


class Missing(NamedTuple):
    """What was wanted from a shelf (or from anywhere: no shelf), and what lay there, in pieces."""

    item_id: int
    barcode: str
    shelf_id: int | None
    shelf: str
    wanted: int
    there: int


class Shortage(Refusal):
    """Not everything lies where it was to be taken from: nothing was taken.

    The refusal rolls back its unit of work, so the caller writes the shortage down in the next one with
    `note_shortage`, and then lets this go on to the person.
    """

    code = "shortage"

    def __init__(self, act_key: str, source: tuple[str, str], missing: list[Missing]) -> None:
        named = ", ".join(f"{m.barcode} · {m.shelf or '*'}: {m.there}/{m.wanted}" for m in missing[:NAMED_IN_A_MESSAGE])
        more = ", …" if len(missing) > NAMED_IN_A_MESSAGE else ""
        super().__init__(
            _l("Not everything is on its shelf (there/wanted): %(missing)s", missing=named + more),
            missing=[m._asdict() for m in missing],
        )
        self.act_key = act_key
        self.source = source
        self.missing = missing


def counted(pieces: int, *, least: int = 1) -> int:
    """A number of pieces somebody typed; refuses what nobody can have meant."""
    if not least <= pieces <= MOST_PIECES:
        raise BadInput(fields={"pieces": _l("From %(least)s to %(most)s pieces.", least=least, most=MOST_PIECES)})
    return pieces

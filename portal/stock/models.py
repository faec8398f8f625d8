"""Items, shelves, what lies where, what is promised, and the movements from which all of it can be replayed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import DB_NOW, Json, Model, PrimaryKey, recorded_now
from portal.stock.states import COMES, GOES, RESERVATION, Moved


def _in(words: Iterable[StrEnum]) -> str:
    return ", ".join(f"'{word.value}'" for word in words)


class StockItem(Model):
    """A thing we keep, known by the barcode on a single piece."""

    __tablename__ = "stock_item"
    __table_args__ = (
        CheckConstraint("barcode <> '' AND barcode !~ '[[:cntrl:]]'", name="barcode_can_be_scanned"),
        CheckConstraint("name <> ''", name="has_a_name"),
    )

    id: Mapped[PrimaryKey]
    barcode: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    added_at: Mapped[datetime] = recorded_now()


class CaseBarcode(Model):
    """The barcode on a case: scanning it means so many pieces of one item."""

    __tablename__ = "case_barcode"
    __table_args__ = (
        CheckConstraint("barcode <> '' AND barcode !~ '[[:cntrl:]]'", name="barcode_can_be_scanned"),
        CheckConstraint("pieces > 1", name="a_case_holds_several"),
    )

    barcode: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("stock_item.id"), index=True)
    pieces: Mapped[int]


class Shelf(Model):
    """A place in the warehouse, known by the code on it."""

    __tablename__ = "shelf"
    __table_args__ = (CheckConstraint("code <> '' AND code !~ '[[:cntrl:]]'", name="code_can_be_scanned"),)

    id: Mapped[PrimaryKey]
    code: Mapped[str] = mapped_column(unique=True)


class CentralStock(Model):
    """How many pieces of an item we have, have promised, and hold back from marketplaces.

    Its row is also the item's lock: whoever changes anything of an item holds it. Promised may exceed what is there,
    because a marketplace sells without asking us first; the item is then oversold, and shown as such.
    """

    __tablename__ = "central_stock"
    __table_args__ = (
        CheckConstraint("qty >= 0", name="never_below_zero"),
        CheckConstraint("reserved >= 0", name="promised_is_never_below_zero"),
        CheckConstraint("safety >= 0", name="safety_is_never_below_zero"),
    )

    item_id: Mapped[int] = mapped_column(ForeignKey("stock_item.id"), primary_key=True, autoincrement=False)
    qty: Mapped[int] = mapped_column(server_default=text("0"))
    reserved: Mapped[int] = mapped_column(server_default=text("0"))
    safety: Mapped[int] = mapped_column(server_default=text("0"))
    updated_at: Mapped[datetime] = mapped_column(server_default=DB_NOW)


class ShelfStock(Model):
    """How many pieces of an item lie on a shelf."""

    __tablename__ = "shelf_stock"
    __table_args__ = (CheckConstraint("qty >= 0", name="never_below_zero"), Index(None, "shelf_id"))

    item_id: Mapped[int] = mapped_column(ForeignKey("stock_item.id"), primary_key=True, autoincrement=False)
    shelf_id: Mapped[int] = mapped_column(ForeignKey("shelf.id"), primary_key=True, autoincrement=False)
    qty: Mapped[int] = mapped_column(server_default=text("0"))


class Reservation(Model):
    """Pieces promised to one line of an order: some may be taken, some let go, the rest is still set aside."""

    __tablename__ = "reservation"
    __table_args__ = (
        CheckConstraint("pieces > 0", name="promises_something"),
        CheckConstraint("taken >= 0 AND released >= 0", name="pieces_are_counted"),
        CheckConstraint("taken + released <= pieces", name="never_gives_more_than_promised"),
        CheckConstraint("(state = 'OPEN') = (taken + released < pieces)", name="open_while_something_is_left"),
        CheckConstraint("state <> 'TAKEN' OR taken > 0", name="taken_took_something"),
        CheckConstraint(f"state IN ({RESERVATION.check})", name="state_known"),
        UniqueConstraint("source_kind", "source_key", "line_key", name="a_line_is_promised_once"),
        Index("ix_reservation_open", "item_id", postgresql_where=text("state = 'OPEN'")),
        Index(
            "ix_reservation_running_out",
            "expires_at",
            postgresql_where=text("state = 'OPEN' AND expires_at IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    item_id: Mapped[int] = mapped_column(ForeignKey("stock_item.id"))
    source_kind: Mapped[str]
    source_key: Mapped[str]
    line_key: Mapped[str] = mapped_column(server_default="")
    pieces: Mapped[int]
    taken: Mapped[int] = mapped_column(server_default=text("0"))
    released: Mapped[int] = mapped_column(server_default=text("0"))
    state: Mapped[str] = mapped_column(server_default="OPEN")
    expires_at: Mapped[datetime | None]
    made_at: Mapped[datetime] = recorded_now()

    @property
    def left(self) -> int:
        """Pieces still set aside."""
        return self.pieces - self.taken - self.released


class StockAct(Model):
    """One thing somebody did to the stock (a receipt, a count, a parcel), once per key. Append-only.

    A count that found what we believed has no movement, but it was counted: the act says so.
    """

    __tablename__ = "stock_act"
    __table_args__ = (
        CheckConstraint("key <> ''", name="has_a_key"),
        Index(None, "source_kind", "source_key"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    goods: Mapped[list[Json]]
    source_kind: Mapped[str]
    source_key: Mapped[str]
    actor: Mapped[str]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    because: Mapped[str]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = recorded_now()


class StockMovement(Model):
    """Pieces that came to a shelf (positive) or left it (negative), and why. Append-only: this is the truth."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        CheckConstraint(f"type IN ({_in(Moved)})", name="type_known"),
        CheckConstraint("pieces <> 0", name="moves_something"),
        CheckConstraint(f"type NOT IN ({_in(COMES)}) OR pieces > 0", name="what_comes_is_more"),
        CheckConstraint(f"type NOT IN ({_in(GOES)}) OR pieces < 0", name="what_goes_is_less"),
        CheckConstraint("type NOT IN ('OUT', 'RETURN') OR source_key <> ''", name="says_for_which_order"),
        Index(None, "item_id", "id"),
        Index(None, "act_key"),
        Index(None, "source_kind", "source_key", "item_id"),
    )

    id: Mapped[PrimaryKey]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    act_key: Mapped[str] = mapped_column(ForeignKey("stock_act.key"))
    type: Mapped[str]
    item_id: Mapped[int] = mapped_column(ForeignKey("stock_item.id"))
    shelf_id: Mapped[int] = mapped_column(ForeignKey("shelf.id"))
    pieces: Mapped[int]
    source_kind: Mapped[str]
    source_key: Mapped[str]
    actor: Mapped[str]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    because: Mapped[str]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = recorded_now()


class StockShortage(Model):
    """What a packer wanted from a shelf and did not find. Append-only."""

    __tablename__ = "stock_shortage"
    __table_args__ = (
        CheckConstraint("there >= 0 AND there < wanted", name="less_was_there_than_wanted"),
        Index(None, "item_id", "id"),
    )

    id: Mapped[PrimaryKey]
    # The act that was refused, and therefore was never written.
    act_key: Mapped[str]
    item_id: Mapped[int] = mapped_column(ForeignKey("stock_item.id"))
    # Nothing: it was looked for on all shelves.
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("shelf.id"))
    wanted: Mapped[int]
    there: Mapped[int]
    source_kind: Mapped[str]
    source_key: Mapped[str]
    actor: Mapped[str]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = recorded_now()


class StockChange(Model):
    """A note that an item's available pieces changed, written by a trigger in the transaction of the change.

    Whoever has to tell others takes the notes away and reads the stock afterwards. No instant is compared with
    another, so nothing is missed when units commit in another order than they began in. Repeats are harmless.
    """

    __tablename__ = "stock_change"

    id: Mapped[PrimaryKey]
    item_id: Mapped[int]
    noted_at: Mapped[datetime] = recorded_now()

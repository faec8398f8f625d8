"""What storefronts sold out of our stock: packages, their lines, their words, and how well we listen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Json, Model, PrimaryKey, recorded_now
from portal.marketplace.ports import Ear, PackageState
from portal.marketplace.states import PACKAGE, RETURN, Checked

# How reservations and movements for our packages are named: Source(SOURCE_KIND, package.source_key, line.line_key).
SOURCE_KIND = "storefront"
CHECKS = ", ".join(f"'{word.value}'" for word in Checked)
EARS = ", ".join(f"'{word.value}'" for word in Ear)
LINE_STATES = ", ".join(f"'{word.value}'" for word in PackageState)
WITHOUT_AN_ITEM = text("item_id IS NULL AND quantity > 0")


class StorefrontPackage(Model):
    """One package of a marketplace order, as they told us last. A split or partial cancellation makes new ones.

    `state` is how far it is in our words and never goes back; `words` is what they said last, whatever it was.
    """

    __tablename__ = "storefront_package"
    __table_args__ = (
        CheckConstraint(f"state IN ({PACKAGE.check})", name="state_known"),
        CheckConstraint("storefront <> '' AND package_key <> ''", name="has_a_name"),
        UniqueConstraint("storefront", "package_key", name="a_package_is_kept_once"),
        Index(None, "storefront", "order_number"),
        Index(None, "storefront", "changed_at"),
        Index(None, "state", "ship_by"),
        Index("ix_storefront_package_origin_keys", "origin_keys", postgresql_using="gin"),
        Index("ix_storefront_package_due", "read_again_at", postgresql_where=text("read_again_at IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    storefront: Mapped[str]
    package_key: Mapped[str]
    order_number: Mapped[str]
    state: Mapped[str]
    words: Mapped[str]
    ordered_at: Mapped[datetime]
    # Their instant of the version we have: only newer versions count.
    changed_at: Mapped[datetime]
    # The packages this one was made of.
    origin_keys: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    # A newer package names this one as its origin, or we asked them to split it: it is not packed any more.
    superseded: Mapped[bool] = mapped_column(server_default=text("false"))
    customer_name: Mapped[str] = mapped_column(server_default="")
    city: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")
    district: Mapped[str] = mapped_column(server_default="")
    postal_code: Mapped[str] = mapped_column(server_default="")
    cargo_provider: Mapped[str] = mapped_column(server_default="")
    cargo_tracking_number: Mapped[str] = mapped_column(server_default="")
    ship_by: Mapped[datetime | None]
    invoice_number: Mapped[str] = mapped_column(server_default="")
    # When our packers confirmed it (or the one it was split from): its goods have left their shelves.
    packed_at: Mapped[datetime | None]
    label_prints: Mapped[int] = mapped_column(server_default=text("0"))
    # The last thing about it a person should look at: an answer that did not read, a refusal. Empty: nothing.
    trouble: Mapped[str] = mapped_column(server_default="")
    # The database's instant before which we asked, when we last heard of it.
    heard_at: Mapped[datetime] = recorded_now()
    # When it is to be read again; nothing: when somebody mentions it.
    read_again_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime] = recorded_now()

    @property
    def source_key(self) -> str:
        """The package's name in the stock."""
        return f"{self.storefront}:{self.package_key}"


class StorefrontLine(Model):
    """So many of one thing in a package. `item_id` is what we keep under that barcode; nothing: we know no such thing."""

    __tablename__ = "storefront_line"
    __table_args__ = (
        CheckConstraint(f"state IN ({LINE_STATES})", name="state_known"),
        CheckConstraint("quantity >= 0", name="quantity_is_counted"),
        CheckConstraint("(item_id IS NULL) = (pieces_each IS NULL)", name="what_we_keep_has_pieces"),
        CheckConstraint("pieces_each > 0", name="holds_pieces"),
        CheckConstraint("inherited >= 0", name="inherits_pieces"),
        UniqueConstraint("package_id", "line_key", name="a_line_is_kept_once"),
        Index("ix_storefront_line_unknown", "barcode", postgresql_where=WITHOUT_AN_ITEM),
        Index(None, "item_id"),
    )

    id: Mapped[PrimaryKey]
    package_id: Mapped[int] = mapped_column(ForeignKey("storefront_package.id"))
    line_key: Mapped[str]
    barcode: Mapped[str]  # as they write it, without spaces
    name: Mapped[str]
    quantity: Mapped[int]  # of what the barcode stands for: pieces, or cases
    unit_price_kurus: Mapped[int]
    state: Mapped[str]
    item_id: Mapped[int | None] = mapped_column(ForeignKey("stock_item.id"))
    pieces_each: Mapped[int | None]
    # Pieces that were taken from the shelf already, for the package this one was split from.
    inherited: Mapped[int] = mapped_column(server_default=text("0"))

    @property
    def pieces(self) -> int:
        """Pieces of the item in this line; 0 while we do not know the item."""
        return self.quantity * (self.pieces_each or 0)

    @property
    def pieces_to_take(self) -> int:
        """Pieces a packer still takes from a shelf for this line."""
        return max(0, self.pieces - self.inherited)


class StorefrontWord(Model):
    """What they said about a package, and through which door we heard it. Append-only."""

    __tablename__ = "storefront_word"
    __table_args__ = (
        UniqueConstraint("package_id", "changed_at", "words", name="a_word_is_heard_once"),
        CheckConstraint(f"state IN ({PACKAGE.check})", name="state_known"),
    )

    id: Mapped[PrimaryKey]
    package_id: Mapped[int] = mapped_column(ForeignKey("storefront_package.id"))
    words: Mapped[str]
    state: Mapped[str]  # what we take the words for; the package may have been further already
    changed_at: Mapped[datetime]
    heard_by: Mapped[str]
    at: Mapped[datetime] = recorded_now()


class StorefrontReturn(Model):
    """Pieces that left their shelf for a package and must come back: it was cancelled, or sent back."""

    __tablename__ = "storefront_return"
    __table_args__ = (
        CheckConstraint(f"state IN ({RETURN.check})", name="state_known"),
        CheckConstraint("pieces > 0 AND received >= 0 AND received <= pieces", name="never_more_than_left"),
        CheckConstraint("(state = 'RECEIVED') = (received = pieces)", name="received_is_all_of_it"),
        Index(None, "package_id"),
        Index("ix_storefront_return_expected", "made_at", postgresql_where=text("state = 'EXPECTED'")),
    )

    id: Mapped[PrimaryKey]
    package_id: Mapped[int] = mapped_column(ForeignKey("storefront_package.id"))
    # The key of the stock's source the pieces were taken for: this package, or the one it was split from.
    taken_for: Mapped[str]
    item_id: Mapped[int] = mapped_column(ForeignKey("stock_item.id"))
    pieces: Mapped[int]
    received: Mapped[int] = mapped_column(server_default=text("0"))
    state: Mapped[str] = mapped_column(server_default="EXPECTED")
    made_at: Mapped[datetime] = recorded_now()


class StorefrontSync(Model):
    """How far we have read a storefront. Everything that changed until `read_until_at` is in our books."""

    __tablename__ = "storefront_sync"
    __table_args__ = (
        CheckConstraint("storefront <> ''", name="has_a_name"),
        CheckConstraint(f"ear IN ('', {EARS})", name="ear_known"),
        CheckConstraint("(ear = '') = (ear_seen_at IS NULL)", name="a_look_is_dated"),
    )

    storefront: Mapped[str] = mapped_column(primary_key=True)
    read_until_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(server_default="")
    # When it is to be read, and compared, next; nothing: when somebody asks.
    pull_due_at: Mapped[datetime | None]
    gaps_due_at: Mapped[datetime | None]
    # Whether they tell us what happens; empty: nobody has looked, or they tell nobody.
    ear: Mapped[str] = mapped_column(server_default="")
    ear_note: Mapped[str] = mapped_column(server_default="")
    ear_seen_at: Mapped[datetime | None]
    ear_mended_at: Mapped[datetime | None]


class StorefrontGapCheck(Model):
    """One comparison of what they list with what we keep, and what became of the difference. Append-only."""

    __tablename__ = "storefront_gap_check"
    __table_args__ = (
        CheckConstraint(f"outcome IN ({CHECKS})", name="outcome_known"),
        CheckConstraint("from_at < until_at", name="looks_at_a_span"),
        CheckConstraint("outcome <> 'WELL' OR gaps = '[]'", name="well_means_no_gap"),
        Index(None, "storefront", "id"),
    )

    id: Mapped[PrimaryKey]
    storefront: Mapped[str]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    listed: Mapped[int]  # packages they listed
    kept: Mapped[int]  # of these, how many were in our books in that version or a later one
    # Which packages were missing, old, or not listed by them: {"key": …, "gap": …}.
    gaps: Mapped[list[Json]]
    outcome: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime] = recorded_now()

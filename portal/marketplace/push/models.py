"""Listings, pushes and their batches, whose turn it is to push, and every call with its time."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Model, PrimaryKey, recorded_now
from portal.marketplace.push.states import BATCH, Became, Kind


class StorefrontListing(Model):
    """One item on one storefront: what we want them to believe, what we last said, what they believe, and what bothers.

    `expected` is what they will believe when everything on its way arrives; empty: we cannot know, so it is to be sent.
    `wanted` is what was free when we last looked; the number that is sent is always read anew.
    """

    __tablename__ = "storefront_listing"
    __table_args__ = (
        # Item first: it also finds an item's listings. Every index here is paid for with every number that is sent.
        UniqueConstraint("item_id", "storefront", name="an_item_is_listed_once_a_storefront"),
        CheckConstraint("wanted >= 0", name="wants_no_less_than_nothing"),
        CheckConstraint("sent >= 0 AND believed >= 0 AND expected >= 0", name="pieces_are_counted"),
        CheckConstraint("(sent IS NULL) = (sent_at IS NULL)", name="what_was_sent_is_dated"),
        CheckConstraint("(believed IS NULL) = (believed_at IS NULL)", name="what_is_believed_is_dated"),
        CheckConstraint("(rejection = '') = (rejected_at IS NULL)", name="rejections_say_why_and_when"),
        CheckConstraint("NOT needs_person OR rejection <> ''", name="a_person_can_read_why"),
        CheckConstraint("settled_no <= send_no", name="nothing_settles_before_it_is_sent"),
        Index(
            "ix_storefront_listing_due", "storefront", "wanted", "id",
            postgresql_where=text("due_at IS NOT NULL AND ask_at IS NULL AND NOT needs_person AND on_sale"),
        ),
        Index(
            "ix_storefront_listing_asks", "storefront", "ask_at", postgresql_where=text("ask_at IS NOT NULL")
        ),
        Index("ix_storefront_listing_person", "storefront", postgresql_where=text("needs_person")),
    )  # fmt: skip

    id: Mapped[PrimaryKey]
    storefront: Mapped[str]
    item_id: Mapped[int] = mapped_column(ForeignKey("stock_item.id"))
    barcode: Mapped[str]
    on_sale: Mapped[bool] = mapped_column(server_default=text("true"))
    wanted: Mapped[int] = mapped_column(server_default=text("0"))
    expected: Mapped[int | None]
    # The fence: every sending has the next number, and only the highest settled one says what they believe.
    send_no: Mapped[int] = mapped_column(server_default=text("0"))
    settled_no: Mapped[int] = mapped_column(server_default=text("0"))
    overlapped: Mapped[bool] = mapped_column(server_default=text("false"))
    sent: Mapped[int | None]
    sent_at: Mapped[datetime | None]
    accepted: Mapped[int | None]
    accepted_at: Mapped[datetime | None]
    believed: Mapped[int | None]
    believed_at: Mapped[datetime | None]
    rejection: Mapped[str] = mapped_column(server_default="")
    rejected_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    needs_person: Mapped[bool] = mapped_column(server_default=text("false"))
    due_at: Mapped[datetime | None]
    ask_at: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(server_default=text("0"))
    read_at: Mapped[datetime | None]
    listed_at: Mapped[datetime] = recorded_now()


class StockPushLog(Model):
    """One push: when, how many, reserved, in how many batches, how it ended, and how long it took.

    `reserved_quantity` is what open orders had set aside of the items sent, when they were sent. `success` says that
    the storefront took every batch; what it made of each barcode is told later and stands with the items.
    """

    __tablename__ = "stock_push_log"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(kind.value) for kind in Kind)})", name="kind_known"),
        CheckConstraint(
            "total_items >= 0 AND total_quantity >= 0 AND reserved_quantity >= 0 AND batch_count >= 0",
            name="figures_are_counted",
        ),
        CheckConstraint("(success IS NULL) = (duration_seconds IS NULL)", name="an_end_has_its_duration"),
        CheckConstraint("success IS DISTINCT FROM false OR error_message <> ''", name="a_failure_says_why"),
        Index("one_push_at_a_time", "storefront", unique=True, postgresql_where=text("success IS NULL")),
        Index(None, "storefront", "id"),
    )

    id: Mapped[PrimaryKey]
    storefront: Mapped[str]
    kind: Mapped[str]
    push_time: Mapped[datetime]
    total_items: Mapped[int] = mapped_column(server_default=text("0"))
    total_quantity: Mapped[int] = mapped_column(server_default=text("0"))
    reserved_quantity: Mapped[int] = mapped_column(server_default=text("0"))
    batch_count: Mapped[int] = mapped_column(server_default=text("0"))
    success: Mapped[bool | None]
    error_message: Mapped[str] = mapped_column(server_default="")
    duration_seconds: Mapped[Decimal | None] = mapped_column(Numeric(12, 3))


class StockPushBatch(Model):
    """One call with quantities. `digest` recognises a body that is refused because it came twice."""

    __tablename__ = "stock_push_batch"
    __table_args__ = (
        CheckConstraint(f"state IN ({BATCH.check})", name="state_known"),
        CheckConstraint("state NOT IN ('WAITING', 'DONE', 'GONE') OR batch_key <> ''", name="what_was_taken_has_a_key"),
        CheckConstraint("(state = 'WAITING') = (poll_at IS NOT NULL)", name="asked_about_while_waiting"),
        Index("ix_stock_push_batch_polls", "storefront", "poll_at", postgresql_where=text("state = 'WAITING'")),
        Index(None, "storefront", "digest", "sent_at"),
        Index(None, "push_id"),
    )

    id: Mapped[PrimaryKey]
    push_id: Mapped[int] = mapped_column(ForeignKey("stock_push_log.id"))
    storefront: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="SENDING")
    digest: Mapped[str]
    sent_at: Mapped[datetime]
    batch_key: Mapped[str] = mapped_column(server_default="")
    note: Mapped[str] = mapped_column(server_default="")
    polls: Mapped[int] = mapped_column(server_default=text("0"))
    poll_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class StockPushItem(Model):
    """One barcode in a batch: the absolute quantity that was said, and what became of it."""

    __tablename__ = "stock_push_item"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="pieces_are_counted"),
        CheckConstraint(f"result IN ({', '.join(repr(word.value) for word in Became)})", name="result_known"),
        CheckConstraint("result IS DISTINCT FROM 'REJECTED' OR why <> ''", name="rejections_say_why"),
        UniqueConstraint("listing_id", "send_no", name="every_sending_has_its_number"),
        Index("ix_stock_push_item_open", "listing_id", postgresql_where=text("result IS NULL")),
    )

    batch_id: Mapped[int] = mapped_column(ForeignKey("stock_push_batch.id"), primary_key=True, autoincrement=False)
    listing_id: Mapped[int] = mapped_column(ForeignKey("storefront_listing.id"), primary_key=True, autoincrement=False)
    quantity: Mapped[int]
    send_no: Mapped[int]
    result: Mapped[str | None]
    why: Mapped[str] = mapped_column(server_default="")


class StorefrontTurn(Model):
    """Whose turn it is to push to a storefront, and until when nobody shall.

    One pusher at a time, for as long as its lease; `turn` is the fence: a pusher that slept too long finds another number.
    """

    __tablename__ = "storefront_turn"
    __table_args__ = (
        CheckConstraint("push_id IS NULL OR lease_until IS NOT NULL", name="pushes_while_it_is_leased"),
        CheckConstraint("failures >= 0 AND refusals >= 0", name="troubles_are_counted"),
    )

    storefront: Mapped[str] = mapped_column(primary_key=True)
    turn: Mapped[int] = mapped_column(server_default=text("0"))
    push_id: Mapped[int | None] = mapped_column(ForeignKey("stock_push_log.id"))
    lease_until: Mapped[datetime | None]
    pause_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    refusals: Mapped[int] = mapped_column(server_default=text("0"))
    words: Mapped[str] = mapped_column(server_default="")
    full_asked: Mapped[bool] = mapped_column(server_default=text("false"))
    compared_at: Mapped[datetime | None]


class StorefrontCall(Model):
    """One call to a storefront's stock, so that no limit is passed by all processes together. Kept for minutes."""

    __tablename__ = "storefront_call"
    __table_args__ = (Index(None, "storefront", "operation", "began_at"),)

    id: Mapped[PrimaryKey]
    storefront: Mapped[str]
    operation: Mapped[str]
    began_at: Mapped[datetime] = recorded_now()
    ended_at: Mapped[datetime | None]

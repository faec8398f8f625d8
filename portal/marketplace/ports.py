"""The storefronts (Trendyol and others), in our words (facts: Trendyol, next marketplaces)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from portal.core.ports import CallAnswer, Outcome


class PackageState(StrEnum):
    """How far a storefront says a package is, after all their words are mapped."""

    AWAITING = "AWAITING"  # payment or fraud check: reserve, never ship
    CREATED = "CREATED"
    PICKING = "PICKING"
    INVOICED = "INVOICED"
    SHIPPED = "SHIPPED"
    AT_COLLECTION_POINT = "AT_COLLECTION_POINT"
    DELIVERED = "DELIVERED"
    UNDELIVERED = "UNDELIVERED"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"
    UNSUPPLIED = "UNSUPPLIED"
    UNPACKED = "UNPACKED"  # split into others, which name it as their origin
    UNKNOWN = "UNKNOWN"  # a word we do not know: kept, shown, moves nothing


@dataclass(frozen=True)
class StorefrontLine:
    """So many pieces of one thing in a package. Keys are theirs, as text."""

    line_key: str
    barcode: str
    name: str
    quantity: int
    unit_price_kurus: int
    state: PackageState


@dataclass(frozen=True)
class StorefrontPackage:
    """One package of a marketplace order. A split or a partial cancellation makes new packages of the same order."""

    package_key: str
    order_number: str
    state: PackageState
    words: str  # their own status word
    ordered_at: datetime
    changed_at: datetime
    lines: tuple[StorefrontLine, ...]
    origin_keys: tuple[str, ...] = ()
    customer_name: str = ""
    city: str = ""
    address: str = ""  # street and number, as they say it
    district: str = ""
    postal_code: str = ""
    cargo_provider: str = ""
    cargo_tracking_number: str = ""
    ship_by: datetime | None = None


@dataclass(frozen=True)
class PackagePage:
    """One page of packages. `cursor` asks for the next one; empty: there is none. `total` only where they count."""

    outcome: Outcome
    packages: tuple[StorefrontPackage, ...] = ()
    cursor: str = ""
    total: int | None = None
    why: str = ""
    retry_after_seconds: int = 0


@dataclass(frozen=True)
class StockWish:
    """So many pieces of a barcode shall be for sale: an absolute quantity, never a difference."""

    barcode: str
    quantity: int


@dataclass(frozen=True)
class StockSubmitted:
    """The answer to sending quantities. DONE means queued: the batch tells later what became of each barcode."""

    outcome: Outcome
    batch_key: str = ""
    why: str = ""
    code: str = ""
    retry_after_seconds: int = 0


class BatchState(StrEnum):
    """How far a batch is."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    GONE = "GONE"  # they keep results only for a while


@dataclass(frozen=True)
class ItemResult:
    """What became of one barcode in a batch."""

    barcode: str
    accepted: bool
    why: str = ""


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch. Outcome not DONE: they were silent."""

    outcome: Outcome
    state: BatchState = BatchState.RUNNING
    items: tuple[ItemResult, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class StockRead:
    """What they believe is for sale: pieces by barcode. What they do not know is not in it."""

    outcome: Outcome
    quantities: dict[str, int]
    why: str = ""


@dataclass(frozen=True)
class PackageHint:
    """What a verified storefront message says. A hint only: the package is read again."""

    event_type: str
    dedupe_key: str
    package_key: str


@dataclass(frozen=True)
class Pace:
    """At most so many calls in any window of so many milliseconds."""

    calls: int
    window_ms: int


@dataclass(frozen=True)
class Abilities:
    """What a storefront can take; pieces, seconds."""

    most_items_a_batch: int
    most_pieces: int
    same_body_seconds: int  # how long an identical request is refused; 0: never
    result_seconds: int  # how long a batch's result is kept
    longest_window_days: int  # of one question after packages
    page_size: int
    says_picking: bool  # whether it wants to hear Picking and Invoiced
    # How often it may be called, by method: submit_stock, batch, read_stock. Not named: as often as we like.
    paces: Mapping[str, tuple[Pace, ...]] = field(default_factory=dict)
    most_barcodes_a_question: int = 50


class Storefront(Protocol):
    """A marketplace on which we sell out of the central stock. Every method answers; none raises for silence."""

    code: str
    title: str
    abilities: Abilities

    def changed_packages(self, since: datetime, until: datetime, cursor: str = "") -> PackagePage:
        """Packages that changed in a time span, page by page."""
        ...

    def listed_packages(self, since: datetime, until: datetime, cursor: str = "") -> PackagePage:
        """The same question at their other door, where they have two: what is kept is compared with it."""
        ...

    def package(self, package_key: str) -> PackagePage:
        """One package, as a page of one or none."""
        ...

    def say_picking(self, package: StorefrontPackage) -> CallAnswer:
        """We are packing it. Said already: DONE."""
        ...

    def say_invoiced(self, package: StorefrontPackage, invoice_number: str) -> CallAnswer:
        """It is invoiced. Said already: DONE."""
        ...

    def cannot_supply(self, package: StorefrontPackage, lines: dict[str, int]) -> CallAnswer:
        """So many pieces of some lines cannot be sent; they make a new package of the rest."""
        ...

    def split(self, package: StorefrontPackage, lines: dict[str, list[int]]) -> CallAnswer:
        """Send it in several packages: per line, the pieces of each. The new packages come with a later question."""
        ...

    def submit_stock(self, wishes: list[StockWish]) -> StockSubmitted: ...

    def batch(self, batch_key: str) -> BatchResult: ...

    def read_stock(self, barcodes: list[str]) -> StockRead: ...


class Ear(StrEnum):
    """Whether a storefront tells us what happens. Whatever it is, it is also read every few minutes."""

    ON = "ON"
    SWITCHED_ON = "SWITCHED_ON"  # they had switched it off
    SUBSCRIBED = "SUBSCRIBED"  # they did not know our address
    TROUBLE = "TROUBLE"


@dataclass(frozen=True)
class Listening:
    """What became of a look at whether they tell us."""

    ear: Ear
    why: str = ""


class StorefrontWebhooks(Protocol):
    """Checks a storefront's message on its raw bytes, and sees to it that messages come."""

    def keep_on(self, address: str) -> Listening:
        """They send to this address of ours: subscribed where they do not, switched on again where they gave up."""
        ...

    def open(self, headers: dict[str, str], body: bytes) -> PackageHint | None:
        """The hint inside, or None when the sender does not prove himself. Malformed bodies raise `BadInput`."""
        ...


@dataclass(frozen=True)
class Storefronts:
    """All storefronts this portal sells on, by code."""

    by_code: dict[str, Storefront]
    webhooks: dict[str, StorefrontWebhooks]

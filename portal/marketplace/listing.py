"""What the warehouse's pages show of storefronts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, and_, case, cast, func, literal, or_, select

from portal.core.database import db
from portal.core.i18n import noted
from portal.marketplace.models import (
    StorefrontGapCheck,
    StorefrontLine,
    StorefrontPackage,
    StorefrontReturn,
    StorefrontSync,
    StorefrontWord,
)
from portal.marketplace.ports import PackageState
from portal.marketplace.states import ENDED, TO_PACK, Coming

GONE = (PackageState.SHIPPED, PackageState.AT_COLLECTION_POINT, PackageState.DELIVERED, PackageState.UNDELIVERED)
UNKNOWN_BARCODE = noted("a barcode we do not know")
OVERSOLD = noted("more was sold than is there")
LATE = noted("should have left by now")
NOT_PACKED_HERE = noted("left without being packed here")
UNKNOWN = noted("a state we do not know")


@dataclass(frozen=True)
class PackageFilter:
    """What the visitor wants to see, from the query string."""

    state: str = ""
    storefront: str = ""
    words: str = ""
    only_troubles: bool = False


class PackageRow(NamedTuple):
    """One package in a list: how many of what, and what is the matter with it."""

    package: StorefrontPackage
    quantity: int
    unknown: int
    oversold: int
    late: bool

    @property
    def troubles(self) -> list[str]:
        """What a person should look at, in words."""
        package = self.package
        found = [
            (package.trouble, bool(package.trouble)),
            (UNKNOWN, package.state == PackageState.UNKNOWN and not package.trouble),
            (UNKNOWN_BARCODE, self.unknown > 0),
            (OVERSOLD, self.oversold > 0),
            (LATE, self.late),
            (NOT_PACKED_HERE, package.state in GONE and package.packed_at is None),
        ]
        return [words for words, is_so in found if is_so]


def packages(wanted: PackageFilter, *, oversold: Collection[int], now: datetime) -> Select[Any]:
    """Packages, the most urgent deadline first; `oversold` are items of which more is promised than is there."""
    open_ = StorefrontPackage.state.not_in([state.value for state in ENDED])
    unknown, short = _lines(_no_item()), _lines(StorefrontLine.item_id.in_(list(oversold)))
    late = _late(now)
    rows = select(
        StorefrontPackage,
        _lines(literal(True), func.coalesce(func.sum(StorefrontLine.quantity), 0)),
        unknown * cast(open_, Integer),
        short * cast(and_(open_, StorefrontPackage.packed_at.is_(None)), Integer),
        late,
    ).where(*_conditions(wanted))
    if wanted.only_troubles:
        unpacked = StorefrontPackage.packed_at.is_(None)
        rows = rows.where(
            or_(
                StorefrontPackage.trouble != "",
                StorefrontPackage.state == PackageState.UNKNOWN.value,
                and_(open_, unknown > 0),
                and_(open_, unpacked, short > 0),
                and_(StorefrontPackage.state.in_([state.value for state in GONE]), unpacked),
                late,
            )
        )
    return rows.order_by(_rank(), StorefrontPackage.ship_by.asc().nulls_last(), StorefrontPackage.id.desc())


def package_row(package_id: int, *, oversold: Collection[int], now: datetime) -> PackageRow:
    """One package with what is the matter with it."""
    rows = packages(PackageFilter(), oversold=oversold, now=now).where(StorefrontPackage.id == package_id)
    return PackageRow(*db.session.execute(rows).one())


def counts(wanted: PackageFilter) -> dict[str, int]:
    """How many packages are in each state, of one storefront or of all."""
    rows = select(StorefrontPackage.state, func.count()).group_by(StorefrontPackage.state)
    if wanted.storefront:
        rows = rows.where(StorefrontPackage.storefront == wanted.storefront)
    return {state: count for state, count in db.session.execute(rows)}


def words_of(package_id: int) -> list[StorefrontWord]:
    """Everything they said about a package, newest first."""
    rows = select(StorefrontWord).where(StorefrontWord.package_id == package_id)
    return list(db.session.scalars(rows.order_by(StorefrontWord.changed_at.desc(), StorefrontWord.id.desc())))


class ReturnRow(NamedTuple):
    """Pieces that must come back, and from which package."""

    expected: StorefrontReturn
    package: StorefrontPackage
    name: str
    barcode: str


def returns(*, only_expected: bool = True, package_id: int | None = None) -> Select[Any]:
    """What must come back, oldest first. The caller pages."""
    line = (
        select(StorefrontLine.name, StorefrontLine.barcode)
        .where(
            StorefrontLine.package_id == StorefrontReturn.package_id,
            StorefrontLine.item_id == StorefrontReturn.item_id,
        )
        .order_by(StorefrontLine.id)
        .limit(1)
        .lateral()
    )
    rows = (
        select(StorefrontReturn, StorefrontPackage, line.c.name, line.c.barcode)
        .join(StorefrontPackage, StorefrontPackage.id == StorefrontReturn.package_id)
        .join(line, literal(True))
        .order_by(StorefrontReturn.id)
    )
    if package_id is not None:
        rows = rows.where(StorefrontReturn.package_id == package_id)
    return rows.where(StorefrontReturn.state == Coming.EXPECTED.value) if only_expected else rows


def return_rows(wanted: Select[Any]) -> list[ReturnRow]:
    """Run a returns query."""
    return [ReturnRow(*row) for row in db.session.execute(wanted)]


def returns_expected() -> int:
    """How many returns the warehouse waits for."""
    rows = select(func.count()).where(StorefrontReturn.state == Coming.EXPECTED.value)
    return db.session.scalar(rows) or 0


def syncs() -> dict[str, StorefrontSync]:
    """How far each storefront has been read."""
    return {sync.storefront: sync for sync in db.session.scalars(select(StorefrontSync))}


def gap_checks() -> Select[Any]:
    """Comparisons, newest first. The caller pages."""
    return select(StorefrontGapCheck).order_by(StorefrontGapCheck.id.desc())


def latest_gap_checks() -> dict[str, StorefrontGapCheck]:
    """The last comparison with each storefront."""
    rows = select(StorefrontGapCheck).distinct(StorefrontGapCheck.storefront)
    rows = rows.order_by(StorefrontGapCheck.storefront, StorefrontGapCheck.id.desc())
    return {check.storefront: check for check in db.session.scalars(rows)}


def _conditions(wanted: PackageFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state:
        found.append(StorefrontPackage.state == wanted.state)
    if wanted.storefront:
        found.append(StorefrontPackage.storefront == wanted.storefront)
    if wanted.words:
        holds = select(StorefrontLine.id).where(
            StorefrontLine.package_id == StorefrontPackage.id,
            StorefrontLine.barcode == "".join(wanted.words.split()),
        )
        found.append(
            or_(
                StorefrontPackage.order_number.startswith(wanted.words, autoescape=True),
                StorefrontPackage.package_key.startswith(wanted.words, autoescape=True),
                StorefrontPackage.cargo_tracking_number == wanted.words,
                StorefrontPackage.customer_name.icontains(wanted.words, autoescape=True),
                holds.exists(),
            )
        )
    return found


def _lines(condition: ColumnElement[bool], what: Any = None) -> Any:
    """Something about a package's lines: their number, unless another sum is wanted."""
    counted = func.count() if what is None else what
    rows = select(counted).where(StorefrontLine.package_id == StorefrontPackage.id, condition)
    return rows.correlate(StorefrontPackage).scalar_subquery()


def _no_item() -> ColumnElement[bool]:
    return and_(StorefrontLine.item_id.is_(None), StorefrontLine.quantity > 0)


def _late(now: datetime) -> ColumnElement[bool]:
    to_pack = StorefrontPackage.state.in_([state.value for state in TO_PACK])
    return func.coalesce(and_(to_pack, ~StorefrontPackage.superseded, StorefrontPackage.ship_by < now), False)


def _rank() -> ColumnElement[int]:
    """What is to be packed comes first."""
    return case((StorefrontPackage.state == PackageState.CREATED.value, 0), else_=1)

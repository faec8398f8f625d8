"""What storefronts sold, and how far it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.marketplace.models import StorefrontLine, StorefrontPackage, StorefrontSync
from portal.marketplace.states import ENDED


def package(package_id: int) -> StorefrontPackage:
    """One package."""
    found = db.session.get(StorefrontPackage, package_id)
    if found is None:
        raise NotFound
    return found


def package_by_key(storefront: str, package_key: str) -> StorefrontPackage | None:
    """One package by its storefront's name for it."""
    return db.session.scalar(
        select(StorefrontPackage).where(
            StorefrontPackage.storefront == storefront, StorefrontPackage.package_key == package_key
        )
    )


def lines_of(package_ids: Sequence[int]) -> dict[int, list[StorefrontLine]]:
    """The lines of these packages, in their order, in one statement."""
    rows = (
        select(StorefrontLine)
        .where(StorefrontLine.package_id.in_(package_ids))
        .order_by(StorefrontLine.id)
        .execution_options(populate_existing=True)
    )
    found = defaultdict[int, list[StorefrontLine]](list)
    for line in db.session.scalars(rows):
        found[line.package_id].append(line)
    return found


def successors_of(package: StorefrontPackage) -> list[StorefrontPackage]:
    """The packages that name this one as their origin."""
    rows = select(StorefrontPackage).where(
        StorefrontPackage.storefront == package.storefront,
        StorefrontPackage.origin_keys.contains([package.package_key]),
    )
    return list(db.session.scalars(rows.order_by(StorefrontPackage.id)))


def origins_of(package: StorefrontPackage) -> list[StorefrontPackage]:
    """The packages this one was made of, as far as we know them."""
    rows = select(StorefrontPackage).where(
        StorefrontPackage.storefront == package.storefront,
        StorefrontPackage.package_key == func.any(list(package.origin_keys)),
    )
    return list(db.session.scalars(rows.order_by(StorefrontPackage.id))) if package.origin_keys else []


def pieces_of(packages: Sequence[StorefrontPackage], *, inherited: bool = False) -> Counter[int]:
    """Pieces by item in these packages' lines; only those they inherited, if wanted."""
    summed = Counter[int]()
    for lines in lines_of([package.id for package in packages]).values():
        for line in lines:
            if line.item_id is not None:
                summed[line.item_id] += line.inherited if inherited else line.pieces
    return summed


def has_successors(storefront: str, package_key: str) -> bool:
    """Whether some package names this one as its origin."""
    rows = select(StorefrontPackage.id).where(
        StorefrontPackage.storefront == storefront, StorefrontPackage.origin_keys.contains([package_key])
    )
    return db.session.scalar(rows.limit(1)) is not None


def changed_between(storefront: str, since: datetime, until: datetime) -> dict[str, int]:
    """The packages whose version we have changed in that span: our id by their key."""
    rows = select(StorefrontPackage.package_key, StorefrontPackage.id).where(
        StorefrontPackage.storefront == storefront, StorefrontPackage.changed_at.between(since, until)
    )
    return dict(db.session.execute(rows).tuples().all())


def without_an_item() -> dict[str, set[int]]:
    """Packages that want something we do not know, by its barcode."""
    rows = (
        select(StorefrontLine.barcode, StorefrontLine.package_id)
        .join(StorefrontPackage, StorefrontPackage.id == StorefrontLine.package_id)
        .where(
            StorefrontLine.item_id.is_(None),
            StorefrontLine.quantity > 0,
            StorefrontPackage.state.not_in([state.value for state in ENDED]),
        )
    )
    found = defaultdict[str, set[int]](set)
    for barcode, package_id in db.session.execute(rows):
        found[barcode].add(package_id)
    return dict(found)


def overdue(seconds: int) -> bool:
    """Whether something was to be read longer ago than this: a lost wake-up."""
    since = DB_NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    late = select(StorefrontSync.storefront).where(
        (StorefrontSync.pull_due_at <= since) | (StorefrontSync.gaps_due_at <= since)
    )
    doubted = select(StorefrontPackage.id).where(StorefrontPackage.read_again_at <= since)
    return db.session.scalar(late.limit(1)) is not None or db.session.scalar(doubted.limit(1)) is not None

"""Packages as storefronts tell us: the newest version counts, a step back moves nothing, every word is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.core.actor import Actor
from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.core.i18n import noted
from portal.core.queue import wake
from portal.marketplace.models import StorefrontLine, StorefrontPackage, StorefrontWord
from portal.marketplace.ports import PackageState
from portal.marketplace.ports import StorefrontLine as ToldLine
from portal.marketplace.ports import StorefrontPackage as Told
from portal.marketplace.services.listening import TOPIC
from portal.marketplace.states import ENDED, PACKAGE

LONGEST = 300
LEASE = timedelta(minutes=1)
UNREADABLE = noted("an answer about this package could not be read")
NOT_SHOWN = noted("they do not show this package any more")
UNKNOWN_WORD = noted("they use a word we do not know")


class Kept(NamedTuple):
    """A package after hearing of it: whether this was a newer version than ours, or the very first."""

    package: StorefrontPackage
    news: bool
    first: bool = False


def hold_order(storefront: str, order_number: str) -> None:
    """Everybody else who hears of this order waits: its packages free and set aside one another's pieces."""
    name = f"storefront order {storefront}:{order_number}"
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def hold_package(package_id: int) -> StorefrontPackage:
    """One package, with its order held, as it is now. Call it before touching the stock: see the package's docstring."""
    found = db.session.get(StorefrontPackage, package_id)
    if found is None:
        raise NotFound
    hold_order(found.storefront, found.order_number)
    db.session.refresh(found, with_for_update=True)
    return found


def keep(storefront: str, told: Told, *, heard_by: str, asked_at: datetime, by: Actor) -> Kept:
    """Keep what they told about a package, once per version. Its order is held.

    An older or equal version changes nothing. A version whose state is a step back changes facts, not the state.
    """
    package = db.session.scalar(
        select(StorefrontPackage)
        .where(StorefrontPackage.storefront == storefront, StorefrontPackage.package_key == told.package_key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if package is None:
        return Kept(_first_seen(storefront, told, heard_by=heard_by, asked_at=asked_at, by=by), True, first=True)
    package.heard_at = max(package.heard_at, asked_at)
    package.read_again_at = None
    if _unreadable(told):
        package.trouble = UNREADABLE
        return Kept(package, False)
    if told.changed_at <= package.changed_at:
        return Kept(package, False)
    _retold(package, told)
    _say(package, told, heard_by)
    if PACKAGE.allows(package.state, told.state):
        PACKAGE.move(package, told.state, actor=by, reason=told.words[:LONGEST])
    return Kept(package, True)


def known_by(storefront: str, keys: list[str]) -> dict[str, datetime]:
    """The versions we have of these packages, without holding anything."""
    rows = select(StorefrontPackage.package_key, StorefrontPackage.changed_at).where(
        StorefrontPackage.storefront == storefront, StorefrontPackage.package_key == func.any(keys)
    )
    return dict(db.session.execute(rows).tuples().all())


def heard(storefront: str, keys: list[str], asked_at: datetime) -> None:
    """They told the version we have: from now on it is known that it was still true at that instant."""
    db.session.execute(
        update(StorefrontPackage)
        .where(
            StorefrontPackage.storefront == storefront,
            StorefrontPackage.package_key == func.any(keys),
            StorefrontPackage.heard_at < asked_at,
        )
        .values(heard_at=asked_at)
        .execution_options(synchronize_session=False)
    )


def move(package: StorefrontPackage, to: PackageState, *, by: Actor, because: str, **also: Any) -> None:
    """We did something about it that they will hear of: it is further in our books at once."""
    PACKAGE.move(package, to, actor=by, reason=because, **also)


def look_at(package: StorefrontPackage, why: str) -> None:
    """A person should look at it."""
    package.trouble = why[:LONGEST]


def label_printed(package: StorefrontPackage) -> int:
    """Count a print; from the second on the label says that it is a copy."""
    package.label_prints += 1
    db.session.flush()
    return package.label_prints


def forget_customers(kept: timedelta, *, limit: int = 1000) -> list[int]:
    """Packages nothing has changed about for so long no longer say whom they were for; some of them, by their ids."""
    nobody = {"customer_name": "", "address": "", "district": "", "postal_code": ""}
    somebody = StorefrontPackage.customer_name + StorefrontPackage.address + StorefrontPackage.district
    over = select(StorefrontPackage.id).where(StorefrontPackage.changed_at < DB_NOW - kept, somebody != "")
    wanted = over.order_by(StorefrontPackage.id).limit(limit).with_for_update(skip_locked=True)
    forgotten = update(StorefrontPackage).where(StorefrontPackage.id.in_(wanted)).values(**nobody)
    forgotten = forgotten.execution_options(synchronize_session=False)
    return list(db.session.scalars(forgotten.returning(StorefrontPackage.id)))


def was_read(package: StorefrontPackage, *, seen: bool) -> None:
    """A doubted package was asked about. One they do not show at all is left to a person; nobody asks again."""
    unchanged = StorefrontPackage.read_again_at == package.read_again_at
    trouble = {} if seen else {"trouble": NOT_SHOWN}
    db.session.execute(
        update(StorefrontPackage)
        .where(StorefrontPackage.id == package.id, unchanged)
        .values(read_again_at=None, **trouble)
        .execution_options(synchronize_session=False)
    )


def read_again(package: StorefrontPackage, at: datetime | None = None) -> None:
    """Somebody doubts what we have: it is read again then, or at once."""
    package.read_again_at = at or db.session.scalar(select(DB_NOW))
    wake(TOPIC)


def claim_to_read() -> StorefrontPackage | None:
    """Take a package somebody doubts; others leave it alone until the lease runs out."""
    wanted = (
        select(StorefrontPackage.id)
        .where(StorefrontPackage.read_again_at <= DB_NOW)
        .order_by(StorefrontPackage.read_again_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return db.session.execute(
        update(StorefrontPackage)
        .where(StorefrontPackage.id == wanted.scalar_subquery())
        .values(read_again_at=DB_NOW + LEASE)
        .returning(StorefrontPackage)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def _unreadable(told: Told) -> bool:
    return told.state is PackageState.UNKNOWN and not told.lines


def _first_seen(storefront: str, told: Told, *, heard_by: str, asked_at: datetime, by: Actor) -> StorefrontPackage:
    package = StorefrontPackage(
        storefront=storefront,
        package_key=told.package_key,
        state=told.state.value,
        heard_at=asked_at,
        origin_keys=[],
        superseded=False,
        trouble="",
        invoice_number="",
        ordered_at=told.ordered_at,
        **_facts(told),
    )
    db.session.add(package)
    PACKAGE.begin(package, actor=by, reason=told.words[:LONGEST])
    _retold(package, told)
    if _unreadable(told):
        package.trouble = UNREADABLE
    _say(package, told, heard_by)
    return package


def _facts(told: Told) -> dict[str, Any]:
    return {
        "order_number": told.order_number,
        "words": told.words,
        "changed_at": told.changed_at,
        "customer_name": told.customer_name,
        "city": told.city,
        "address": told.address,
        "district": told.district,
        "postal_code": told.postal_code,
        "cargo_provider": told.cargo_provider,
        "cargo_tracking_number": told.cargo_tracking_number,
        "ship_by": told.ship_by,
    }


def _retold(package: StorefrontPackage, told: Told) -> None:
    """All they say now. A word we do not know is shown until they say one we do."""
    for name, value in _facts(told).items():
        setattr(package, name, value)
    package.origin_keys = sorted({*package.origin_keys, *told.origin_keys} - {told.package_key})
    unknown = told.state is PackageState.UNKNOWN
    package.trouble = UNKNOWN_WORD if unknown else ""
    db.session.flush()
    _lines(package, told)


def _lines(package: StorefrontPackage, told: Told) -> None:
    """Lines by their key; the same key twice is one line with the pieces of both. A line they no longer name is over."""
    summed: dict[str, ToldLine] = {}
    for line in told.lines:
        known = summed.get(line.line_key)
        quantity = line.quantity + (known.quantity if known else 0)
        summed[line.line_key] = ToldLine(
            line.line_key, line.barcode, line.name, quantity, line.unit_price_kurus, line.state
        )
    for line in summed.values():
        _line(package, line)
    if package.id and told.state not in ENDED:
        gone = select(StorefrontLine).where(
            StorefrontLine.package_id == package.id, StorefrontLine.line_key.not_in(list(summed))
        )
        for left_out in db.session.scalars(gone):
            left_out.state = PackageState.CANCELLED.value
    db.session.flush()


def _line(package: StorefrontPackage, line: ToldLine) -> None:
    said = {
        "name": line.name,
        "quantity": line.quantity,
        "unit_price_kurus": line.unit_price_kurus,
        "state": line.state.value,
    }
    barcode = "".join(line.barcode.split())
    kept = insert(StorefrontLine).values(package_id=package.id, line_key=line.line_key, barcode=barcode, **said)
    # The barcode of a line never changes: what was set aside for it would then be something else.
    db.session.execute(kept.on_conflict_do_update(constraint="a_line_is_kept_once", set_=said))


def _say(package: StorefrontPackage, told: Told, heard_by: str) -> None:
    db.session.execute(
        insert(StorefrontWord)
        .values(
            package_id=package.id, words=told.words, state=told.state.value, changed_at=told.changed_at,
            heard_by=heard_by,
        )
        .on_conflict_do_nothing()
    )  # fmt: skip

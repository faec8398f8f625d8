"""What storefronts' packages set aside, hand on to one another, and owe the warehouse. One order at a time, held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from flask import current_app

from portal.core import clock
from portal.core.actor import Actor
from portal.core.i18n import noted
from portal.marketplace import queries as marketplace_queries
from portal.marketplace import rules
from portal.marketplace import services as marketplace
from portal.marketplace.models import SOURCE_KIND, StorefrontLine, StorefrontPackage
from portal.marketplace.ports import PackageState
from portal.marketplace.rules import Part
from portal.stock import queries as stock_queries
from portal.stock import services as stock
from portal.stock.models import Reservation
from portal.stock.services import Source, Wish

BECAUSE = {
    PackageState.CANCELLED: noted("the storefront cancelled it"),
    PackageState.UNSUPPLIED: noted("it could not be supplied"),
    PackageState.UNPACKED: noted("it was split"),
    PackageState.RETURNED: noted("the customer sent it back"),
}


def source_of(package: StorefrontPackage, line_key: str = "") -> Source:
    """The package's name in the stock."""
    return Source(SOURCE_KIND, package.source_key, line_key)


def settle(packages: Sequence[StorefrontPackage], *, by: Actor, because: str) -> None:
    """Bring what these packages set aside to what they need, and expect back what left for nothing.

    Said as a level, so that settling twice, late, or in another order comes to the same. Their order is held, and all
    of their items are held here in one step.
    """
    lines = marketplace_queries.lines_of([package.id for package in packages])
    _recognise([line for some in lines.values() for line in some])
    _hold_still(packages, lines)
    for package in packages:
        _settle(package, lines[package.id], by=by, because=because)


def _recognise(lines: Sequence[StorefrontLine]) -> None:
    """Which item a barcode means. What we do not keep stays without one, and is shown."""
    unknown = [line for line in lines if line.item_id is None]
    if not unknown:
        return
    meant = stock_queries.meant_without_spaces(sorted({line.barcode for line in unknown}))
    for line in unknown:
        if line.barcode in meant:
            line.item_id, line.pieces_each = meant[line.barcode]


def _hold_still(packages: Sequence[StorefrontPackage], lines: dict[int, list[StorefrontLine]]) -> None:
    items = {line.item_id for some in lines.values() for line in some if line.item_id is not None}
    for package in packages:
        items |= {reservation.item_id for reservation in stock_queries.reservations_of(source_of(package))}
    if items:
        stock.hold_items(items)


def _settle(package: StorefrontPackage, lines: Sequence[StorefrontLine], *, by: Actor, because: str) -> None:
    parts = parts_of(lines)
    successors = marketplace_queries.successors_of(package)
    waits = _waits(package)
    due = rules.still_due(
        package.state,
        parts,
        superseded=package.superseded,
        passed_on=marketplace_queries.pieces_of(successors),
        waits=waits,
    )
    if due is None:
        return
    because = BECAUSE.get(PackageState(package.state), because)
    held = stock_queries.reservations_of(source_of(package))
    for part in parts:
        wanted = max(0, due[part.line_key] - part.inherited)
        _set_level(package, part, wanted, held, by=by, because=because)
    if waits and any(due.values()):
        marketplace.read_again(package, package.changed_at + _patience())
    _expect_back(package, parts, successors, due, by=by, because=because)


def _set_level(
    package: StorefrontPackage, part: Part, wanted: int, held: Sequence[Reservation], *, by: Actor, because: str
) -> None:
    """Pieces set aside for a line, taken ones included. More than before is a promise of its own beside the first."""
    names = (part.line_key, f"{part.line_key}+")
    mine = [kept for kept in held if kept.line_key == names[0] or kept.line_key.startswith(names[1])]
    level = sum(kept.pieces - kept.released for kept in mine)
    if wanted > level:
        line_key = f"{names[1]}{len(mine)}" if mine else names[0]
        wish = Wish(part.item_id, wanted - level, line_key)
        stock.reserve_all([wish], source_of(package), by=by, even_if_short=True)
    for kept in sorted(mine, key=lambda kept: kept.id, reverse=True):
        surplus = level - wanted
        if surplus <= 0:
            break
        level -= stock.release(
            source_of(package, kept.line_key),
            still_wanted=max(0, kept.pieces - kept.released - surplus),
            by=by,
            because=because,
        )


def _expect_back(
    package: StorefrontPackage,
    parts: Sequence[Part],
    successors: Sequence[StorefrontPackage],
    due: dict[str, int],
    *,
    by: Actor,
    because: str,
) -> None:
    """Goods that left their shelf for this package and are not due any more: the warehouse waits for them."""
    due_of = Counter[int]()
    for part in parts:
        due_of[part.item_id] += due[part.line_key]
    passed_on = marketplace_queries.pieces_of(successors, inherited=True)
    asked_back = marketplace.expected_of(package)
    for item_id, pieces in rules.to_come_back(_covered(package, parts), passed_on, due_of).items():
        missing = pieces - asked_back.get(item_id, 0)
        for source_key, some in _taken_for(package, item_id, missing):
            marketplace.expect_back(package, item_id, some, taken_for=source_key, by=by, because=because)


def _covered(package: StorefrontPackage, parts: Sequence[Part]) -> Counter[int]:
    """Pieces by item that ever left for this package, or that it inherited."""
    covered = _ever_out(package)
    for part in parts:
        covered[part.item_id] += part.inherited
    return covered


def _ever_out(package: StorefrontPackage) -> Counter[int]:
    back = marketplace.received_for(package.source_key)
    return Counter(stock_queries.out_for(source_of(package))) + Counter(back)


def _taken_for(package: StorefrontPackage, item_id: int, pieces: int) -> list[tuple[str, int]]:
    """For whom these pieces were taken: this package first, then those it was made of."""
    found: list[tuple[str, int]] = []
    line, seen = [package], set[int]()
    while line and pieces > 0:
        ancestor = line.pop(0)
        if ancestor.id in seen:
            continue
        seen.add(ancestor.id)
        line += marketplace_queries.origins_of(ancestor)
        waited_for = marketplace.still_expected_for(ancestor.source_key).get(item_id, 0)
        part = min(pieces, stock_queries.out_for(source_of(ancestor)).get(item_id, 0) - waited_for)
        if part > 0:
            found.append((ancestor.source_key, part))
            pieces -= part
    return found


def inherit(package: StorefrontPackage) -> bool:
    """A new package may be made of one that was packed already: its goods are in the parcel. True: all of them are."""
    lines = marketplace_queries.lines_of([package.id])[package.id]
    _recognise(lines)
    for origin in marketplace_queries.origins_of(package):
        given = rules.hand_down(parts_of(lines), _left_of(origin, but=package))
        for line in lines:
            line.inherited = max(line.inherited, given.get(line.line_key, 0))
        if any(given.values()) and not package.packed_at:
            package.packed_at = origin.packed_at
    whole = bool(lines) and all(line.item_id is not None and line.pieces_to_take == 0 for line in lines)
    if not whole:
        package.packed_at = None
    return whole and package.packed_at is not None


def _left_of(origin: StorefrontPackage, *, but: StorefrontPackage) -> Counter[int]:
    """Pieces in an origin's parcel that no other successor has, and that were not asked back."""
    lines = parts_of(marketplace_queries.lines_of([origin.id])[origin.id])
    others = [heir for heir in marketplace_queries.successors_of(origin) if heir.id != but.id]
    left = _covered(origin, lines)
    left.subtract(marketplace_queries.pieces_of(others, inherited=True))
    left.subtract(marketplace.expected_of(origin))
    return left


def parts_of(lines: Sequence[StorefrontLine]) -> list[Part]:
    """Lines whose item we know, as far as pieces are concerned."""
    return [
        Part(line.line_key, line.item_id, line.pieces, line.state, line.inherited)
        for line in lines
        if line.item_id is not None
    ]


def _waits(package: StorefrontPackage) -> bool:
    """Whether successors of a split package may still come."""
    return package.state == PackageState.UNPACKED and clock.now() < package.changed_at + _patience()


def _patience() -> timedelta:
    return timedelta(minutes=current_app.config["STOREFRONT_SPLIT_MINUTES"])

"""Storefronts' packages: what they tell us, and what we tell them. (How they are asked: marketplace_pull.)

Locks, for whoever packs: `hold_for_packing` first, then the stock, then `packing_confirmed`, in one transaction. The
readers hold a package's order before its items; the other way round two could wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l

from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import BadInput
from portal.core.i18n import noted
from portal.core.ports import known
from portal.marketplace import queries as marketplace_queries
from portal.marketplace import services as marketplace
from portal.marketplace.models import StorefrontPackage
from portal.marketplace.ports import PackageState, Storefronts
from portal.marketplace.ports import StorefrontPackage as Told
from portal.marketplace.services import AlreadySplit, NotToBePacked, NotYetPacked
from portal.marketplace.states import ENDED, ON_THEIR_WAY, PACKAGE, TO_PACK
from portal.outbox import queries as outbox_queries
from portal.outbox import services as outbox
from portal.packing import services as packing
from portal.packing.states import Source as Packs
from portal.stock import queries as stock_queries
from portal.stock import services as stock
from portal.workflows import marketplace_stock
from portal.workflows.marketplace_stock import source_of

SAYS_SO = noted("the storefront says so")
SUBJECT = "storefront package"
ENDING = ("storefront_split", "storefront_cannot_supply")


def title_of(storefront: str) -> str:
    """What people call it."""
    found = known(Storefronts).by_code.get(storefront)
    return found.title if found else storefront


def learn(storefront: str, told: Sequence[Told], *, heard_by: str, asked_at: datetime) -> list[StorefrontPackage]:
    """Keep what a storefront told about packages of one order, and let the stock follow; answers what was news.

    New packages before ended ones: a split hands its pieces on, and nothing is free in between or promised twice.
    """
    by = Actor(title_of(storefront))
    marketplace.hold_order(storefront, told[0].order_number)
    told = sorted(told, key=lambda package: (package.state in ENDED, package.changed_at))
    kept = [marketplace.keep(storefront, one, heard_by=heard_by, asked_at=asked_at, by=by) for one in told]
    news = [package for package, is_news, _first in kept if is_news]
    # An answer that could not be read may name no order, or another one: what is not held is not settled.
    family = _family([one.package for one in kept if one.package.order_number == told[0].order_number])
    for package in family:
        package.superseded = package.superseded or bool(marketplace_queries.successors_of(package))
    inherited = [one.package for one in kept if one.first and marketplace_stock.inherit(one.package)]
    marketplace_stock.settle(family, by=by, because=SAYS_SO)
    for package in family:
        if package.superseded or package.state in ENDED:
            packing.drop_source(Packs.STOREFRONT, package.id, by=by, because=SAYS_SO)
    for package in inherited:
        if package.state in TO_PACK:
            _packed(package, by=by, because=noted("its goods were packed before it was split off"))
    return news


def _family(packages: Sequence[StorefrontPackage]) -> list[StorefrontPackage]:
    """These, what they were made of, and what was made of them: each once."""
    found = {package.id: package for package in packages}
    for package in packages:
        relatives = marketplace_queries.origins_of(package) + marketplace_queries.successors_of(package)
        found |= {relative.id: relative for relative in relatives}
    return sorted(found.values(), key=lambda package: package.id)


def settle_again(package_id: int, *, by: Actor, because: str) -> None:
    """Something about its items is known now that was not before: let the stock follow."""
    package = marketplace.hold_package(package_id)
    marketplace_stock.settle(_family([package]), by=by, because=because)


def hold_for_packing(package_id: int) -> StorefrontPackage:
    """A packer is about to confirm: nobody cancels or splits it until the transaction ends. Call it before the stock.

    Refuses with `NotToBePacked` what was cancelled, split, is unpaid or unreadable, and what was packed already by
    another confirmation (whose caller should have recognised its own repetition before).
    """
    package = marketplace.hold_package(package_id)
    insist_to_be_packed(package)
    return package


def insist_to_be_packed(package: StorefrontPackage) -> None:
    """As above, where the package is held already (`marketplace.hold_package`)."""
    _insist_on_packing(package)
    if package.packed_at is not None:
        raise NotToBePacked(_l("This package has already been packed."))


def _insist_on_packing(package: StorefrontPackage) -> None:
    if package.packed_at is None and (package.state not in {*TO_PACK, *ON_THEIR_WAY} or package.superseded):
        state = PACKAGE.meaning(package.state).label
        raise NotToBePacked(_l("This package is not to be packed: %(state)s.", state=state), state=package.state)


def packing_confirmed(package_id: int, *, by: Actor) -> None:
    """Everything is in its parcel and has left its shelf: the package is *Picking*, and the storefront will hear it.

    In the packer's transaction, after the stock. Twice is once. Refuses with `NotToBePacked`, as `hold_for_packing`;
    the packer's whole transaction is then undone, the stock with it.
    """
    held_is_packed(marketplace.hold_package(package_id), by=by)


def held_is_packed(package: StorefrontPackage, *, by: Actor) -> None:
    """As above, where the package is held already."""
    if package.packed_at is not None:
        return
    _insist_on_packing(package)
    package.packed_at = clock.now()
    _packed(package, by=by, because=noted("packed"))


def _packed(package: StorefrontPackage, *, by: Actor, because: str) -> None:
    if package.state in TO_PACK:
        marketplace.move(package, PackageState.PICKING, by=by, because=because)
        _intend("storefront_picking", package, {}, by=by)


def invoiced(package_id: int, invoice_number: str, *, by: Actor) -> None:
    """The package has its invoice; the storefront will hear it, after *Picking*. Twice with the same number is once.

    Refuses with `NotYetPacked` what is not packed, and a second, other number with `BadInput`.
    """
    package = marketplace.hold_package(package_id)
    number = invoice_number.strip()
    if not number or len(number) > 50 or not number.isprintable():
        raise BadInput(fields={"invoice_number": _l("An invoice number of at most 50 characters.")})
    if package.invoice_number == number:
        return
    if package.invoice_number:
        raise BadInput(fields={"invoice_number": _l("This package already has the invoice %(number)s.", number=package.invoice_number)})  # fmt: skip
    if package.state not in ON_THEIR_WAY:
        raise NotYetPacked(_l("Only a packed package can be invoiced."), state=package.state)
    package.invoice_number = number
    if package.state == PackageState.PICKING:
        marketplace.move(package, PackageState.INVOICED, by=by, because=noted("invoiced"))
    _intend("storefront_invoiced", package, {"invoice_number": number}, by=by)


def split(package_id: int, parcels: Mapping[int, Sequence[int]], *, by: Actor) -> None:
    """Send it in several parcels: per line (our id), the pieces in each parcel, nothing left out and nothing twice.

    Quantities are those of the line (what its barcode stands for). The storefront makes a new package of each; they
    come with a later pull and take over what this one has set aside or packed. Refuses wrong sums with `BadInput`, and
    with `AlreadySplit` a second, other wish.
    """
    package = _held_open(package_id)
    quantities, keys = _quantities(package)
    lengths = {len(pieces) for pieces in parcels.values()}
    adds_up = all(
        min(pieces, default=-1) >= 0 and sum(pieces) == quantities.get(key) for key, pieces in parcels.items()
    )
    if not adds_up or len(lengths) != 1 or lengths <= {0, 1}:
        raise BadInput(fields={"parcels": _l("The parcels do not add up to the package.")})
    wanted = {keys[key]: list(pieces) for key, pieces in parcels.items()}
    _intend("storefront_split", package, {"lines": wanted}, by=by)
    package.superseded = True


def cannot_supply(package_id: int, lines: Mapping[int, int], *, by: Actor) -> None:
    """So many of some lines (our ids) cannot be sent. The storefront cancels them and makes a package of the rest.

    Refuses more than there is with `BadInput`, and with `AlreadySplit` a second, other wish.
    """
    package = _held_open(package_id)
    quantities, keys = _quantities(package)
    if not lines or any(not 0 < pieces <= quantities.get(key, 0) for key, pieces in lines.items()):
        raise BadInput(fields={"lines": _l("More pieces than the package holds.")})
    wanted = {keys[key]: pieces for key, pieces in lines.items()}
    _intend("storefront_cannot_supply", package, {"lines": wanted}, by=by)
    package.superseded = True


def _held_open(package_id: int) -> StorefrontPackage:
    package = marketplace.hold_package(package_id)
    if package.state not in (PackageState.CREATED, PackageState.PICKING, PackageState.INVOICED):
        state = PACKAGE.meaning(package.state).label
        raise NotToBePacked(_l("This package is not to be packed: %(state)s.", state=state), state=package.state)
    return package


def _quantities(package: StorefrontPackage) -> tuple[dict[int, int], dict[int, str]]:
    lines = marketplace_queries.lines_of([package.id])[package.id]
    return {line.id: line.quantity for line in lines}, {line.id: line.line_key for line in lines}


def _intend(operation: str, package: StorefrontPackage, request: dict[str, object], *, by: Actor) -> None:
    """Once per package and wish, and again after a refusal. The two that end a package exclude each other."""
    before = [intent for intent in outbox_queries.intents_about(SUBJECT, [str(package.id)]) if intent.state == "FAILED"]
    wish = "end" if operation in ENDING else operation
    key = f"storefront:{package.id}:{wish}:{sum(intent.operation == operation for intent in before)}"
    request = {**request, "package_key": package.package_key}
    intent_id = outbox.intend(
        operation, provider=package.storefront, key=key, subject=(SUBJECT, package.id), request=request, by=by
    )
    intent = outbox_queries.intent(intent_id)
    if (intent.operation, intent.request) != (operation, request):
        raise AlreadySplit(_l("This package has already been split or cut, another way."))


def goods_came_back(return_id: int, shelf_id: int, pieces: int, *, key: str, by: Actor) -> None:
    """Pieces that had left for a package lie on a shelf again. Once per `key`; never more than are expected."""
    expected = marketplace.held_return(return_id)
    package = marketplace_queries.package(expected.package_id)
    source = source_of(package)._replace(key=expected.taken_for)
    before = stock_queries.out_for(source)
    stock.give_back(expected.item_id, shelf_id, pieces, source=source, key=key, by=by, because=noted("came back"))
    if stock_queries.out_for(source) != before:
        marketplace.came_back(expected, pieces, by=by)


def goods_are_not_coming(return_id: int, *, by: Actor, because: str) -> None:
    """What is left of an expected return will not come: lost, or kept by the customer. Refuses without a reason."""
    marketplace.not_coming(marketplace.held_return(return_id), by=by, because=because)

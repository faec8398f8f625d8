"""What marketplaces sold, as the warehouse sees it: packages, what must come back, and how well we listen."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.core import clock
from portal.core.errors import BadInput
from portal.core.ports import known
from portal.core.unit_of_work import atomic
from portal.core.web import choice, paged, region, search_words
from portal.marketplace import listing
from portal.marketplace import queries as marketplace_queries
from portal.marketplace import services as marketplace
from portal.marketplace.listing import PackageFilter, PackageRow, ReturnRow
from portal.marketplace.ports import PackageState, Storefronts
from portal.marketplace.states import PACKAGE
from portal.orders import queries as orders_queries
from portal.outbox import queries as outbox_queries
from portal.stock import queries as stock_queries
from portal.stock import services as stock
from portal.workflows import marketplace_jobs, marketplace_orders, package_labels
from portal.workflows.marketplace_stock import source_of

bp = Blueprint("marketplace", __name__, url_prefix="/warehouse/marketplace")

WHY = {
    PackageState.AWAITING: _l(
        "The marketplace still checks the payment. What we keep of it is set aside; nothing is packed."
    ),
    PackageState.CREATED: _l("It is paid and waits for a packer. What we keep of it is set aside."),
    PackageState.PICKING: _l("The goods are in their parcel. The marketplace hears it from us."),
    PackageState.INVOICED: _l("Packed and invoiced. It waits for the carrier."),
    PackageState.SHIPPED: _l("The carrier has it, says the marketplace."),
    PackageState.AT_COLLECTION_POINT: _l("It waits for the customer at a collection point."),
    PackageState.DELIVERED: _l("The customer has it."),
    PackageState.UNDELIVERED: _l("The carrier could not deliver it. A second try, or its return, will follow."),
    PackageState.RETURNED: _l("The customer sent it back. The goods belong on a shelf again."),
    PackageState.CANCELLED: _l("It was cancelled. What was set aside is free; what was packed must come back."),
    PackageState.UNSUPPLIED: _l("It could not be supplied. What was set aside is free."),
    PackageState.UNPACKED: _l("It was split. Its parts have taken over what it had set aside."),
    PackageState.UNKNOWN: _l("The marketplace uses a word we do not know. Nothing is moved until it says another one."),
}


@bp.get("")
@requires(Permission.STOREFRONT_SEE)
def package_list() -> str:
    """Packages of all marketplaces, the most urgent first."""
    titles = {code: store.title for code, store in sorted(known(Storefronts).by_code.items())}
    wanted = PackageFilter(
        state=choice("state", [state.value for state in PackageState]),
        storefront=choice("storefront", list(titles)),
        words=search_words(),
        only_troubles=choice("troubles", ["1"]) == "1",
    )
    rows = listing.packages(wanted, oversold=stock_queries.oversold(), now=clock.now())
    return render_template(
        "warehouse/marketplace.html",
        rows=paged(rows, row=PackageRow),
        counts=listing.counts(wanted),
        wanted=wanted,
        titles=titles,
        checks=listing.latest_gap_checks(),
        syncs=listing.syncs(),
        coming_back=listing.returns_expected(),
    )


@bp.get("/<int:package_id>")
@requires(Permission.STOREFRONT_SEE)
def package(package_id: int) -> str:
    """One package: what is in it, why it is where it is, and everything that was said about it."""
    found = marketplace_queries.package(package_id)
    lines = marketplace_queries.lines_of([package_id])[package_id]
    oversold = stock_queries.oversold([line.item_id for line in lines if line.item_id is not None])
    return render_template(
        "warehouse/storefront_package.html",
        row=listing.package_row(package_id, oversold=oversold, now=clock.now()),
        package=found,
        lines=lines,
        oversold=oversold,
        why=WHY[PackageState(found.state)],
        title=marketplace_orders.title_of(found.storefront),
        reservations=stock_queries.reservations_of(source_of(found)),
        words=listing.words_of(package_id),
        history=orders_queries.history(PACKAGE.subject, [package_id]),
        intents=outbox_queries.intents_about(marketplace_orders.SUBJECT, [str(package_id)]),
        origins=marketplace_queries.origins_of(found),
        successors=marketplace_queries.successors_of(found),
        has_label=package_labels.has_label(found),
        returns=listing.return_rows(listing.returns(only_expected=False, package_id=package_id)),
    )


@bp.post("/<int:package_id>/read-again")
@requires(Permission.STOREFRONT_ACT)
def read_again(package_id: int) -> Response:
    """Somebody doubts what we have: the workers ask the marketplace now."""
    with atomic():
        marketplace.read_again(marketplace.hold_package(package_id))
    return region("", page=url_for(".package", package_id=package_id), toast=_("The marketplace is being asked."))


@bp.get("/returns")
@requires(Permission.STOREFRONT_SEE)
def return_list() -> str:
    """What left for nothing and must come back to a shelf."""
    return render_template("warehouse/storefront_returns.html", rows=paged(listing.returns(), row=ReturnRow))


@bp.post("/returns/<int:return_id>/received")
@requires(Permission.STOREFRONT_ACT)
def received(return_id: int) -> Response:
    """The goods lie on a shelf again; sent twice, they do so once."""
    pieces, key = request.form.get("pieces", ""), request.form.get("once", "").strip()[:100]
    if not (pieces.isascii() and pieces.isdigit() and len(pieces) < 8):
        raise BadInput(fields={"pieces": _("How many pieces?")})
    if not key:
        raise BadInput(_("The request could not be understood."))
    with atomic():
        shelf = stock.shelf_of(request.form.get("shelf", ""))
        marketplace_orders.goods_came_back(
            return_id, shelf.id, int(pieces), key=f"storefront-return:{return_id}:{key}", by=current_actor()
        )
    return region("", page=url_for(".return_list"), toast=_("On the shelf again."))


@bp.post("/returns/<int:return_id>/not-coming")
@requires(Permission.STOREFRONT_ACT)
def not_coming(return_id: int) -> Response:
    """What is left of them will not come; somebody says why."""
    with atomic():
        marketplace_orders.goods_are_not_coming(
            return_id, by=current_actor(), because=request.form.get("because", "")[:500]
        )
    return region("", page=url_for(".return_list"), toast=_("Written down."))


@bp.get("/listening")
@requires(Permission.STOREFRONT_SEE)
def listening() -> str:
    """How far each marketplace was read, and what the comparisons found."""
    return render_template(
        "warehouse/storefront_listening.html",
        titles={code: store.title for code, store in sorted(known(Storefronts).by_code.items())},
        syncs=listing.syncs(),
        checks=paged(listing.gap_checks()),
        latest=listing.latest_gap_checks(),
    )


@bp.post("/listening")
@requires(Permission.STOREFRONT_ACT)
def listen_now() -> Response:
    """Read every marketplace now, and compare."""
    marketplace_jobs.ask_everybody()
    marketplace_jobs.compare_everybody()
    return region("", page=url_for(".listening"), toast=_("The marketplaces are being asked."))

"""What storefronts are told about our stock: pages for the warehouse, buttons for the administrator."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.core.web import choice, paged, region, safe_next, search_words
from portal.marketplace.push import queries
from portal.marketplace.push.states import KIND_NAMES, STANDING, Standing
from portal.workflows import stock_push

bp = Blueprint("push", __name__, url_prefix="/warehouse/push")

EXPOSED = "EXPOSED"


@bp.get("/")
@requires(Permission.PUSH_SEE)
def home() -> str:
    """Every barcode on every storefront: wanted, sent, believed, since when, what bothers, and how much is exposed."""
    titles = stock_push.titles()
    storefront = choice("storefront", list(titles))
    standing = choice("standing", [EXPOSED, *(standing.value for standing in Standing)])
    found = queries.listings(storefront, standing, search_words())
    pieces, items = queries.exposure_in_all()
    return render_template(
        "warehouse/push.html",
        rows=paged(found, row=queries.ListingRow),
        counts=queries.counts(),
        exposed_pieces=pieces,
        exposed_items=items,
        turns=queries.turns(),
        titles=titles,
        storefront=storefront,
        standing=standing,
        machine=STANDING,
        q=search_words(),
    )


@bp.get("/log")
@requires(Permission.PUSH_SEE)
def log() -> str:
    """Every push: when, how many, reserved, in how many batches, how it ended, how long it took."""
    titles = stock_push.titles()
    storefront, outcome = choice("storefront", list(titles)), choice("outcome", ["good", "bad"])
    return render_template(
        "warehouse/push_log.html",
        rows=paged(queries.pushes(storefront, outcome), row=queries.PushRow),
        titles=titles,
        storefront=storefront,
        outcome=outcome,
        kinds=KIND_NAMES,
    )


@bp.post("/now")
@requires(Permission.PUSH_ACT)
def push_now() -> Response:
    """What waits, also for a new try, goes now."""
    due = stock_push.push_now(by=current_actor())
    return region("", page=_back(), toast=_("%(n)d barcodes go now.", n=due))


@bp.post("/comparison")
@requires(Permission.PUSH_ACT)
def compare() -> Response:
    """Everything is compared now."""
    found = stock_push.compare_everything(by=current_actor())
    return region("", page=_back(), toast=_("Compared. %(n)d barcodes differ and go now.", n=found.differing))


@bp.post("/listings/<int:listing_id>/again")
@requires(Permission.PUSH_ACT)
def again(listing_id: int) -> Response:
    """One barcode is tried again, with fresh patience."""
    stock_push.try_again(listing_id, by=current_actor())
    return region("", page=_back(), toast=_("It is tried again."))


@bp.post("/listings/<int:listing_id>/offer")
@requires(Permission.PUSH_ACT)
def offer(listing_id: int) -> Response:
    """One barcode is no longer told to its storefront, or told again: the number is said anew."""
    on_sale = request.form.get("on_sale") == "1"
    stock_push.offer(listing_id, on_sale=on_sale, by=current_actor())
    words = _("It is told to the storefront again.") if on_sale else _("The storefront is told nothing more about it.")
    return region("", page=_back(), toast=words, tone="ok" if on_sale else "warn")


def _back() -> str:
    return safe_next(request.form.get("next")) or url_for(".home")

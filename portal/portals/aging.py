"""Finance's accounts by age: customers and suppliers, from the ERP's ledger to the single document."""

from __future__ import annotations

from flask import Response, render_template

from portal.accounts.guard import requires
from portal.accounts.roles import Permission
from portal.core.web import Page

# Their pages are on the same blueprint.
from portal.portals import aging_account, aging_readings
from portal.portals.aging_answers import spreadsheet
from portal.portals.aging_desk import SIDES, asked_for, bp, page_context, view_of
from portal.receivables import queries
from portal.receivables.ports import Side

__all__ = ["aging_account", "aging_readings", "bp"]


@bp.get("")
@requires(Permission.AGING_SEE)
def customers() -> tuple[str, int]:
    """Customers by age."""
    return _list(Side.CUSTOMERS)


@bp.get("/suppliers")
@requires(Permission.AGING_SEE)
def suppliers() -> tuple[str, int]:
    """Suppliers by age: the mirror image."""
    return _list(Side.SUPPLIERS)


def _list(side: Side) -> tuple[str, int]:
    wanted = asked_for()
    situation = queries.situation(side)
    context = page_context(side, situation, wanted)
    try:
        view = view_of(side, wanted.window)
    except queries.NeedsItsOwnReading as reading:
        return render_template("aging/list.html", **context, view=None, needs=reading.as_of), 200
    except queries.NoDataYet:
        return render_template("aging/list.html", **context, view=None, needs=None), 200
    totals = queries.totals(view, wanted.filter)
    rows = queries.rows(view, wanted.filter, Page.wanted(), totals.accounts)
    return (
        render_template("aging/list.html", **context, view=view, needs=None, rows=rows, totals=totals),
        422 if wanted.errors else 200,
    )


@bp.get("/<any(customers, suppliers):word>/export")
@requires(Permission.AGING_SEE)
def export_xlsx(word: str) -> Response:
    """The filtered list as a spreadsheet."""
    side, wanted = SIDES[word], asked_for()
    return spreadsheet(side, view_of(side, wanted.window), wanted.filter)

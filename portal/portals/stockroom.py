"""The stockroom's pages: what we keep, where it lies, for whom it is set aside, and how it came to be so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.accounts.guard import requires
from portal.accounts.roles import Permission
from portal.core.errors import NotFound
from portal.core.web import paged, search_words
from portal.orders import queries as orders_queries
from portal.stock import history, lists, queries
from portal.workflows import set_aside

bp = Blueprint("stockroom", __name__, url_prefix="/warehouse")


@bp.get("/items")
@requires(Permission.STOCK_SEE)
def items() -> str | Response:
    """Everything we keep with its numbers. A scanned barcode goes straight to its item."""
    words, only_oversold = search_words(), request.args.get("oversold") == "1"
    scanned = queries.meant([words]).get(words) if words else None
    if scanned:
        return redirect(url_for(".item", item_id=scanned[0]), code=303)
    return render_template(
        "stockroom/items.html",
        rows=paged(queries.items(words=words, only_oversold=only_oversold), row=queries.ItemRow),
        needs=needs(),
        q=words,
        only_oversold=only_oversold,
    )


@bp.get("/items/<int:item_id>")
@requires(Permission.STOCK_SEE)
def item(item_id: int) -> str:
    """One item: its numbers, where it lies, who has it reserved, its cases, and every movement with who and why."""
    found = queries.item(item_id) if item_id <= lists.BIGGEST_ID else None
    if found is None:
        raise NotFound
    seen = paged(history.movements(item_id), row=history.MovementRow)
    promises = lists.promises_on(item_id)
    return render_template(
        "stockroom/item.html",
        item=found,
        lying=queries.shelves_of([item_id]).get(item_id, []),
        promises=promises,
        cases=queries.case_barcodes([item_id]),
        history=seen,
        numbers=numbers([*promises, *seen.rows]),
    )


@bp.get("/shelves")
@requires(Permission.STOCK_SEE)
def shelves() -> str | Response:
    """All shelves. A scanned code goes straight to its shelf."""
    words = search_words()
    scanned = lists.shelf_called(words) if words else None
    if scanned:
        return redirect(url_for(".shelf", shelf_id=scanned), code=303)
    return render_template("stockroom/shelves.html", rows=paged(lists.shelves(words), row=lists.ShelfRow), q=words)


@bp.get("/shelves/<int:shelf_id>")
@requires(Permission.STOCK_SEE)
def shelf(shelf_id: int) -> str:
    """What lies on a shelf, and what came and went."""
    found = lists.shelf(shelf_id)
    seen = history.movement_rows(lists.movements_on(shelf_id).limit(25))
    return render_template(
        "stockroom/shelf.html",
        shelf=found,
        rows=paged(lists.lying_on(shelf_id), row=lists.LyingRow),
        history=seen,
        numbers=numbers(seen),
    )


@bp.get("/shortages")
@requires(Permission.STOCK_SEE)
def shortages() -> str:
    """What somebody looked for and did not find: each asks for a count."""
    rows = paged(history.shortages(), row=history.ShortageRow)
    return render_template("stockroom/shortages.html", rows=rows, numbers=numbers(rows.rows))


def needs() -> lists.Needs:
    """What waits in the stockroom."""
    return lists.needs(str(current_app.config["RETURNS_SHELF"]))


def numbers(rows: Iterable[Any]) -> dict[str, tuple[int, str]]:
    """Our own orders among the rows, by the key the stock knows them by: id and number."""
    keys = {row.source_key for row in rows if row.source_kind == set_aside.KIND}
    found = orders_queries.numbers_of({int(key) for key in keys if key.isdigit()})
    return {str(order_id): (order_id, number) for order_id, number in found.items()}

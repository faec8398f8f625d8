"""What is done in the stockroom: goods are received, counted and moved; items, cases and shelves are added.

Every form carries a key of its own: sent twice, by an impatient finger or a scanner that reads twice, it works once.
What is refused comes back with what was typed, so that nothing has to be scanned again.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission
from portal.core.errors import BadInput, Refusal
from portal.core.i18n import noted
from portal.core.unit_of_work import atomic
from portal.core.web import nonce, paged, region
from portal.orders import queries as orders_queries
from portal.stock import lists, queries
from portal.stock import services as stock
from portal.workflows import set_aside

bp = Blueprint("goods", __name__, url_prefix="/warehouse")
Answer = str | Response | tuple[str, int]


@bp.get("/receipt")
@requires(Permission.STOCK_MOVE)
def receipt() -> Answer:
    """Goods have come: what, where to, how many."""
    return _receipt({"shelf": request.args.get("shelf", ""), "barcode": request.args.get("barcode", "")})


@bp.post("/receipt")
@requires(Permission.STOCK_MOVE)
def received() -> Answer:
    """They lie on their shelf."""
    try:
        scanned, shelf, number = _scanned(), _shelf("shelf"), _whole("pieces", least=1)
        pieces = number * scanned.pieces
        with atomic():
            stock.receive(
                scanned.item.id, shelf.id, pieces, key=_key("receipt"), by=current_actor(), because=_text("because")
            )
    except Refusal as no:
        return _receipt(request.form, no)
    said = _("%(pieces)d of %(item)s lie on %(shelf)s now.", pieces=pieces, item=scanned.item.name, shelf=shelf.code)
    return region("", page=url_for(".receipt", shelf=shelf.code), toast=said)


def _receipt(typed: Any, no: Refusal | None = None) -> Answer:
    just_received = lists.just_received(current_person().id)
    return _form("stockroom/receipt.html", typed, no, just_received=just_received)


@bp.get("/transfer")
@requires(Permission.STOCK_MOVE)
def transfer() -> Answer:
    """Goods move: what, from where, where to, how many."""
    wanted = {name: request.args.get(name, "") for name in ("barcode", "from_shelf", "to_shelf", "pieces")}
    return _form("stockroom/transfer.html", wanted)


@bp.post("/transfer")
@requires(Permission.STOCK_MOVE)
def transferred() -> Answer:
    """They lie elsewhere now."""
    try:
        scanned, from_, to = _scanned(), _shelf("from_shelf"), _shelf("to_shelf")
        pieces = _whole("pieces", least=1) * scanned.pieces
        key, why = _key("transfer"), _text("because")
        with atomic():
            stock.transfer(scanned.item.id, from_.id, to.id, pieces, key=key, by=current_actor(), because=why)
    except Refusal as no:
        return _form("stockroom/transfer.html", request.form, no)
    said = _("%(pieces)d of %(item)s lie on %(shelf)s now.", pieces=pieces, item=scanned.item.name, shelf=to.code)
    return region("", page=url_for(".transfer", from_shelf=from_.code), toast=said)


@bp.get("/count")
@requires(Permission.STOCK_MOVE)
def count() -> Answer:
    """Which shelf is counted? Then: what was found of each thing on it."""
    if "shelf" not in request.args:
        return _form("stockroom/count.html", {})
    try:
        shelf = _shelf("shelf", request.args)
    except Refusal as no:
        return _form("stockroom/count.html", request.args, no)
    return _sheet(shelf.id, {})


@bp.post("/shelves/<int:shelf_id>/count")
@requires(Permission.STOCK_MOVE)
def counted(shelf_id: int) -> Answer:
    """What was found becomes what lies there; each difference is a movement."""
    lists.shelf(shelf_id)
    try:
        found = _found()
        because = _text("because") or noted("counted")
        differences = {}
        with atomic():
            # In the items' order, like everybody else who needs several.
            for item_id, pieces in sorted(found.items()):
                key = f"{_key('count')}:{item_id}"
                moved = stock.count(item_id, shelf_id, pieces, key=key, by=current_actor(), because=because)
                differences[item_id] = sum(movement.pieces for movement in moved)
    except Refusal as no:
        return _sheet(shelf_id, request.form, no)
    return region("", page=url_for("stockroom.shelf", shelf_id=shelf_id), toast=_said(differences))


def _said(differences: dict[int, int]) -> str:
    wrong = [pieces for pieces in differences.values() if pieces]
    more, fewer = sum(p for p in wrong if p > 0), -sum(p for p in wrong if p < 0)
    said = (
        _("%(more)d more, %(fewer)d fewer than believed.", more=more, fewer=fewer) if wrong else _("All as believed.")
    )
    counted_ = ngettext("%(num)d thing counted.", "%(num)d things counted.", len(differences))
    return f"{counted_} {said}"


def _found() -> dict[int, int]:
    """Fields are named n-<item>; an empty one was not counted. One more thing may be named by its barcode."""
    found = {}
    for name, text in request.form.items():
        digits = name.removeprefix("n-")
        if name.startswith("n-") and text.strip() and digits.isascii() and digits.isdigit() and len(digits) < 19:
            found[int(digits)] = _whole(name, least=0)
    if request.form.get("barcode", "").strip():
        scanned = _scanned()
        found[scanned.item.id] = _whole("pieces", least=0) * scanned.pieces
    if not found:
        raise BadInput(_("Write down how many you found of at least one thing."))
    return found


def _sheet(shelf_id: int, typed: Any, no: Refusal | None = None) -> Answer:
    rows = paged(lists.lying_on(shelf_id), row=lists.LyingRow)
    return _form("stockroom/sheet.html", typed, no, shelf=lists.shelf(shelf_id), rows=rows)


@bp.get("/items/new")
@requires(Permission.STOCK_KEEP)
def new_item() -> Answer:
    """We begin to keep something; what sellers already offer under the barcode is suggested."""
    barcode = request.args.get("barcode", "").strip()[:100]
    offered = [offer for offer in orders_queries.offers(barcode) if offer.barcode == barcode] if barcode else []
    return _form("stockroom/new_item.html", {"barcode": barcode, "name": offered[0].name if offered else ""})


@bp.post("/items")
@requires(Permission.STOCK_KEEP)
def add_item() -> Answer:
    """It is kept from now on; orders that wait for it have it set aside as soon as there is some."""
    try:
        safety = _whole("safety", least=0) if _text("safety") else 0
        with atomic():
            item_id = stock.add_item(_text("barcode"), _text("name"), safety=safety).id
    except Refusal as no:
        return _form("stockroom/new_item.html", request.form, no)
    set_aside.catch_up()
    return region("", page=url_for("stockroom.item", item_id=item_id), toast=_("It is kept from now on."))


@bp.post("/items/<int:item_id>/cases")
@requires(Permission.STOCK_KEEP)
def add_case(item_id: int) -> Answer:
    """A case with a barcode of its own."""
    item = stock.item_of(_item(item_id).barcode).item
    with atomic():
        stock.add_case(item, _text("barcode"), _whole("pieces", least=2))
    return region("", page=url_for("stockroom.item", item_id=item_id), toast=_("The case is known now."))


@bp.post("/items/<int:item_id>/safety")
@requires(Permission.STOCK_KEEP)
def safety(item_id: int) -> Answer:
    """So many pieces are never offered to marketplaces."""
    item, because = stock.item_of(_item(item_id).barcode).item, _text("because")
    if not because:
        raise BadInput(fields={"because": _("Say why.")})
    with atomic():
        stock.set_safety(item, _whole("safety", least=0), by=current_actor(), because=because)
    return region("", page=url_for("stockroom.item", item_id=item_id), toast=_("Written down."))


@bp.post("/shelves")
@requires(Permission.STOCK_KEEP)
def add_shelf() -> Answer:
    """A new place in the warehouse."""
    with atomic():
        shelf = stock.add_shelf(_text("shelf"))
    return region("", page=url_for("stockroom.shelf", shelf_id=shelf.id), toast=_("The shelf is there."))


def _form(template: str, typed: Any, no: Refusal | None = None, **context: Any) -> Answer:
    """A form, new or with what was typed and why it was refused. A refused form keeps its key."""
    page = render_template(
        template,
        typed=typed,
        once=typed.get("once") or nonce(),
        wrong=no.fields if isinstance(no, BadInput) else {},
        refused="" if no is None else no.message,
        **context,
    )
    return page if no is None else (page, no.status)


def _item(item_id: int) -> queries.ItemRow:
    found = queries.item(item_id) if item_id <= lists.BIGGEST_ID else None
    if found is None:
        raise BadInput(_("There is nothing here, or it is not yours to see."))
    return found


def _scanned() -> stock.Scanned:
    try:
        return stock.item_of(_text("barcode"))
    except stock.UnknownBarcode as no:
        raise BadInput(fields={"barcode": no.message}) from no


def _shelf(field: str, typed: Any = None) -> Any:
    try:
        return stock.shelf_of((request.form if typed is None else typed).get(field, "").strip()[:100])
    except stock.UnknownShelf as no:
        raise BadInput(fields={field: no.message}) from no


def _whole(field: str, *, least: int) -> int:
    text = _text(field)
    if not (text.isascii() and text.isdigit() and len(text) < 8 and int(text) >= least):
        raise BadInput(fields={field: _("Write a whole number of pieces.")})
    return int(text)


def _text(field: str) -> str:
    return request.form.get(field, "").strip()[:200]


def _key(act: str) -> str:
    once = _text("once")
    if not (once and once.isprintable()):
        raise BadInput(_("This form has lost its key. Please open it again."))
    return f"{act}:{current_person().id}:{once[:60]}"

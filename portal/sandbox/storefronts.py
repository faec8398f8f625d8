"""The marketplaces by hand: buy, cancel, carry; and the first orders of a new world."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from portal.sandbox.n11 import books as n11_books
from portal.sandbox.store import Row
from portal.sandbox.trendyol import books as trendyol_books
from portal.sandbox.trendyol.shelf import Shelf
from portal.sandbox.world import World

# What the demo company sells: barcode, name, price in lira.
GOODS = [
    ("8690000000011", "Oluklu koli 40×30×30, 25'li", "1399.90"),
    ("8690000000028", "Streç film 50 cm × 300 m", "429.90"),
    ("8690000000035", "Koli bandı şeffaf, 6'lı", "239.90"),
    ("8690000000042", "Havalı naylon 100 cm × 50 m", "819.00"),
    ("8690000000110", "A4 fotokopi kâğıdı, 5 paket", "999.90"),
    ("8690000000127", "Tükenmez kalem mavi, 50'li", "359.90"),
]
MOST_SHOWN = 40


class Shop(NamedTuple):
    """One marketplace: what a person may do there."""

    title: str
    statuses: tuple[str, ...]
    order: Callable[[list[Row], str], Row]
    becomes: Callable[[str, str], Row]
    cancel: Callable[[str, list[Row]], Row]
    packages: Callable[[], list[Row]]
    know: Callable[[str, int], Row]


def shops(world: World) -> dict[str, Shop]:
    """Every marketplace there is."""
    ty, eleven = trendyol_books.Books(world, Shelf(world)), n11_books.Books(world)
    return {
        "trendyol": Shop(
            "Trendyol", trendyol_books.STATUSES, ty.order, ty.set_status, ty.cancel, ty.packages, ty.shelf.know
        ),
        "n11": Shop(
            "N11",
            n11_books.STATUSES,
            eleven.order,
            lambda key, status: eleven.changed(eleven.find(key), status),
            eleven.cancel,
            eleven.packages,
            eleven.know,
        ),
    }


def pages(world: World) -> Blueprint:
    """One page for people."""
    bp = Blueprint("storefronts_pages", __name__)
    found = shops(world)

    def shop_of(code: str) -> Shop:
        return found.get(code) or abort(404)

    @bp.get("/storefronts")
    def counter() -> str:
        shown = {code: shop.packages()[-MOST_SHOWN:][::-1] for code, shop in found.items()}
        return render_template("storefronts.html", shops=found, packages=shown, goods=GOODS)

    @bp.post("/storefronts/<code>/orders")
    def buys(code: str) -> Response:
        shop, quantity = shop_of(code), request.form.get("quantity", "")
        barcode = request.form.get("other", "").strip() or request.form.get("barcode", "")
        if not (quantity.isascii() and quantity.isdigit() and 0 < int(quantity) <= 10_000 and 0 < len(barcode) <= 100):
            abort(422)
        status = "Awaiting" if request.form.get("unpaid") and "Awaiting" in shop.statuses else "Created"
        shop.order([line(barcode, int(quantity))], status)
        return redirect("/storefronts", code=303)

    @bp.post("/storefronts/<code>/<key>")
    def happens(code: str, key: str) -> Response:
        shop, what = shop_of(code), request.form.get("status", "")
        if key not in {str(row["id"]) for row in shop.packages()}:
            abort(404)
        if what == "cancel":
            shop.cancel(key, [])
        elif what in shop.statuses:
            shop.becomes(key, what)
        else:
            abort(422)
        return redirect("/storefronts", code=303)

    return bp


def line(barcode: str, quantity: int) -> Row:
    """So many of a thing, at its price."""
    name, price = next(((name, price) for code, name, price in GOODS if code == barcode), (f"Ürün {barcode}", "129.90"))
    return {"barcode": barcode, "name": name, "price": price, "quantity": quantity}


def open_shops(world: World) -> None:
    """A new world: the demo company's goods are listed, and the first customers have bought."""
    found = shops(world)
    if any(shop.packages() for shop in found.values()):
        return
    for shop in found.values():
        for barcode, _name, _price in GOODS:
            shop.know(barcode, 0)
    codes = [barcode for barcode, _name, _price in GOODS]
    found["trendyol"].order([line(codes[0], 2), line(codes[2], 3)], "Created")
    found["trendyol"].order([line(codes[4], 1)], "Created")
    found["n11"].order([line(codes[1], 2)], "Created")

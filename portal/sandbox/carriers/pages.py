"""The carriers by hand: every parcel, and what should happen to it."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from portal.sandbox.carriers import control
from portal.sandbox.carriers.books import CARRIERS, EVENTS, Books, NotPossible

STRANGE = "unknown:X9:Şube kapalıydı, yarın bakılacak"


def pages(books: Books) -> Blueprint:
    """One page for people."""
    bp = Blueprint("carriers_pages", __name__)

    @bp.get("/parcels")
    def shelves() -> str:
        found = {carrier: books.parcels(carrier)[-30:][::-1] for carrier in CARRIERS}
        return render_template("parcels.html", shelves=found, events=(*EVENTS, STRANGE))

    @bp.post("/parcels/<carrier>/<key>")
    def happens(carrier: str, key: str) -> Response:
        if carrier not in CARRIERS or not books.parcel(carrier, key):
            abort(404)
        try:
            control.advance(books, carrier, key, request.form.get("event", ""))
        except NotPossible:
            abort(422)
        return redirect("/parcels", code=303)

    return bp

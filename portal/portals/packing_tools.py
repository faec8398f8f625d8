"""Around the packing screen: the scanner's self-test, command barcodes, and what makes it installable."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, url_for
from flask_babel import gettext as _

from portal.accounts.guard import requires
from portal.accounts.roles import Permission
from portal.core.errors import NotFound
from portal.core.web import asset
from portal.packing import pictures, rules

bp = Blueprint("packing_tools", __name__, url_prefix="/packing")

# What a wrongly set scanner spoils: a dotted capital I and letters that Turkish Q moves; then plain digits.
TESTS = ("TURKCEQ-1I", "EMTEST0123456789")
SHELL = (
    "css/portal.css", "css/packing.css", "js/portal.js", "js/scanner.js", "js/packing-store.js", "js/packing-rules.js",
    "js/packing-board.js", "js/packing.js",
    "fonts/emanet-inter-core.woff2", "fonts/emanet-inter-tr.woff2", "icon.svg",
)  # fmt: skip


@bp.get("/scanner")
@requires(Permission.PACKING_SEE)
def scanner() -> str:
    """Is the scanner set right? And the command barcodes, to print and lay on the table."""
    return render_template("packing/scanner.html", tests=TESTS, commands=_commands())


@bp.get("/barcodes/<barcode>.svg")
@requires(Permission.PACKING_SEE)
def picture(barcode: str) -> Response:
    """A Code 128 picture of a test or command barcode."""
    if barcode not in rules.COMMANDS and barcode not in TESTS:
        raise NotFound
    return Response(pictures.svg(barcode), mimetype="image/svg+xml")


@bp.get("/manifest.webmanifest")
@requires(Permission.PACKING_SEE)
def manifest() -> Response:
    """So that a tablet can keep the packing screen like an app."""
    said = {
        "id": "/packing/",
        "name": _("Emanet packing"),
        "short_name": _("Packing"),
        "start_url": url_for("packing.queue"),
        "scope": "/packing/",
        "display": "standalone",
        "background_color": "#fcfbf7",
        "theme_color": "#1f3f8f",
        "icons": [
            {"src": asset("icon-192.png"), "sizes": "192x192", "type": "image/png"},
            {"src": asset("icon-512.png"), "sizes": "512x512", "type": "image/png"},
            {"src": asset("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        ],
    }
    return Response(json.dumps(said), mimetype="application/manifest+json")


@bp.get("/worker.js")
@requires(Permission.PACKING_SEE)
def worker() -> Response:
    """The service worker, with the addresses of the shell's files as they are now."""
    static = current_app.static_folder
    assert static
    script = (Path(static) / "js/packing-worker.js").read_text()
    shell = [asset(name) for name in SHELL]
    # Fonts are asked for by the stylesheet, which knows no versions.
    plain = [url_for("static", filename=name) for name in SHELL if name.startswith("fonts/")]
    return Response(f"const SHELL = {json.dumps(shell + plain)};\n{script}", mimetype="text/javascript")


def _commands() -> list[tuple[str, str]]:
    said = {
        "EMCMDOK": _("Understood"),
        "EMCMDUNDO": _("Take back the last one"),
        "EMCMDNEWBOX": _("New parcel"),
        "EMCMDNEXTBOX": _("Next parcel"),
        "EMCMDFINISH": _("Close the boxes"),
    }
    boxes = {f"EMCMDBOX{number}": _("Parcel %(number)d", number=number) for number in range(1, 4)}
    return list({**said, **boxes}.items())

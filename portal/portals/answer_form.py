"""What the buyer says of a parcel line by line, as the form sends it."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import render_template, request
from flask_babel import gettext as _

from portal.core.errors import BadInput
from portal.disputes.pictures import Picture, redrawn
from portal.shipping.models import Shipment
from portal.shipping.services import LineAnswer

PHOTOS_A_LINE = 4


class Answered(NamedTuple):
    """Pieces per line, pictures per line, and a note."""

    lines: list[LineAnswer]
    pictures: dict[int, list[Picture]]
    note: str


def read(parcel: Shipment) -> Answered:
    """Fields are damaged-<line>, missing-<line>, photo-<line> and note. What is neither is accepted.

    Refuses no whole numbers, more than is in the parcel, and files that are no pictures; the field is named.
    """
    wrong: dict[str, str] = {}
    lines, pictures = [], {}
    for item in parcel.items:
        line_id, inside = int(item["line_id"]), int(item["quantity"])
        damaged, missing = (_pieces(f"{kind}-{line_id}", wrong) for kind in ("damaged", "missing"))
        if damaged + missing > inside:
            wrong[f"damaged-{line_id}"] = _("Only %(n)d pieces are in this parcel.", n=inside)
        else:
            lines.append(LineAnswer(line_id, inside - damaged - missing, damaged, missing))
        pictures[line_id] = _pictures(f"photo-{line_id}", wrong)
    if not wrong and not any(line.objected for line in lines):
        wrong["lines"] = _("Say of which product something is missing or damaged, or confirm that everything is there.")
    if wrong:
        raise BadInput(fields=wrong)
    return Answered(lines, pictures, request.form.get("note", "").strip()[:2000])


def _pieces(name: str, wrong: dict[str, str]) -> int:
    typed = request.form.get(name, "").strip() or "0"
    if not (typed.isascii() and typed.isdigit() and len(typed) < 8):
        wrong[name] = _("Write a whole number of pieces.")
        return 0
    return int(typed)


def _pictures(name: str, wrong: dict[str, str]) -> list[Picture]:
    found = []
    for file in request.files.getlist(name)[:PHOTOS_A_LINE]:
        content = file.read()
        if not content:
            continue
        try:
            found.append(redrawn(content))
        except BadInput as no:
            wrong[name] = no.fields["photo"]
    return found


def again(no: BadInput, **context: Any) -> str:
    """The form once more, with what was typed and what is wrong with it. (Files have to be chosen again.)"""
    return render_template("buyer/answer.html", errors=no.fields, typed=request.form.to_dict(), **context)

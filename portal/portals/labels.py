"""Labels for parcels, one page each; a repeat says that it is a copy."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from portal.accounts.guard import current_person, requires
from portal.accounts.roles import Permission, Role
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.shipping.labels import Label
from portal.workflows import labels, package_labels

bp = Blueprint("labels", __name__)
MOST = 200


@bp.post("/labels")
@requires(Permission.LABEL_PRINT)
def printed() -> Response:
    """The labels of the chosen parcels: PDF for any printer, ZPL for a label printer. Prints are counted."""
    ids = _chosen()
    seller = current_person().organisation_id if current_person().role == Role.SELLER else None
    with atomic():
        made = labels.labels_of(ids, seller_id=seller)
    return _sheets(made)


@bp.post("/labels/packages")
@requires(Permission.SHIPMENT_PACK)
def packages() -> Response:
    """The labels of packages marketplaces sold, with their cargo barcodes."""
    ids, sender_id = _chosen(), current_person().organisation_id
    with atomic():
        made = package_labels.labels_of(ids, sender_id=sender_id)
    return _sheets(made)


def _sheets(made: Sequence[Label]) -> Response:
    if request.form.get("format") == "zpl":
        return Response(labels.zpl(made), mimetype="text/plain", headers=_named("zpl"))
    return Response(labels.pdf(made), mimetype="application/pdf", headers=_named("pdf"))


def _chosen() -> list[int]:
    ids = [int(v) for v in request.form.getlist("id")[:MOST] if v.isascii() and v.isdigit() and len(v) < 19]
    if not ids:
        raise BadInput(fields={"id": _("Choose at least one parcel.")})
    return ids


def _named(ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'inline; filename="etiketler.{ending}"'}

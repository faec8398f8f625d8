"""Pictures and brochures of products."""

from __future__ import annotations

import io

from flask import Blueprint, render_template, send_file
from werkzeug.wrappers import Response

from portal.accounts.guard import requires
from portal.accounts.roles import Permission
from portal.core.unit_of_work import atomic
from portal.core.web import choice, paged, search_words
from portal.media import queries, services
from portal.orders import queries as orders

bp = Blueprint("media", __name__, url_prefix="/media")
KINDS = ("PICTURE", "BROCHURE")


@bp.get("/")
@requires(Permission.MEDIA_SEE)
def show_all() -> str:
    """What lies in the folder, with thumbnails; and how the folder is."""
    kind = choice("kind", KINDS)
    rows = paged(queries.files(words=search_words(), kind=kind))
    names = orders.names_of_barcodes([file.barcode for file in rows.rows if file.barcode])
    return render_template(
        "media/list.html", rows=rows, names=names, counts=queries.counts(), kind=kind, kinds=KINDS, q=search_words(),
        look=queries.last_look(), not_shown=queries.not_shown(),
    )  # fmt: skip


@bp.get("/<int:file_id>/thumbnail")
@requires(Permission.MEDIA_SEE)
def thumbnail(file_id: int) -> Response:
    """A small picture, drawn by us; the folder is not asked."""
    found = queries.file(file_id, with_thumbnail=True)
    answer = send_file(io.BytesIO(found.thumbnail or b""), mimetype="image/webp", max_age=3600)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@bp.get("/<int:file_id>")
@requires(Permission.MEDIA_SEE)
def original(file_id: int) -> Response:
    """The file as it lies there, to keep: never shown inside our pages."""
    with atomic():
        found = queries.file(file_id)
    content = services.original(found)
    answer = send_file(io.BytesIO(content), mimetype=found.media_type, as_attachment=True, download_name=found.name)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer

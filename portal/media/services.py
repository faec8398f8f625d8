"""Looking through the media folder, and handing out what lies in it."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.database import DB_NOW, db
from portal.core.errors import Refusal
from portal.core.i18n import noted
from portal.media import folder
from portal.media.folder import Content, FolderAway, Found
from portal.media.models import MediaFile, MediaLook

# 8690000000035.jpg, 8690000000035_2.jpg, 8690000000035-brosur.pdf: what a file's name begins with.
BARCODE = re.compile(r"(\d{8,14})(?!\d)")


class NoFolder(Refusal):
    """This installation has no media folder."""

    status = 503
    code = "no_media_folder"

    def __init__(self) -> None:
        super().__init__(_l("No media folder is set up here (MEDIA_FOLDER)."))


def mounted() -> str:
    """The folder, by the settings; refuses where there is none."""
    where = str(current_app.config["MEDIA_FOLDER"])
    if not where:
        raise NoFolder
    return where


def seen_now() -> list[Found]:
    """Everything in the folder; refuses when it is away or slow. Touches no database."""
    where = mounted()
    return folder.in_time(lambda: folder.walk(where), patience() * 6)


def changed(found: list[Found]) -> list[Found]:
    """Files that are new, or not as we knew them."""
    rows = db.session.execute(
        select(MediaFile.path, MediaFile.size_bytes, MediaFile.modified_at).where(MediaFile.gone_at.is_(None))
    )
    known: dict[str, tuple[int, datetime]] = {path: (size, modified) for path, size, modified in rows}
    return [file for file in found if known.get(file.path) != (file.size_bytes, file.modified_at)]


def looked_at(file: Found) -> Content:
    """Read one file and see what it is. A link, a giant or a file that vanished is named, not opened."""
    if file.link:
        return Content("OTHER", "", None, None, None, noted("a link, which is never followed"))
    if file.size_bytes > folder.LARGEST_FILE:
        return Content("OTHER", "", None, None, None, noted("the file is too big"))
    where = mounted()
    try:
        return folder.looked_at(folder.in_time(lambda: folder.read(where, file.path), patience()))
    except FolderAway:
        return Content("OTHER", "", None, None, None, noted("could not be read"))


def note(file: Found, content: Content) -> None:
    """Write one file down as it is now."""
    name = PurePosixPath(file.path).name
    barcode = BARCODE.match(name)
    facts = {
        "name": name, "kind": content.kind, "media_type": content.media_type, "size_bytes": file.size_bytes,
        "width": content.width, "height": content.height, "barcode": barcode[1] if barcode else None,
        "modified_at": file.modified_at, "thumbnail": content.thumbnail, "trouble": content.trouble,
        "gone_at": None, "seen_at": DB_NOW,
    }  # fmt: skip
    row = insert(MediaFile).values(path=file.path, **facts)
    db.session.execute(row.on_conflict_do_update(index_elements=[MediaFile.path], set_=facts))


def note_gone(found: list[Found]) -> int:
    """Files that are no longer there are not shown any more; their rows stay, in case they come back."""
    here = [file.path for file in found]
    gone = update(MediaFile).where(MediaFile.gone_at.is_(None), MediaFile.path != func.all(here)).values(gone_at=DB_NOW)
    return len(db.session.execute(gone.returning(MediaFile.id)).all())


def note_look(*, trouble: str = "", files: int = 0) -> None:
    """How the look went; after a failed one everything stays as it was last seen."""
    row = db.session.merge(MediaLook(id=1, looked_at=clock.now(), trouble=trouble))
    if not trouble:
        row.succeeded_at, row.files = row.looked_at, files


def original(file: MediaFile) -> bytes:
    """The file itself, read now; refuses when the folder is away, the file gone or changed into something else."""
    where = mounted()
    content = folder.in_time(lambda: folder.read(where, file.path), patience())
    if not content.startswith(folder.PDF) and folder.looked_at(content).media_type != file.media_type:
        raise FolderAway(_l("The file has changed; it will be looked at again soon."))
    return content


def patience() -> float:
    """Seconds the folder may take for one file."""
    return float(current_app.config["MEDIA_TIMEOUT_SECONDS"])

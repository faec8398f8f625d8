"""What pages ask about pictures and brochures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import undefer

from portal.core.database import db
from portal.core.errors import NotFound
from portal.media.models import MediaFile, MediaLook

SHOWN = (MediaFile.gone_at.is_(None), MediaFile.kind != "OTHER")


def files(*, words: str = "", kind: str = "") -> Select[Any]:
    """Pictures and brochures by name; the caller pages."""
    wanted = select(MediaFile).where(*SHOWN).order_by(MediaFile.name, MediaFile.id)
    if words:
        wanted = wanted.where(MediaFile.name.icontains(words, autoescape=True) | (MediaFile.barcode == words))
    return wanted.where(MediaFile.kind == kind) if kind else wanted


def not_shown(limit: int = 50) -> list[MediaFile]:
    """Files nobody can see, and why."""
    wanted = select(MediaFile).where(MediaFile.gone_at.is_(None), MediaFile.kind == "OTHER")
    return list(db.session.scalars(wanted.order_by(MediaFile.path).limit(limit)))


def counts() -> dict[str, int]:
    """How many of each kind."""
    rows = db.session.execute(select(MediaFile.kind, func.count()).where(*SHOWN).group_by(MediaFile.kind))
    return {kind: count for kind, count in rows}


def file(file_id: int, *, with_thumbnail: bool = False) -> MediaFile:
    """One that is shown."""
    wanted = select(MediaFile).where(MediaFile.id == file_id, *SHOWN)
    if with_thumbnail:
        wanted = wanted.options(undefer(MediaFile.thumbnail))
    found = db.session.execute(wanted).scalar_one_or_none() if 0 < file_id < 2**63 else None
    if found is None:
        raise NotFound
    return found


def of_barcodes(barcodes: Sequence[str]) -> dict[str, list[MediaFile]]:
    """Pictures and brochures by barcode, in one statement."""
    wanted = select(MediaFile).where(*SHOWN, MediaFile.barcode == func.any(list(barcodes)))
    found = defaultdict[str, list[MediaFile]](list)
    for one in db.session.scalars(wanted.order_by(MediaFile.kind.desc(), MediaFile.name)):
        found[one.barcode or ""].append(one)
    return dict(found)


def last_look() -> MediaLook | None:
    """How the last look at the folder went."""
    return db.session.get(MediaLook, 1)

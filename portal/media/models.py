"""What lies in the media folder, as we last saw it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from portal.core.database import Model, PrimaryKey, recorded_now


class MediaFile(Model):
    """One file. People name it by its id; its path is ours alone and never comes from them."""

    __tablename__ = "media_file"
    __table_args__ = (
        CheckConstraint("kind IN ('PICTURE', 'BROCHURE', 'OTHER')", name="kind_known"),
        CheckConstraint("path <> '' AND path !~ '(^|/)\\.\\.?(/|$)' AND path !~ '^/'", name="path_stays_in_the_folder"),
        CheckConstraint("size_bytes >= 0", name="size_is_counted"),
        CheckConstraint("(kind = 'PICTURE') = (thumbnail IS NOT NULL)", name="pictures_have_a_thumbnail"),
        CheckConstraint("kind <> 'OTHER' OR trouble <> ''", name="what_is_not_shown_says_why"),
        CheckConstraint("barcode <> ''", name="barcode_is_a_barcode"),
        Index(None, "barcode"),
        Index(None, "kind", "id"),
    )

    id: Mapped[PrimaryKey]
    path: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    media_type: Mapped[str] = mapped_column(server_default="")
    size_bytes: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    # What the file's name begins with; empty when it begins with no barcode.
    barcode: Mapped[str | None]
    modified_at: Mapped[datetime]
    thumbnail: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    # Why it is not shown: not a picture after all, a link, too big.
    trouble: Mapped[str] = mapped_column(server_default="")
    gone_at: Mapped[datetime | None]
    seen_at: Mapped[datetime] = recorded_now()


class MediaLook(Model):
    """The last look at the folder: one row."""

    __tablename__ = "media_look"
    __table_args__ = (CheckConstraint("id = 1", name="there_is_only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    looked_at: Mapped[datetime]
    succeeded_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(server_default="")
    files: Mapped[int] = mapped_column(server_default=text("0"))

"""Pictures people send: read, turned upright, made smaller, written anew. What is no picture is refused."""

from __future__ import annotations

import hashlib
import io
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from PIL import Image, ImageOps, UnidentifiedImageError

from portal.core.errors import BadInput

LONGEST_SIDE = 1600
# A phone's camera makes some 12 to 50 million points; a bomb claims billions.
MOST_POINTS = 60_000_000
KINDS = ("JPEG", "PNG", "WEBP")


class Picture(NamedTuple):
    """A JPEG of ours."""

    jpeg: bytes
    sha256: str
    width: int
    height: int


class NotAPicture(BadInput):
    """The file is no picture we can read."""

    code = "not_a_picture"

    def __init__(self) -> None:
        super().__init__(fields={"photo": _l("This file is not a picture we can read (JPEG, PNG or WebP).")})


def redrawn(content: bytes) -> Picture:
    """The picture without anything else that was in the file (place, device, scripts)."""
    try:
        with Image.open(io.BytesIO(content), formats=KINDS) as opened:
            if opened.width * opened.height > MOST_POINTS:
                raise NotAPicture
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as trouble:
        raise NotAPicture from trouble
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    written = io.BytesIO()
    upright.save(written, "JPEG", quality=80, optimize=True)
    jpeg = written.getvalue()
    return Picture(jpeg, hashlib.sha256(jpeg).hexdigest(), upright.width, upright.height)

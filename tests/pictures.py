"""A photograph, as a phone would send it."""

from __future__ import annotations

import io

from PIL import Image


def a_photo(width: int = 640, height: int = 480, *, kind: str = "JPEG") -> bytes:
    """A picture in one colour, with the place where it was taken hidden in it."""
    written = io.BytesIO()
    hidden = Image.Exif()
    hidden[0x010E] = "Kadıköy, 3. kat"
    Image.new("RGB", (width, height), (90, 120, 80)).save(written, kind, exif=hidden)
    return written.getvalue()

"""The mounted folder, which somebody else fills and which may be missing, slow, or hold traps.

Nobody's path is ever opened: only names found by our own walk, one step at a time, never through a link.
"""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from queue import Empty, Queue
from typing import Any, NamedTuple, TypeVar

from flask_babel import lazy_gettext as _l
from PIL import Image, ImageOps, UnidentifiedImageError

from portal.core.errors import Refusal
from portal.core.i18n import noted

T = TypeVar("T")
LARGEST_FILE = 32 * 1024 * 1024
MOST_PIXELS = 50_000_000
THUMBNAIL = (320, 320)
DEEPEST, MOST_FILES = 6, 200_000
PICTURES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
PDF = b"%PDF-"
NO_LINKS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe must not make us wait


class FolderAway(Refusal):
    """The folder is not there, or does not answer in time."""

    status = 503
    code = "media_folder_away"


class Found(NamedTuple):
    """A file the walk saw. `link` ones are named so that somebody can be told, and never opened."""

    path: str
    size_bytes: int
    modified_at: datetime
    link: bool


class Content(NamedTuple):
    """What a file is by its own bytes; `trouble` says why it is not shown."""

    kind: str
    media_type: str
    width: int | None
    height: int | None
    thumbnail: bytes | None
    trouble: str


def in_time(work: Callable[[], T], seconds: float) -> T:
    """Do it within so many seconds, or refuse. A read from a dead mount cannot be interrupted, only left behind."""
    answers: Queue[tuple[bool, Any]] = Queue(1)

    def run() -> None:
        try:
            answers.put((True, work()))
        except Exception as trouble:  # handed over to whoever waits
            answers.put((False, trouble))

    threading.Thread(target=run, daemon=True, name="media").start()
    try:
        well, answer = answers.get(timeout=seconds)
    except Empty:
        raise FolderAway(_l("The media folder does not answer. Is the network drive slow or away?")) from None
    if well:
        return answer  # type: ignore[no-any-return]
    if isinstance(answer, OSError):
        raise FolderAway(_l("The media folder cannot be read. Is the network drive mounted?")) from answer
    raise answer


def walk(folder: str) -> list[Found]:
    """Every file below the folder that is not hidden, by name; raises OSError when the folder is not there."""
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return sorted(_walk(root, PurePosixPath(), DEEPEST))[:MOST_FILES]
    finally:
        os.close(root)


def read(folder: str, path: str) -> bytes:
    """A file's bytes. `path` is one our walk found; a link put there since is refused, in every part of the way."""
    *folders, name = PurePosixPath(path).parts
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folders:
            deeper = os.open(part, NO_LINKS | os.O_DIRECTORY, dir_fd=at)
            os.close(at)
            at = deeper
        file = os.open(name, NO_LINKS, dir_fd=at)
        with os.fdopen(file, "rb") as opened:
            facts = os.fstat(opened.fileno())
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST_FILE:
                raise OSError("not an ordinary file, or too big")
            return opened.read(LARGEST_FILE + 1)
    finally:
        os.close(at)


def looked_at(content: bytes) -> Content:
    """What a file is, by its bytes and not by its name."""
    if content.startswith(PDF):
        return Content("BROCHURE", "application/pdf", None, None, None, "")
    try:
        with Image.open(io.BytesIO(content), formats=tuple(PICTURES)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return _other(noted("the picture is too large"))
            kind, size = str(picture.format), picture.size
            return Content("PICTURE", PICTURES[kind], *size, _thumbnail(picture), "")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return _other(noted("neither a picture nor a PDF"))


def _other(why: str) -> Content:
    return Content("OTHER", "", None, None, None, why)


def _thumbnail(picture: Image.Image) -> bytes:
    """Drawn anew: what hides in a file (places, scripts, other files) does not survive."""
    small = ImageOps.exif_transpose(picture)
    small.thumbnail(THUMBNAIL)
    written = io.BytesIO()
    small.convert("RGB").save(written, "WEBP", quality=78)
    return written.getvalue()


def _walk(at: int, place: PurePosixPath, deeper: int) -> Iterator[Found]:
    with os.scandir(at) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            name = entry.name
            if name.startswith(".") or not name.isprintable():
                continue
            try:
                name.encode()
                facts = entry.stat(follow_symlinks=False)
            except (OSError, UnicodeEncodeError):
                continue  # gone between two looks, or a name no page could show
            if stat.S_ISDIR(facts.st_mode) and deeper:
                below = os.open(name, NO_LINKS | os.O_DIRECTORY, dir_fd=at)
                try:
                    yield from _walk(below, place / name, deeper - 1)
                finally:
                    os.close(below)
            elif stat.S_ISREG(facts.st_mode) or stat.S_ISLNK(facts.st_mode):
                modified = datetime.fromtimestamp(int(facts.st_mtime), UTC)
                yield Found(str(place / name), facts.st_size, modified, stat.S_ISLNK(facts.st_mode))

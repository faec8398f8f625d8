"""Pictures from a folder somebody else fills: found, linked, served; traps, a missing and a slow mount."""

from __future__ import annotations

import io
import os
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.media import folder, looking, queries
from portal.media.models import MediaFile
from tests import story
from tests.cast import Cast, sign_in
from tests.pictures import a_photo

PDF = b"%PDF-1.7\n1 0 obj\n"


@pytest.fixture
def mount(app: Flask, tmp_path: Path) -> Path:
    """A folder with two pictures of one product, a brochure, and things that do not belong there."""
    where = tmp_path / "mount"
    (where / "alt/klasör").mkdir(parents=True)
    (where / f"{story.TAPE}.jpg").write_bytes(a_photo())
    (where / f"alt/klasör/{story.TAPE}_2.png").write_bytes(a_photo(kind="PNG"))
    (where / f"{story.FILM}-broşür.pdf").write_bytes(PDF)
    (where / "liste.xlsx").write_bytes(b"PK\x03\x04")
    (where / ".gizli.jpg").write_bytes(a_photo())
    app.config["MEDIA_FOLDER"] = str(where)
    return where


def paths() -> dict[str, str]:
    """What is known, and as what."""
    wanted = select(MediaFile.path, MediaFile.kind).where(MediaFile.gone_at.is_(None))
    return {path: kind for path, kind in db.session.execute(wanted)}


def the_file(name: str) -> MediaFile:
    """By its path."""
    return db.session.scalars(select(MediaFile).where(MediaFile.path == name)).one()


def test_what_lies_there_is_found_and_linked_by_barcode(app: Flask, mount: Path) -> None:
    assert looking.look_through() == "4 files, 4 new or changed, 0 gone"
    assert paths() == {
        f"{story.TAPE}.jpg": "PICTURE", f"alt/klasör/{story.TAPE}_2.png": "PICTURE",
        f"{story.FILM}-broşür.pdf": "BROCHURE", "liste.xlsx": "OTHER",
    }  # fmt: skip
    found = queries.of_barcodes([story.TAPE, story.FILM, "1"])
    assert {barcode: len(files) for barcode, files in found.items()} == {story.TAPE: 2, story.FILM: 1}
    assert looking.look_through() == "4 files, 0 new or changed, 0 gone"


def test_what_changes_and_what_goes_is_noticed(app: Flask, mount: Path) -> None:
    looking.look_through()
    (mount / f"{story.TAPE}.jpg").write_bytes(a_photo(100, 50))
    (mount / f"{story.FILM}-broşür.pdf").unlink()
    assert looking.look_through() == "3 files, 1 new or changed, 1 gone"
    changed = the_file(f"{story.TAPE}.jpg")
    assert (changed.width, changed.height) == (100, 50)
    assert f"{story.FILM}-broşür.pdf" not in paths()
    (mount / f"{story.FILM}-broşür.pdf").write_bytes(PDF)
    looking.look_through()
    assert f"{story.FILM}-broşür.pdf" in paths()


def test_the_page_shows_thumbnails_and_hands_out_files(app: Flask, cast: Cast, mount: Path) -> None:
    looking.look_through()
    ayse = sign_in(app, cast.ayse)
    status, page = ayse.get("/media/")
    assert status == 200 and page.count("<img ") == 2 and "Koli bandı" in page
    assert "liste.xlsx" in page and "ne resim ne PDF" in page
    assert ayse.get(f"/media/?q={story.FILM}")[1].count('class="sheet"') == 1
    picture = the_file(f"{story.TAPE}.jpg")
    thumb = ayse.client.get(f"/media/{picture.id}/thumbnail")
    assert (thumb.status_code, thumb.content_type) == (200, "image/webp")
    small = Image.open(io.BytesIO(thumb.data))
    assert max(small.size) == 320 and not small.getexif()
    whole = ayse.client.get(f"/media/{picture.id}")
    assert whole.data == (mount / f"{story.TAPE}.jpg").read_bytes()
    assert whole.headers["Content-Disposition"].startswith("attachment")
    assert (whole.headers["X-Content-Type-Options"], whole.content_type) == ("nosniff", "image/jpeg")
    other = the_file("liste.xlsx")
    for url in (f"/media/{other.id}", "/media/999999", "/media/../../etc/passwd", "/media/%2e%2e%2fetc%2fpasswd"):
        assert ayse.get(url)[0] == 404
    assert sign_in(app, cast.fatma).get("/media/")[0] == 403


def test_links_are_named_and_never_followed(app: Flask, cast: Cast, mount: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(a_photo())
    (mount / "8690000000099.jpg").symlink_to(outside / "secret.jpg")
    (mount / "8690000000098.jpg").symlink_to("/etc/hostname")
    (mount / "folder").symlink_to(outside)
    looking.look_through()
    known = paths()
    assert known["8690000000099.jpg"] == known["8690000000098.jpg"] == known["folder"] == "OTHER"
    assert not any(path.startswith("folder/") for path in known)
    assert "hiçbir zaman izlenmez" in sign_in(app, cast.ayse).get("/media/")[1]


@pytest.mark.parametrize("part", ["file", "folder"])
def test_a_link_that_takes_a_files_place_later_is_refused(
    app: Flask, cast: Cast, mount: Path, tmp_path: Path, part: str
) -> None:
    looking.look_through()
    picture = the_file(f"alt/klasör/{story.TAPE}_2.png")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / f"{story.TAPE}_2.png").write_bytes(a_photo(kind="PNG"))
    if part == "file":
        (mount / picture.path).unlink()
        (mount / picture.path).symlink_to(outside / f"{story.TAPE}_2.png")
    else:
        (mount / "alt/klasör").rename(mount / "alt/eski")
        (mount / "alt/klasör").symlink_to(outside)
    naive = Path(app.config["MEDIA_FOLDER"], picture.path).read_bytes()
    assert naive  # the naive twin follows it
    assert sign_in(app, cast.ayse).get(f"/media/{picture.id}")[0] == 503


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("8690000000001.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("8690000000002.png", b"<html><script>alert(1)</script></html>"),
        ("8690000000003.jpg", b""),
        ("8690000000004.jpg", a_photo()[:300]),
        ("8690000000005.gif", b"GIF89a" + b"\0" * 40),
    ],
)
def test_a_file_is_what_its_bytes_say(app: Flask, mount: Path, name: str, content: bytes) -> None:
    (mount / name).write_bytes(content)
    looking.look_through()
    assert paths()[name] == "OTHER"


def test_a_picture_that_would_fill_the_memory_is_not_opened(app: Flask, mount: Path) -> None:
    bomb = io.BytesIO()
    Image.new("1", (8_000, 8_000)).save(bomb, "PNG")
    assert folder.looked_at(bomb.getvalue()).trouble == "the picture is too large"


def test_a_pipe_does_not_make_us_wait(app: Flask, mount: Path) -> None:
    os.mkfifo(mount / "8690000000097.jpg")
    assert looking.look_through().startswith("4 files")


def test_a_missing_mount_is_a_clear_message_and_what_was_seen_stays(app: Flask, cast: Cast, mount: Path) -> None:
    looking.look_through()
    mount.rename(mount.with_name("unmounted"))
    assert looking.look_through() == "away: media_folder_away"
    ayse = sign_in(app, cast.ayse)
    status, page = ayse.get("/media/")
    assert status == 200 and "Ağ sürücüsü bağlı mı?" in page and page.count("<img ") == 2
    picture = the_file(f"{story.TAPE}.jpg")
    assert ayse.client.get(f"/media/{picture.id}/thumbnail").status_code == 200
    status, page = ayse.get(f"/media/{picture.id}")
    assert status == 503 and "Ağ sürücüsü" in page
    mount.with_name("unmounted").rename(mount)
    looking.look_through()
    assert "Ağ sürücüsü" not in ayse.get("/media/")[1]


def test_a_slow_mount_is_a_clear_message_too(
    app: Flask, cast: Cast, mount: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking.look_through()
    app.config["MEDIA_TIMEOUT_SECONDS"] = Decimal("0.2")
    woken = threading.Event()
    real = os.open

    def hangs(*args: object, **more: object) -> int:
        woken.wait(30)
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", hangs)
    assert looking.look_through() == "away: media_folder_away"
    status, page = sign_in(app, cast.ayse).get(f"/media/{the_file(f'{story.TAPE}.jpg').id}")
    woken.set()
    assert status == 503 and "yanıt vermiyor" in page
    assert len(paths()) == 4


def test_where_there_is_no_folder_nothing_breaks(app: Flask, cast: Cast) -> None:
    app.config["MEDIA_FOLDER"] = ""
    assert looking.look_through() == "no folder"
    assert sign_in(app, cast.ayse).get("/media/")[0] == 200


@pytest.mark.parametrize("path", ["../x.jpg", "/etc/x.jpg", "a/../b.jpg", "..", ""])
def test_the_table_refuses_a_path_that_leaves_the_folder(app: Flask, path: str) -> None:
    with pytest.raises(IntegrityError), atomic():
        db.session.add(
            MediaFile(path=path, name="x", kind="OTHER", size_bytes=1, modified_at=db.func.now(), trouble="x")
        )

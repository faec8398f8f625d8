"""The packing screen as a browser without scripts sees it, and the messages of the one with scripts."""

from __future__ import annotations

import gzip
import json
import re
import uuid
from typing import Any

import pytest
from flask import Flask

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.packing import queries
from portal.shipping import queries as shipping_queries
from portal.stock import services as stock
from tests.cast import Browser, Cast, sign_in
from tests.packing import CASE, Table
from tests.stock import number
from tests.story import FILM, PAPER, TAPE

HIDDEN = re.compile(r'name="(scan_id|parcel|box_id)" value="([0-9a-f-]+)"')


@pytest.fixture
def cem(app: Flask, cast: Cast, table: Table) -> Browser:
    """Cem, signed in; the parcel is prepared and in his hands."""
    return sign_in(app, cast.cem)


def scans(browser: Browser, table: Table, *said: dict[str, Any], device: str = "tablet") -> tuple[int, Any]:
    """What a script sends."""
    answer = browser.client.post(
        f"/packing/tasks/{table.task}/scans",
        data=json.dumps({"device": device, "scans": list(said)}),
        content_type="application/json",
        headers={"X-CSRFToken": browser.token},
    )
    return answer.status_code, answer.get_json(silent=True)


def one(table: Table, barcode: str, **more: Any) -> dict[str, Any]:
    """A scan as a device keeps it."""
    return {
        "id": str(uuid.uuid4()), "kind": "scan", "at": "2026-11-21T10:00:00+03:00", "barcode": barcode,
        "parcel": str(table.box), **more,
    }  # fmt: skip


def type_in(browser: Browser, url: str, **form: str) -> tuple[str, str]:
    """Type into the page's one field and press Enter; the next page and its address."""
    hidden = dict(HIDDEN.findall(browser.get(url)[1]))
    status, to = browser.post(url.split("?", maxsplit=1)[0] + "/scan", **{**hidden, **form})
    assert status == 303, to
    return browser.get(to)[1], to


def test_an_order_is_packed_without_scripts(cem: Browser, table: Table) -> None:
    status, page = cem.get("/packing/")
    assert (status, "EM-26-" in page) == (200, True)
    status, url = cem.post("/packing/tasks", source="shipment", id=str(table.shipment_id))
    assert (status, url) == (303, f"/packing/tasks/{table.task}")
    page, url = type_in(cem, url, barcode=TAPE)
    assert "Doğru" in page
    page, url = type_in(cem, url, barcode=PAPER)
    assert "kutuya koymayın" in page
    page, url = type_in(cem, url, barcode="EMCMDUNDO")
    assert "Geri alındı" in page
    page, url = type_in(cem, url, kind="box")
    page, url = type_in(cem, url, barcode=CASE)
    page, url = type_in(cem, url, barcode="emcmdbox1")
    for barcode in (TAPE, TAPE, TAPE, FILM, FILM):
        page, url = type_in(cem, url, barcode=barcode)
    assert cem.post(f"/packing/tasks/{table.task}/weights", **{"grams-1": "1200", "grams-2": ""})[0] == 303
    assert cem.post(f"/packing/tasks/{table.task}/confirmation")[0] == 303
    page = cem.get(f"/packing/tasks/{table.task}")[1]
    assert page.count('action="/labels"') == 3
    assert "1200 g" in page
    db.session.rollback()
    assert [sorted(box.pieces.values()) for box in queries.contents(table.task)] == [[2, 3], [12]]
    assert number("SELECT count(*) FROM shipment WHERE state = 'PACKED'") == 2


def test_a_scanned_paper_opens_its_order(cem: Browser, table: Table) -> None:
    key = shipping_queries.parcel(table.shipment_id).key
    assert cem.post("/packing/tasks", code=key) == (303, f"/packing/tasks/{table.task}")
    assert cem.post("/packing/tasks", code="EM0000099999") == (303, "/packing/?q=EM0000099999")
    assert cem.post("/packing/tasks", source="x")[0] == 422
    assert cem.post("/packing/tasks", source="shipment", id="99999")[0] == 404
    assert cem.get("/packing/?q=EM0000099999")[0] == 200


def test_a_label_comes_only_when_the_box_is_packed(cem: Browser, table: Table) -> None:
    def label() -> int:
        return cem.client.post("/labels", data={"id": str(table.shipment_id), "csrf_token": cem.token}).status_code

    assert label() == 409
    assert cem.post(f"/packing/tasks/{table.task}/confirmation")[0] == 409
    table.fill()
    assert cem.post(f"/packing/tasks/{table.task}/confirmation")[0] == 303
    assert label() == 200


def test_the_scripts_messages(cem: Browser, table: Table) -> None:
    message = [one(table, TAPE), one(table, "12"), one(table, "", kind="undo", parcel=None)]
    status, said = scans(cem, table, *message)
    assert (status, [a["verdict"] for a in said["answers"]]) == (200, ["OK", "UNKNOWN", "UNDONE"])
    assert [a["stops"] for a in said["answers"]] == [False, True, False]
    assert said["packed"][str(table.lines[TAPE])] == 0
    assert scans(cem, table, *message)[1]["answers"] == said["answers"]
    box = str(uuid.uuid4())
    status, said = scans(cem, table, one(table, "", kind="box", parcel=box), one(table, TAPE, parcel=box))
    assert [(a["verdict"], a["number"]) for a in said["answers"]] == [("BOX", 2), ("OK", None)]
    board = cem.client.get(f"/packing/tasks/{table.task}/board?version=0").get_json()
    assert box in board["html"]
    same = cem.client.get(f"/packing/tasks/{table.task}/board?version={board['version']}")
    assert (same.status_code, same.data) == (204, b"")


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        ({"kind": "steal"}, 422), ({"id": "x"}, 422), ({"at": "yesterday"}, 422), ({"at": "2026-11-21T10:00:00"}, 422),
        ({"barcode": "x" * 201}, 422), ({"barcode": "a\x00b"}, 422), ({"barcode": "  "}, 422), ({"parcel": None}, 422),
        ({"kind": "box", "parcel": None}, 422), ({"more": 1}, 422), ({"barcode": "\ud800"}, 422),
    ],
)  # fmt: skip
def test_what_no_device_says_is_refused_in_json_and_changes_nothing(
    app: Flask, cast: Cast, cem: Browser, table: Table, spoil: dict[str, Any], status: int
) -> None:
    got, said = scans(cem, table, {**one(table, TAPE), **spoil})
    assert (got, sorted(said)) == (status, ["error", "message"])
    assert table.packed()[TAPE] == 0


def test_who_may_not(app: Flask, cast: Cast, cem: Browser, table: Table) -> None:
    deniz, ece, fatma = (sign_in(app, person) for person in (cast.deniz, cast.ece, cast.fatma))
    log = f"/packing/tasks/{table.task}/log"
    table.scan(TAPE)
    assert [browser.get(log)[0] for browser in (cem, deniz, ece, fatma)] == [200, 200, 404, 403]
    assert TAPE in deniz.get(log)[1]
    for browser in (deniz, ece, fatma):
        assert browser.get(f"/packing/tasks/{table.task}")[0] == 403
        status, said = scans(browser, table, one(table, TAPE))
        assert (status, said["error"]) == (403, "not_allowed")
        assert browser.post(f"/packing/tasks/{table.task}/confirmation")[0] == 403
    assert scans(Browser(app.test_client(), cem.token), table, one(table, TAPE))[0] == 400
    assert cem.get("/packing/tasks/99999999999")[0] == cem.get("/packing/tasks/99999/board")[0] == 404
    assert table.packed()[TAPE] == 1


def test_something_is_missing(cem: Browser, table: Table) -> None:
    page = cem.get(f"/packing/tasks/{table.task}/shortage")[1]
    assert "A-01" in page
    line = str(table.lines[TAPE])
    url = f"/packing/tasks/{table.task}/shortage"
    assert cem.post(url, line=line, there="")[0] == 422
    assert cem.post(url, line=line, there="3")[0] == 422
    assert cem.post(url, line=line, there="1", shelf="1")[0] == 303
    assert "Eksik var" in cem.get("/packing/")[1]
    assert number("SELECT count(*) FROM stock_shortage WHERE wanted = 3 AND there = 1 AND shelf_id = 1") == 1


def test_a_shortage_of_the_books_is_said_with_what_is_missing_where(cem: Browser, table: Table) -> None:
    table.fill()
    item = number(f"SELECT id FROM stock_item WHERE barcode = '{TAPE}'")
    for shelf in (1, 2):
        with atomic():
            stock.count(item, shelf, 0, key=f"c{shelf}", by=table.cem, because="test")
    status, page = cem.post(f"/packing/tasks/{table.task}/confirmation")
    assert status == 409
    assert f"{TAPE} · *: 0/3" in page
    assert number("SELECT count(*) FROM stock_shortage") == 1


def test_the_page_is_light_and_installable(cem: Browser, table: Table) -> None:
    page = cem.get(f"/packing/tasks/{table.task}")[1]
    files = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js|svg)[^"]*)"', page)
    fonts = ["/static/fonts/emanet-inter-core.woff2", "/static/fonts/emanet-inter-tr.woff2"]
    assert len(files) == 9
    packed = {"page": len(gzip.compress(page.encode()))}
    for url in (*files, *fonts):
        body = cem.client.get(url).data
        packed[url] = len(body) if url in fonts else len(gzip.compress(body))
    assert sum(packed.values()) <= 75_000, packed
    assert "vendor/htmx" not in page
    manifest = cem.client.get("/packing/manifest.webmanifest").get_json()
    assert (manifest["display"], manifest["scope"], manifest["start_url"]) == ("standalone", "/packing/", "/packing/")
    for icon in manifest["icons"]:
        assert cem.client.get(icon["src"]).status_code == 200
    worker = cem.client.get("/packing/worker.js")
    assert worker.mimetype == "text/javascript"
    shell = json.loads(re.findall(r"const SHELL = (\[.*\]);", worker.text)[0])
    assert {cem.client.get(url).status_code for url in shell} == {200}
    assert all(url.startswith("/static/") for url in shell)
    assert set(files) - set(shell) == set()
    assert "script-src 'self';" in worker.headers["Content-Security-Policy"]


def test_the_scanners_self_test_and_its_barcodes(cem: Browser, table: Table) -> None:
    status, page = cem.get("/packing/scanner")
    assert status == 200
    pictures = re.findall(r'src="(/packing/barcodes/[^"]+)"', page)
    assert len(pictures) == 10
    for url in pictures:
        answer = cem.client.get(url)
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert cem.get("/packing/barcodes/PASSWORD.svg")[0] == 404

"""The stockroom's pages: it works, twice, who may not, what is wrong comes back as it was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.stock import history, queries
from portal.stock import services as stock
from portal.stock.services import Source
from portal.workflows import delivery
from tests import story
from tests.cast import Browser, Cast, actor, sign_in
from tests.workflows.warehouse import HIGH, SHELF, Kept, agrees, keep, lies, numbers
from tests.world import SandboxControl

CASE = "18690000000035"


@pytest.fixture
def kept(app: Flask) -> Iterator[Kept]:
    """Ten rolls of tape on A-01; tape also comes in cases of six. Afterwards all can be counted again."""
    found = keep(tape=10)
    with atomic():
        stock.add_case(stock.item_of(story.TAPE).item, CASE, 6)
    yield found
    assert agrees()


def once(page: str) -> str:
    """The key of a form."""
    found = re.search(r'name="once" value="([^"]+)"', page)
    assert found
    return found[1]


def test_goods_are_received_and_the_form_sent_again_changes_nothing(app: Flask, cast: Cast, kept: Kept) -> None:
    cem = sign_in(app, cast.cem)
    key = once(cem.get("/warehouse/receipt")[1])
    for _twice in range(3):
        status, to = cem.post(
            "/warehouse/receipt", barcode=story.TAPE, shelf=HIGH, pieces="5", because="IRS-7", once=key
        )
        assert (status, to) == (303, f"/warehouse/receipt?shelf={HIGH}")
    assert (numbers(kept.tape), lies(kept.tape)) == ((15, 0), {SHELF: 10, HIGH: 5})
    assert "IRS-7" in cem.get(f"/warehouse/items/{kept.tape}")[1]
    status, page = cem.post("/warehouse/receipt", barcode=story.TAPE, shelf=HIGH, pieces="6", once=key)
    assert status == 409
    assert key in page
    assert numbers(kept.tape) == (15, 0)


def test_a_scanned_case_is_six_pieces(app: Flask, cast: Cast, kept: Kept) -> None:
    cem = sign_in(app, cast.cem)
    assert cem.post("/warehouse/receipt", barcode=CASE, shelf=SHELF, pieces="2", once="a")[0] == 303
    assert numbers(kept.tape) == (22, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("barcode", "12345"),
        ("shelf", "Z-99"),
        ("pieces", "0"),
        ("pieces", "-3"),
        ("pieces", "1,5"),
        ("pieces", "9" * 12),
    ],
)
def test_what_is_wrong_comes_back_with_all_that_was_typed(
    app: Flask, cast: Cast, kept: Kept, field: str, value: str
) -> None:
    cem = sign_in(app, cast.cem)
    typed = {"barcode": story.TAPE, "shelf": SHELF, "pieces": "3", "because": "IRS-8", "once": "k", field: value}
    status, page = cem.post("/warehouse/receipt", **typed)
    assert status == 422
    assert f'id="e-{field}"' in page
    for text in typed.values():
        assert f'value="{text}"' in page
    assert numbers(kept.tape) == (10, 0)


def test_a_form_without_its_key_is_refused(app: Flask, cast: Cast, kept: Kept) -> None:
    cem = sign_in(app, cast.cem)
    assert cem.post("/warehouse/receipt", barcode=story.TAPE, shelf=SHELF, pieces="3")[0] == 422
    assert numbers(kept.tape) == (10, 0)


def test_two_people_may_by_chance_have_the_same_key(app: Flask, cast: Cast, kept: Kept) -> None:
    for person in (cast.cem, cast.gul):
        form = {"barcode": story.TAPE, "shelf": SHELF, "pieces": "1", "once": "same"}
        assert sign_in(app, person).post("/warehouse/receipt", **form)[0] == 303
    assert numbers(kept.tape) == (12, 0)


def test_a_shelf_is_counted_and_the_difference_is_a_movement_with_a_reason(app: Flask, cast: Cast, kept: Kept) -> None:
    cem = sign_in(app, cast.cem)
    status, page = cem.get(f"/warehouse/count?shelf={SHELF}")
    assert (status, f"n-{kept.tape}" in page, "10" in page) == (200, True, True)
    url = f"/warehouse/shelves/{kept.shelf}/count"
    form = {f"n-{kept.tape}": "7", "barcode": story.FILM, "pieces": "2", "because": "yıl sonu", "once": once(page)}
    for _twice in range(2):
        assert cem.post(url, **form) == (303, f"/warehouse/shelves/{kept.shelf}")
    assert (numbers(kept.tape), numbers(kept.film)) == ((7, 0), (2, 0))
    moves = history.movement_rows(history.movements(kept.tape))
    assert [(m.type, m.pieces, m.because, m.actor) for m in moves][:1] == [("COUNT", -3, "yıl sonu", "Cem Işık")]


def test_counting_as_believed_moves_nothing(app: Flask, cast: Cast, kept: Kept) -> None:
    cem = sign_in(app, cast.cem)
    assert cem.post(f"/warehouse/shelves/{kept.shelf}/count", **{f"n-{kept.tape}": "10", "once": "k"})[0] == 303
    assert len(history.movement_rows(history.movements(kept.tape))) == 1


def test_a_sheet_with_nothing_on_it_or_nonsense_is_refused_whole(app: Flask, cast: Cast, kept: Kept) -> None:
    cem = sign_in(app, cast.cem)
    url = f"/warehouse/shelves/{kept.shelf}/count"
    assert cem.post(url, once="k")[0] == 422
    for wrong in ({f"n-{kept.film}": "x"}, {"n-999999": "3"}, {"barcode": "12345", "pieces": "1"}):
        assert cem.post(url, **{f"n-{kept.tape}": "1", "once": "k", **wrong})[0] in (404, 422)
    assert numbers(kept.tape) == (10, 0)
    assert cem.get("/warehouse/count?shelf=Z-99")[0] == 422


def test_goods_move_and_not_more_than_lies_there(app: Flask, cast: Cast, kept: Kept) -> None:
    cem = sign_in(app, cast.cem)
    form = {"barcode": story.TAPE, "from_shelf": SHELF, "to_shelf": HIGH, "pieces": "4", "once": "k"}
    for _twice in range(2):
        assert cem.post("/warehouse/transfer", **form)[0] == 303
    assert lies(kept.tape) == {SHELF: 6, HIGH: 4}
    assert cem.post("/warehouse/transfer", **{**form, "pieces": "7", "once": "l"})[0] == 409
    assert cem.post("/warehouse/transfer", **{**form, "to_shelf": SHELF, "once": "m"})[0] == 422
    assert cem.post("/warehouse/transfer", **{**form, "from_shelf": "Z", "once": "n"})[0] == 422
    assert lies(kept.tape) == {SHELF: 6, HIGH: 4}


def test_gul_begins_to_keep_something_and_waiting_orders_have_it_set_aside(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    order = story.paid(app, cast, sandbox, (story.TAPE, 2))[0]
    gul = sign_in(app, cast.gul)
    assert "Koli bandı" in gul.get(f"/warehouse/items/new?barcode={story.TAPE}")[1]
    status, to = gul.post("/warehouse/items", barcode=story.TAPE, name="Koli bandı", safety="3")
    assert status == 303
    page = gul.get(to)[1]
    assert order.number in page
    assert gul.post("/warehouse/items", barcode=story.TAPE, name="Again")[0] == 409
    assert gul.post("/warehouse/items", barcode="", name="")[0] == 422
    assert gul.post(f"{to}/cases", barcode=CASE, pieces="6")[0] == 303
    assert gul.post(f"{to}/cases", barcode="x", pieces="1")[0] == 422
    assert gul.post(f"{to}/safety", safety="8", because="")[0] == 422
    assert gul.post(f"{to}/safety", safety="8", because="breaks easily")[0] == 303
    assert gul.post("/warehouse/shelves", shelf="C-01")[0] == 303
    assert gul.post("/warehouse/shelves", shelf="C-01")[0] == 409
    row = queries.item(int(to.rsplit("/", 1)[1]))
    assert row and (row.safety, row.reserved) == (8, 2)


def test_a_scan_in_the_search_field_goes_straight_there(app: Flask, cast: Cast, kept: Kept) -> None:
    cem = sign_in(app, cast.cem)
    for words in (story.TAPE, CASE):
        answer = cem.client.get("/warehouse/items", query_string={"q": words})
        assert answer.headers["Location"] == f"/warehouse/items/{kept.tape}"
    assert cem.client.get(f"/warehouse/shelves?q={SHELF}").headers["Location"] == f"/warehouse/shelves/{kept.shelf}"
    status, page = cem.get("/warehouse/items?q=band")
    assert (status, story.TAPE in page, story.FILM in page) == (200, True, False)
    for nowhere in ("items/999999", "shelves/999999", "items/99999999999999999999", "shelves/99999999999999999999"):
        assert cem.get(f"/warehouse/{nowhere}")[0] == 404


def test_what_is_oversold_and_what_was_missing_is_said_at_home(app: Flask, cast: Cast, kept: Kept) -> None:
    with atomic():
        stock.reserve(kept.tape, 12, Source("TRENDYOL", "ty-1", "1"), even_if_short=True)
        stock.receive(kept.film, stock.shelf_for("IADE").id, 2, key="r", by=SYSTEM)
    with pytest.raises(stock.Shortage) as short, atomic():
        stock.take_wherever({kept.tape: 12}, source=Source("TRENDYOL", "ty-1"), key="p", by=actor(cast.cem))
    with atomic():
        stock.note_shortage(short.value, by=actor(cast.cem))
    cem = sign_in(app, cast.cem)
    home = cem.get("/warehouse/")[1]
    assert home.count('class="urgent"') == 3
    assert story.FILM not in cem.get("/warehouse/items?oversold=1")[1]
    assert "10/12" in cem.get("/warehouse/shortages")[1]
    assert "ty-1" in cem.get(f"/warehouse/items/{kept.tape}")[1]


def test_the_history_leads_to_parcel_and_order(app: Flask, cast: Cast, sandbox: SandboxControl, kept: Kept) -> None:
    order = story.paid(app, cast, sandbox, (story.TAPE, 2))[0]
    with atomic():
        parcel = delivery.prepare_parcel(order.id, by=actor(cast.deniz))
    with atomic():
        delivery.pack_parcel(parcel.id, by=actor(cast.cem))
    url = f"/warehouse/items/{kept.tape}"
    assert f"/warehouse/shipments/{parcel.id}" in sign_in(app, cast.cem).get(url)[1]
    ayse = sign_in(app, cast.ayse).get(url)[1]
    assert f"/finance/orders/{order.id}" in ayse
    assert "/warehouse/receipt" not in ayse  # she looks, she does not touch


def test_a_packer_who_misses_something_is_told_and_it_is_written_down(
    app: Flask, cast: Cast, sandbox: SandboxControl, kept: Kept
) -> None:
    order = story.paid(app, cast, sandbox, (story.TAPE, 2))[0]
    with atomic():
        stock.count(kept.tape, kept.shelf, 1, key="c", by=actor(cast.cem), because="gone")
        parcel = delivery.prepare_parcel(order.id, by=actor(cast.deniz))
    line = parcel.items[0]["line_id"]
    cem: Browser = sign_in(app, cast.cem)
    answer = cem.client.post(
        f"/warehouse/shipments/{parcel.id}/packing",
        data={f"line-{line}": "on", "csrf_token": cem.token},
        headers={"Referer": f"http://localhost/warehouse/shipments/{parcel.id}"},
    )
    assert answer.status_code == 303
    page = cem.get(f"/warehouse/shipments/{parcel.id}")[1]
    assert "1/2" in page
    assert 'id="pack"' in page
    assert [(s.there, s.wanted) for s in history.shortage_rows(history.shortages())] == [(1, 2)]
    db.session.rollback()


def test_a_buyer_is_told_what_is_missing_and_nothing_is_set_aside(app: Flask, cast: Cast, kept: Kept) -> None:
    fatma = sign_in(app, cast.fatma)
    page = fatma.get("/buyer/offers?q=band")[1]
    offer = re.search(r'name="(q-\d+)"', page)
    assert offer
    form = {offer[1]: "11", "once": "k", "csrf_token": fatma.token}
    answer = fatma.client.post("/buyer/orders", data=form, headers={"Referer": "http://localhost/buyer/offers"})
    assert answer.headers["Location"] == "/buyer/offers"
    assert "10/11" in fatma.get("/buyer/offers")[1]
    assert numbers(kept.tape) == (10, 0)

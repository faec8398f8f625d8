"""The buyer answers line by line: on the page, by API, by the link in the letter; pictures and labels."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.disputes import queries as disputes_queries
from portal.disputes.models import DisputePhoto
from portal.mail.models import MailMessage
from portal.orders import queries as orders_queries
from portal.orders.models import Order
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.models import DeliveryLink
from tests import story
from tests.cast import Browser, Cast, api, csrf, sign_in
from tests.pictures import a_photo
from tests.world import SandboxControl


@pytest.fixture
def order(app: Flask, cast: Cast, sandbox: SandboxControl) -> Order:
    """Four rolls of tape, paid."""
    return story.paid(app, cast, sandbox, (story.TAPE, 4))[0]


def line_of(order: Order) -> int:
    """Its one line."""
    return orders_queries.lines_of(order.id)[0].id


def held(order: Order) -> list[str]:
    """The states of the order's lots."""
    db.session.rollback()
    return sorted(story.hold_states(order))


# By API -----------------------------------------------------------------------------------------------------


def confirm(app: Flask, cast: Cast, order: Order, body: Any) -> tuple[int, dict[str, Any]]:
    """POST confirm-delivery as Fatma's machine."""
    fatma = api(app, cast.fatma)
    answer = fatma.client.post(f"/api/network/orders/{order.id}/confirm-delivery", json=body, headers=fatma.headers())
    return answer.status_code, answer.get_json()


def test_exactly_the_accepted_money_is_released(app: Flask, cast: Cast, order: Order) -> None:
    parcel = story.shipped(order, cast)
    line = line_of(order)
    said = {"line_id": line, "accepted": 2, "damaged": 1, "missing": 1}
    body = {"parcels": [{"shipment_id": parcel.id, "lines": [said], "note": "köşesi ezik"}]}
    status, answer = confirm(app, cast, order, body)
    assert (status, answer["state"], answer["payout_status"]) == (200, "DISPUTED", "INITIATED")
    assert [(d["problem"], d["pieces"], d["amount_kurus"]) for d in answer["disputes"]] == [
        ("DAMAGED", 1, 21475),
        ("MISSING", 1, 21475),
    ]
    assert held(order) == ["HELD", "HELD", "RELEASING", "RELEASING"]
    assert confirm(app, cast, order, body)[0] == 200  # the same again is the same
    said["accepted"], said["damaged"] = 3, 0
    assert (confirm(app, cast, order, body)[0], held(order)) == (409, ["HELD", "HELD", "RELEASING", "RELEASING"])


@pytest.mark.parametrize(
    "lines",
    [
        [{"accepted": 5}], [{"accepted": 3}], [{"accepted": -1, "damaged": 5}], [{"accepted": 4, "line_id": 9999}],
        [{"accepted": 4}, {"accepted": 4}], [],
    ],
)  # fmt: skip
def test_an_answer_that_does_not_add_up_changes_nothing(
    app: Flask, cast: Cast, order: Order, lines: list[dict[str, int]]
) -> None:
    parcel = story.shipped(order, cast)
    said = [{"line_id": line_of(order), **line} for line in lines]
    status, _ = confirm(app, cast, order, {"parcels": [{"shipment_id": parcel.id, "lines": said}]})
    assert status in (400, 422)
    assert held(order) == ["HELD"] * 4
    assert shipping_queries.parcel(parcel.id).state == "HANDED_OVER"


def test_complete_and_line_by_line_do_not_mix(app: Flask, cast: Cast, order: Order) -> None:
    parcel = story.shipped(order, cast)
    line = {"line_id": line_of(order), "accepted": 4}
    body = {"shipment_ids": [parcel.id], "parcels": [{"shipment_id": parcel.id, "lines": [line]}]}
    assert confirm(app, cast, order, body)[0] == 422


def test_a_parcel_is_begun_for_a_carrier_and_not_for_a_stranger(app: Flask, cast: Cast, order: Order) -> None:
    deniz = api(app, cast.deniz)
    url = f"/api/network/orders/{order.id}/shipments/init"
    refused = deniz.client.post(url, json={"carrier": "pigeon"}, headers=deniz.headers(Idempotency_Key="a"))
    taken = deniz.client.post(url, json={"carrier": "yurtici"}, headers=deniz.headers(Idempotency_Key="b"))
    assert (refused.status_code, taken.status_code, taken.get_json()["carrier"]) == (422, 201, "Yurtiçi Kargo")


# On the page ------------------------------------------------------------------------------------------------


def report(fatma: Browser, parcel_id: int, **fields: Any) -> tuple[int, str]:
    """Send the form with files."""
    answer = fatma.client.post(
        f"/buyer/shipments/{parcel_id}/answer", data={**fields, "csrf_token": fatma.token},
        content_type="multipart/form-data",
    )  # fmt: skip
    return answer.status_code, answer.text


def test_a_picture_is_redrawn_without_what_was_hidden_in_it(app: Flask, cast: Cast, order: Order) -> None:
    parcel = story.shipped(order, cast)
    line = line_of(order)
    photo = (io.BytesIO(a_photo(3000, 2000)), "IMG_0001.jpg")
    fatma = sign_in(app, cast.fatma)
    assert report(fatma, parcel.id, **{f"damaged-{line}": "1", f"photo-{line}": photo, "note": "ezik"})[0] == 303
    db.session.rollback()
    kept = db.session.execute(select(DisputePhoto)).scalar_one()
    assert (kept.width, kept.height) == (1600, 1067)
    assert "Kadıköy".encode() not in kept.jpeg
    assert not Image.open(io.BytesIO(kept.jpeg)).getexif()
    dispute = disputes_queries.of_parcel(parcel.id)[0]
    shown = fatma.client.get(f"/disputes/{dispute.id}/photos/{kept.id}")
    assert (shown.status_code, shown.mimetype, shown.data[:2]) == (200, "image/jpeg", b"\xff\xd8")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert sign_in(app, cast.ece).get(f"/disputes/{dispute.id}/photos/{kept.id}")[0] == 404


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b"GIF89a" + b"\0" * 50, b"%PDF-1.7", a_photo()[:200]])
def test_what_is_no_picture_is_refused_and_the_form_keeps_what_was_typed(
    app: Flask, cast: Cast, order: Order, content: bytes
) -> None:
    parcel = story.shipped(order, cast)
    line = line_of(order)
    photo = (io.BytesIO(content), "x.jpg")
    fields = {f"damaged-{line}": "2", f"photo-{line}": photo, "note": "köşesi <b>ezik</b>"}
    status, page = report(sign_in(app, cast.fatma), parcel.id, **fields)
    assert (status, held(order)) == (422, ["HELD"] * 4)
    assert f'name="damaged-{line}" value="2"' in page
    assert "köşesi &lt;b&gt;ezik" in page


@pytest.mark.parametrize("typed", ["-1", "5", "1,5", "bir", "99999999999", "¹"])
def test_nonsense_in_the_form_is_named(app: Flask, cast: Cast, order: Order, typed: str) -> None:
    parcel = story.shipped(order, cast)
    status, page = report(sign_in(app, cast.fatma), parcel.id, **{f"damaged-{line_of(order)}": typed})
    assert status == 422
    assert 'role="alert"' in page


def test_an_objection_to_nothing_is_not_one(app: Flask, cast: Cast, order: Order) -> None:
    parcel = story.shipped(order, cast)
    assert report(sign_in(app, cast.fatma), parcel.id)[0] == 422
    assert shipping_queries.parcel(parcel.id).state == "HANDED_OVER"


# By the link in the letter ----------------------------------------------------------------------------------


def letter(app: Flask, cast: Cast, order: Order) -> str:
    """The path of the link in Fatma's letter."""
    story.delivered(order, cast)
    body = db.session.execute(select(MailMessage.text_body)).scalar_one()
    found = re.search(r"http://localhost(/delivery/\S+)", body)
    assert found
    db.session.rollback()
    return found[1]


def test_the_link_answers_once_and_looking_spends_nothing(app: Flask, cast: Cast, order: Order) -> None:
    path = letter(app, cast, order)
    stranger = app.test_client()
    for _ in range(3):  # a mail server looks, too
        page = stranger.get(path)
        assert page.status_code == 200
    assert stranger.post(path, data={"csrf_token": csrf(page.text)}).status_code == 303
    db.session.rollback()
    assert orders_queries.any_order(order.id).state == "COMPLETED"
    assert stranger.post(path, data={"csrf_token": csrf(page.text)}).status_code == 410
    assert 'id="confirm-all"' not in stranger.get(path).text


def test_the_link_says_line_by_line_what_is_wrong(app: Flask, cast: Cast, order: Order) -> None:
    path = letter(app, cast, order)
    stranger = app.test_client()
    token = csrf(stranger.get(f"{path}/problem").text)
    form = {"csrf_token": token, f"missing-{line_of(order)}": "1"}
    assert stranger.post(f"{path}/problem", data=form).status_code == 303
    db.session.rollback()
    assert disputes_queries.of_order(order.id)[0].opened_by == "Fatma Yıldız"
    assert stranger.post(f"{path}/problem", data=form).status_code == 410


def test_a_link_that_has_run_out_or_was_tampered_with_opens_nothing(app: Flask, cast: Cast, order: Order) -> None:
    path = letter(app, cast, order)
    stranger = app.test_client()
    token = csrf(stranger.get(path).text)
    for wrong in (path[:-2] + "xx", "/delivery/1", f"/delivery/{'a' * 4000}", "/delivery/1.abc"):
        assert stranger.get(wrong).status_code == 404
        assert stranger.post(wrong, data={"csrf_token": token}).status_code == 404
    with atomic() as session:
        link = session.execute(select(DeliveryLink)).scalar_one()
        link.expires_at = link.created_at
    assert stranger.post(path, data={"csrf_token": token}).status_code == 410
    db.session.rollback()
    assert orders_queries.any_order(order.id).state == "DELIVERED"


# Labels -----------------------------------------------------------------------------------------------------


def test_labels_are_printed_counted_and_nobody_elses(app: Flask, cast: Cast, order: Order) -> None:
    parcels = [story.shipped(order, cast, pieces=[(line_of(order), 2)]) for _ in range(2)]
    deniz, ece, cem = (sign_in(app, person) for person in (cast.deniz, cast.ece, cast.cem))
    ids = {"id": [str(parcel.id) for parcel in parcels]}

    def printed(browser: Browser, **more: Any) -> Any:
        return browser.client.post("/labels", data={**ids, **more, "csrf_token": browser.token})

    first, again, zpl = printed(deniz), printed(cem), printed(deniz, format="zpl")
    assert (first.status_code, first.mimetype, first.data[:4]) == (200, "application/pdf", b"%PDF")
    assert first.data.count(b"/Type /Page\n") + first.data.count(b"/Type /Page ") >= 2
    assert again.data != first.data  # the second print says that it is a copy
    assert zpl.text.count("^XA") == 2
    assert parcels[0].key in zpl.text
    assert printed(ece).status_code == 404
    db.session.rollback()
    assert shipping_queries.parcel(parcels[0].id).label_prints == 3


def test_a_seller_withdraws_what_he_cannot_supply(
    app: Flask, cast: Cast, sandbox: SandboxControl, order: Order
) -> None:
    line = line_of(order)
    story.confirmed(order, cast, pieces=[(line, 3)])
    assert orders_queries.any_order(order.id).state == "PARTIALLY_SHIPPED"
    deniz = sign_in(app, cast.deniz)
    assert deniz.post(f"/seller/orders/{order.id}/withdrawals", **{f"q-{line}": "2"})[0] == 409
    assert deniz.post(f"/seller/orders/{order.id}/withdrawals", **{f"q-{line}": "1"})[0] == 303
    story.drain("provider_calls")
    db.session.rollback()
    now = orders_queries.any_order(order.id)
    assert (now.state, now.payout_status) == ("COMPLETED", "RELEASED")
    assert held(order) == ["REFUNDED", "RELEASED", "RELEASED", "RELEASED"]


def test_a_link_belongs_to_one_parcel(app: Flask, cast: Cast, order: Order) -> None:
    line = line_of(order)
    first, _second = (story.shipped(order, cast, pieces=[(line, 2)]) for _ in range(2))
    with atomic():
        signed = shipping.give_link(first, person_id=cast.fatma.id)
    stranger = app.test_client()
    token = csrf(stranger.get(f"/delivery/{signed}").text)
    assert stranger.post(f"/delivery/{signed}", data={"csrf_token": token}).status_code == 303
    db.session.rollback()
    states = [parcel.state for parcel in shipping_queries.parcels_of(order.id)]
    assert states == ["ACCEPTED", "HANDED_OVER"]

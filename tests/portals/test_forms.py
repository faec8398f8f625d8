"""Forms: sent twice they do it once, and what is wrong is said where it was typed."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import func, select

from portal.core.database import db
from portal.orders import queries as orders_queries
from portal.orders.models import Checkout
from portal.shipping import queries as shipping_queries
from tests import story
from tests.cast import Cast, sign_in
from tests.world import SandboxControl


def checkouts() -> int:
    """How many baskets there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count(Checkout.id))) or 0


def offer_field(barcode: str) -> str:
    """The field of an offer on the products page."""
    return next(f"q-{offer.id}" for offer in orders_queries.offers() if offer.barcode == barcode)


def test_a_double_tap_is_one_basket(app: Flask, cast: Cast) -> None:
    fatma = sign_in(app, cast.fatma)
    form = {offer_field(story.TAPE): "4", "once": "n1"}
    first, again = fatma.post("/buyer/orders", **form), fatma.post("/buyer/orders", **form)
    assert first == again
    assert first[0] == 303
    assert checkouts() == 1
    assert fatma.post("/buyer/orders", **{**form, "once": "n2"})[1] != first[1]


def test_nonsense_pieces_are_asked_again(app: Flask, cast: Cast) -> None:
    fatma = sign_in(app, cast.fatma)
    for pieces in ("-1", "1.5", "abc", "999999999999", "²", ""):
        assert fatma.post("/buyer/orders", once="n", **{offer_field(story.TAPE): pieces})[0] == 422
    assert checkouts() == 0


def test_a_box_is_closed_only_when_every_line_is_ticked(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox, (story.TAPE, 1), (story.FILM, 1))[0]
    deniz, cem = sign_in(app, cast.deniz), sign_in(app, cast.cem)
    assert deniz.post(f"/seller/orders/{order.id}/shipments")[0] == 303
    assert deniz.post(f"/seller/orders/{order.id}/shipments")[0] == 409  # every piece is in a parcel
    parcel = shipping_queries.parcels_of(order.id)[0]
    url = f"/warehouse/shipments/{parcel.id}"
    first, second = (f"line-{item['line_id']}" for item in parcel.items)
    assert cem.post(f"{url}/packing", **{first: "on"})[0] == 422
    assert cem.post(f"{url}/hand-over", carrier="Elden")[0] == 409  # too early
    assert cem.post(f"{url}/packing", **{first: "on", second: "on"})[0] == 303
    assert cem.post(f"{url}/packing", **{first: "on", second: "on"})[0] == 409  # twice
    assert cem.post(f"{url}/hand-over", carrier=" ")[0] == 422
    assert cem.post(f"{url}/hand-over", carrier="Elden")[0] == 303


def test_a_cancelled_parcel_gives_its_pieces_back(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    deniz = sign_in(app, cast.deniz)
    deniz.post(f"/seller/orders/{order.id}/shipments")
    assert deniz.post("/seller/shipments/1/cancellation", because="yanlış koli")[0] == 303
    assert deniz.post(f"/seller/orders/{order.id}/shipments")[0] == 303
    assert [p.sequence for p in shipping_queries.parcels_of(order.id)] == [1, 2]


def test_a_hostile_character_is_refused_on_every_form(app: Flask, cast: Cast) -> None:
    fatma = sign_in(app, cast.fatma)
    assert fatma.post("/buyer/orders", once="\x00")[0] == 422
    assert fatma.get("/buyer/orders?q=%00")[0] == 422
    assert fatma.get("/buyer/orders?q=%ff%fe&page=-1&state=x")[0] == 200
    assert app.test_client().post("/sign-in", data={"email": "\x00"}).status_code in (400, 422)


def test_a_silent_provider_says_try_again_and_nothing_was_charged(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    story.register_sellers()
    checkout = story.place(cast)
    sandbox.fault("checkout_init", "timeout_before_effect", seconds=2)
    fatma = sign_in(app, cast.fatma)
    url = f"/buyer/checkouts/{checkout.public_key}/payment"
    assert fatma.post(url)[0] == 503
    status, page = fatma.post(url)
    assert status == 303
    assert page.startswith(sandbox.url)
    assert fatma.post(url)[1] == page  # the same page again, never two


def test_a_seller_sends_a_part_now_and_the_rest_later(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    line = orders_queries.lines_of(order.id)[0]
    deniz, url = sign_in(app, cast.deniz), f"/seller/orders/{order.id}/shipments"
    for nonsense in ("0", "-1", "1,5", "abc", "²"):
        assert deniz.post(url, **{f"q-{line.id}": nonsense})[0] == 422
    assert deniz.post(url, **{f"q-{line.id}": "5"})[0] == 409
    assert deniz.post(url, **{f"q-{line.id}": "1"})[0] == 303
    assert 'value="3"' in deniz.get(f"/seller/orders/{order.id}")[1]
    assert deniz.post(url)[0] == 303
    assert [p.items[0]["quantity"] for p in shipping_queries.parcels_of(order.id)] == [1, 3]

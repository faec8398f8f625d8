"""The warehouse's pages of marketplaces: what is to be packed, why, what is the matter, what must come back."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import event, text

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.health.books import QUESTIONS
from portal.stock import services as stock
from tests.cast import Cast, sign_in
from tests.marketplace import Street, returns
from tests.stock import TAPE, Warehouse, number, on_hand

LIST = "/warehouse/marketplace"


def test_the_list_shows_packages_and_what_is_the_matter(app: Flask, cast: Cast, street: Street) -> None:
    street.order((TAPE, 60))
    street.order(("NO-SUCH-THING", 1))
    street.order((TAPE, 1), status="Repack")
    street.pull()
    status, page = sign_in(app, cast.cem).get(LIST)
    assert status == 200
    for words in (
        "Ayşe Yılmaz",
        "İzmir",
        "bilmediğimiz bir barkod",
        "olandan fazlası satıldı",
        "bilmediğimiz bir durum",
    ):
        assert words in page, words


def test_tabs_search_and_troubles_narrow_the_list(app: Flask, cast: Cast, street: Street) -> None:
    (good,), (bad,) = street.order((TAPE, 1)), street.order(("NO-SUCH-THING", 1))
    (paid,) = street.order((TAPE, 1), status="Awaiting")
    street.pull()
    cem = sign_in(app, cast.cem)

    def shown(query: str) -> set[str]:
        return set(re.findall(r"<code>(\d+)</code>", cem.get(f"{LIST}?{query}")[1]))

    assert shown("") == {good, bad, paid}
    assert shown("state=AWAITING") == {paid}
    assert shown("troubles=1") == {bad}
    assert shown("storefront=n11") == set()
    assert shown(f"q={good}") == {good}
    assert shown("q=NO-SUCH-THING") == {bad}
    assert shown("q=%25") == set()


def test_what_should_have_left_by_now_is_said(app: Flask, cast: Cast, street: Street) -> None:
    street.order((TAPE, 1), ago_seconds=60 * 60 * 60)
    street.lever("rules", limits=False)
    app.config["STOREFRONT_FIRST_DAYS"] = 4
    street.pull()
    assert "şimdiye çıkmış olmalıydı" in sign_in(app, cast.cem).get(LIST)[1]


def test_a_packages_page_says_why_and_shows_its_history(
    app: Flask, cast: Cast, street: Street, warehouse: Warehouse
) -> None:
    (key,) = street.order((TAPE, 8))
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 8)
    status, page = sign_in(app, cast.ayse).get(f"{LIST}/{street.ours(key).id}")
    assert status == 200
    for words in (
        "Neden bu durumda?",
        "8 raftan alındı",
        "Created",
        "Pazaryerine paketlendiğini bildir",
        "toplu okuma",
    ):
        assert words in page, words
    assert "read-again" not in page, "finance looks and does not touch"


def test_a_split_links_its_parts(app: Flask, cast: Cast, street: Street) -> None:
    (key,) = street.order((TAPE, 5))
    street.pull()
    rest = street.cancels(key, (TAPE, 2))
    street.pull()
    cem = sign_in(app, cast.cem)
    assert rest in cem.get(f"{LIST}/{street.ours(key).id}")[1]
    assert key in cem.get(f"{LIST}/{street.ours(rest).id}")[1]


def test_a_package_nobody_has_is_not_found(app: Flask, cast: Cast, street: Street) -> None:
    assert sign_in(app, cast.cem).get(f"{LIST}/999999")[0] == 404


def test_asked_again_the_package_is_read(app: Flask, cast: Cast, street: Street) -> None:
    (key,) = street.order((TAPE, 1))
    street.pull()
    street.becomes(key, "Shipped")
    cem = sign_in(app, cast.cem)
    answer = cem.client.post(f"{LIST}/{street.ours(key).id}/read-again", data={"csrf_token": cem.token})
    assert answer.status_code == 303
    street.work()
    assert street.ours(key).state == "SHIPPED"


@pytest.fixture
def returned(street: Street, warehouse: Warehouse) -> int:
    """Eight pieces were packed, and the customer sent them back."""
    (key,) = street.order((TAPE, 8))
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 8)
    street.becomes(key, "Returned")
    street.pull()
    return number("SELECT id FROM storefront_return")


def test_what_came_back_is_put_on_a_shelf_once(app: Flask, cast: Cast, warehouse: Warehouse, returned: int) -> None:
    cem = sign_in(app, cast.cem)
    assert "Koli bandı" in cem.get(f"{LIST}/returns")[1] or TAPE in cem.get(f"{LIST}/returns")[1]
    form = {"csrf_token": cem.token, "pieces": "5", "shelf": "B-01", "once": "a"}
    for _again in range(2):
        assert cem.client.post(f"{LIST}/returns/{returned}/received", data=form).status_code == 303
    assert on_hand(warehouse.tape) == (47, 0)
    assert returns()[0][1:] == (8, 5, "EXPECTED")


@pytest.mark.parametrize(
    "wrong",
    [
        {"pieces": "9"},
        {"pieces": "0"},
        {"pieces": "-1"},
        {"pieces": "x"},
        {"shelf": "NOWHERE"},
        {"once": ""},
        {"pieces": ""},
    ],
)
def test_a_wrong_return_is_refused_and_changes_nothing(
    app: Flask, cast: Cast, warehouse: Warehouse, returned: int, wrong: dict[str, str]
) -> None:
    cem = sign_in(app, cast.cem)
    form = {"csrf_token": cem.token, "pieces": "5", "shelf": "B-01", "once": "a", **wrong}
    assert cem.client.post(f"{LIST}/returns/{returned}/received", data=form).status_code in (404, 409, 422)
    assert on_hand(warehouse.tape) == (42, 0)
    assert returns()[0][2:] == (0, "EXPECTED")


def test_what_is_not_coming_needs_a_reason(app: Flask, cast: Cast, returned: int) -> None:
    cem = sign_in(app, cast.cem)
    url = f"{LIST}/returns/{returned}/not-coming"
    assert cem.client.post(url, data={"csrf_token": cem.token, "because": " "}).status_code == 422
    assert cem.client.post(url, data={"csrf_token": cem.token, "because": "kırık"}).status_code == 303
    assert returns()[0][3] == "LOST"


def test_the_listening_page_shows_a_finding_and_starts_a_reading(app: Flask, cast: Cast, street: Street) -> None:
    street.order((TAPE, 1))
    gul = sign_in(app, cast.gul)
    assert "henüz okunmadı" in gul.get(f"{LIST}/listening")[1]
    street.pull()
    street.compare()
    assert "Eksik yoktu" in gul.get(f"{LIST}/listening")[1]
    assert gul.client.post(f"{LIST}/listening", data={"csrf_token": gul.token}).status_code == 303
    assert number("SELECT count(*) FROM storefront_sync WHERE pull_due_at IS NOT NULL") == 2
    street.work()


def test_more_packages_are_not_more_queries(app: Flask, cast: Cast, street: Street) -> None:
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    cem, costs = sign_in(app, cast.cem), []
    for _round in range(2):
        street.order((TAPE, 1), times=4)
        street.pull()
        asked.clear()
        assert cem.get(LIST)[0] == 200
        costs.append(len(asked))
    assert costs[0] == costs[1]
    assert 2 < costs[0] <= 14


def test_the_books_notice_what_they_are_there_for(app: Flask, street: Street, warehouse: Warehouse) -> None:
    """Both questions about storefronts, asked of a warehouse in which somebody set less aside than was sold."""
    (key,) = street.order((TAPE, 8))
    street.pull()
    needed, ended = (question for question in QUESTIONS if "storefront" in question.asks and "pieces" in question.asks)
    if "ended" in needed.asks:
        needed, ended = ended, needed
    assert db.session.execute(text(needed.sql)).all() == []
    db.session.rollback()
    with atomic():
        stock.release(street.source(key)._replace(line=number_line()), still_wanted=3, because="a mistake")
    assert len(db.session.execute(text(needed.sql)).all()) == 1
    db.session.execute(text("UPDATE storefront_package SET state = 'CANCELLED'"))
    assert len(db.session.execute(text(ended.sql)).all()) == 1
    db.session.rollback()
    with atomic():
        db.session.execute(text("UPDATE storefront_package SET state = 'UNKNOWN'"))


def number_line() -> str:
    return str(db.session.scalar(text("SELECT line_key FROM storefront_line")))

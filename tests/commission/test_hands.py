"""Who counts as one person: noted by the administrator, seen by everybody at the desk."""

from __future__ import annotations

import contextvars
import threading
from datetime import timedelta

import pytest
from flask import Flask

from portal.accounts import identity
from portal.accounts.roles import Role
from portal.core import clock
from portal.core.errors import BadInput, NotFound
from portal.core.unit_of_work import atomic
from tests.cast import Cast, actor, api, sign_in
from tests.commission import Office, ask

HANDS = "/admin/commission/hands"


@pytest.fixture
def office(app: Flask, cast: Cast) -> Office:
    """Ayşe makes, Burak checks."""
    return Office(cast)


def test_noted_on_the_page_it_holds_at_the_desk(app: Flask, cast: Cast, office: Office) -> None:
    gul = sign_in(app, cast.gul)
    assert gul.post(f"{HANDS}/second-accounts", person_id=str(cast.burak.id), other_id=str(cast.ayse.id))[0] == 303
    page = sign_in(app, cast.burak).get(HANDS)[1]
    assert cast.ayse.full_name in page and "note-second" not in page
    snapshot_id = office.snapshot()
    burak = api(app, cast.burak)
    digest = ask(f"SELECT digest FROM commission_snapshot WHERE id = {snapshot_id}")[0][0]
    url = f"/admin/commission/snapshots/{snapshot_id}/approve"
    refused = burak.client.post(url, json={"digest": digest}, headers=burak.headers())
    assert (refused.status_code, refused.get_json()["error"]) == (403, "same_person")


def test_nobody_but_the_administrator_notes_it(app: Flask, cast: Cast, office: Office) -> None:
    for person in (cast.ayse, cast.burak):
        browser = sign_in(app, person)
        both = {"person_id": str(cast.burak.id), "other_id": str(cast.ayse.id)}
        assert browser.post(f"{HANDS}/second-accounts", **both)[0] == 403
        assert browser.post(f"{HANDS}/stand-ins", person_id="1", for_person_id="2")[0] == 403


def test_three_accounts_are_one_person_in_whatever_order_it_is_noted(office: Office) -> None:
    gul = actor(office.cast.gul)
    others = [office.newcomer(f"g{n}@demo.tr", f"Gizem {n}", Role.FINANCE).id for n in range(4)]
    with atomic():
        identity.same_human(others[0], others[1], by=gul)
        identity.same_human(others[2], others[3], by=gul)
        identity.same_human(others[1], others[2], by=gul)  # two pairs become one
    for one in others:
        assert identity.one_hands(others, one, days=[clock.today()]) == set(others)
    with pytest.raises(BadInput), atomic():
        identity.same_human(others[3], others[0], by=gul)
    assert len(identity.second_accounts()) == 3


def test_noted_by_two_at_once_the_other_way_round_it_is_no_circle(app: Flask, office: Office) -> None:
    one, other = (office.newcomer(f"g{n}@demo.tr", f"Gizem {n}", Role.FINANCE).id for n in range(2))
    refused: list[BadInput] = []

    def the_other_way_round() -> None:
        with app.app_context():
            try:
                with atomic():
                    identity.same_human(other, one, by=actor(office.cast.gul))
            except BadInput as no:
                refused.append(no)

    second = threading.Thread(target=contextvars.Context().run, args=(the_other_way_round,))
    with atomic():
        identity.same_human(one, other, by=actor(office.cast.gul))
        second.start()
        second.join(0.5)
        assert second.is_alive()  # it waits
    second.join()
    assert len(refused) == 1
    assert identity.one_hands([one, other], one, days=[clock.today()]) == {one, other}


def test_a_stand_in_ends_with_the_day_and_what_was_made_until_then_stays_one_hands(
    app: Flask, cast: Cast, office: Office
) -> None:
    gul = api(app, cast.gul)
    body = {"person_id": cast.burak.id, "for_person_id": cast.ayse.id}
    for expected in (201, 422):  # twice is refused politely
        answer = gul.client.post(f"{HANDS}/stand-ins", json=body, headers=gul.headers())
        assert answer.status_code == expected
    listed = gul.client.get(HANDS, headers=gul.headers()).get_json()["stand_ins"]
    assert [(row["person_id"], row["last_on"]) for row in listed] == [(cast.burak.id, None)]
    url = f"{HANDS}/stand-ins/{listed[0]['id']}/end"
    for expected in (200, 422):
        assert gul.client.post(url, json={}, headers=gul.headers()).status_code == expected
    today, tomorrow = clock.today(), clock.today() + timedelta(days=1)
    assert identity.one_hands([cast.ayse.id], cast.burak.id, days=[today]) == {cast.ayse.id}
    assert identity.one_hands([cast.ayse.id], cast.burak.id, days=[tomorrow]) == set()
    assert identity.one_hands([cast.ayse.id], cast.burak.id, days=[today, tomorrow]) == {cast.ayse.id}


@pytest.mark.parametrize(
    "changes",
    [{"for_person_id": "x"}, {"for_person_id": "999999"}, {"last_on": "01.01.2020"}, {"from_on": "30.02.2026"}],
)
def test_nonsense_is_refused_and_changes_nothing(app: Flask, cast: Cast, changes: dict[str, str]) -> None:
    gul = sign_in(app, cast.gul)
    said = {"person_id": str(cast.burak.id), "for_person_id": str(cast.ayse.id), **changes}
    assert gul.post(f"{HANDS}/stand-ins", **said)[0] in (404, 422)
    assert identity.stand_ins() == []
    with pytest.raises(NotFound), atomic():
        identity.comes_back(999, by=actor(cast.gul))

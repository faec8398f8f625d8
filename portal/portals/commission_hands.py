"""The commission desk: whose accounts count as one person's, so that two people really are two."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import identity
from portal.accounts import queries as accounts
from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.core import clock
from portal.core.unit_of_work import atomic
from portal.portals import commission_desk as desk
from portal.portals.commission_desk import bp, done, plain, said, shown


@bp.get("/hands")
@requires(Permission.COMMISSION_SEE)
def hand_list() -> Response:
    """Second accounts and stand-ins: why somebody is told that he cannot check what he made."""
    second, standing = identity.second_accounts(), identity.stand_ins()
    return shown(
        "commission/hands.html",
        {
            "second_accounts": [{"person_id": one.id, "human_id": known.id} for one, known in second],
            "stand_ins": [
                plain(row, "id", "person_id", "for_person_id", "from_on", "last_on") for row, _who, _whom in standing
            ],
        },
        second=second,
        standing=standing,
        people=accounts.everybody(),
        today=clock.today(),
    )


@bp.post("/hands/second-accounts")
@requires(Permission.COMMISSION_OVERRIDE)
def note_second_account() -> Response:
    """Two accounts are one human being's. This is not taken back: what was checked under it would look wrong."""
    sent = said()
    one, other = _person(sent, "person_id"), _person(sent, "other_id")
    with atomic():
        identity.same_human(one, other, by=current_actor())
    return done(url_for(".hand_list"), _("Written down."), {"person_id": one, "other_id": other}, 201)


@bp.post("/hands/stand-ins")
@requires(Permission.COMMISSION_OVERRIDE)
def note_stand_in() -> Response:
    """Somebody acts for somebody else, from one day to another or until further notice."""
    sent = said()
    one, absent = _person(sent, "person_id"), _person(sent, "for_person_id")
    from_on, last_on = desk.day_of(sent, "from_on") or clock.today(), desk.day_of(sent, "last_on")
    until_on = last_on and last_on + timedelta(days=1)
    with atomic():
        identity.stands_in(one, for_person_id=absent, from_on=from_on, until_on=until_on, by=current_actor())
    return done(url_for(".hand_list"), _("Written down."), {"person_id": one, "for_person_id": absent}, 201)


@bp.post("/hands/stand-ins/<int:stand_in_id>/end")
@requires(Permission.COMMISSION_OVERRIDE)
def end_stand_in(stand_in_id: int) -> Response:
    """Whoever was away is back."""
    with atomic():
        identity.comes_back(stand_in_id, by=current_actor())
    return done(url_for(".hand_list"), _("Ends with today."), {"id": stand_in_id})


def _person(sent: Mapping[str, Any], name: str) -> int:
    return accounts.person(desk.whole(sent, name)).id

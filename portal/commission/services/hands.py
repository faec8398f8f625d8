"""Maker and checker: what was made by one is checked by another, and only what that other was shown.

The tables say the same in constraints and in a trigger; these refusals are the polite words before it comes to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.accounts.identity import one_hands
from portal.commission.models.two_people import TwoPeople
from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import BadInput, Refusal


class SamePerson(Refusal):
    """Whoever made it can't check it: not with a second account, an API token, or as somebody's stand-in."""

    status = 403
    code = "same_person"

    def __init__(self) -> None:
        super().__init__(_l("You made this yourself. A second person has to look at it."))


class EarnsFromIt(Refusal):
    """Nobody checks what pays himself."""

    status = 403
    code = "earns_from_it"

    def __init__(self) -> None:
        super().__init__(_l("This pays you. Somebody who earns nothing from it has to look at it."))


class ChangedMeanwhile(Refusal):
    """What was shown is not what is there."""

    code = "changed_meanwhile"

    def __init__(self, message: Any = "", **details: Any) -> None:
        super().__init__(message or _l("This is not what you were shown. Please look at it again."), **details)


def made(by: Actor) -> dict[str, Any]:
    """The maker's columns."""
    return {"maker": by.name, "maker_person_id": by.person_id, "made_at": clock.now()}


def let_check(
    thing: TwoPeople, *, shown: str, by: Actor, earners: Iterable[int] = (), override_because: str = ""
) -> None:
    """Refuses the maker (unless overridden with a reason), those who earn from it, and another fingerprint."""
    let_check_all([(thing, shown, earners)], by=by, override_because=override_because)


def let_check_all(
    things: Sequence[tuple[TwoPeople, str, Iterable[int]]], *, by: Actor, override_because: str = ""
) -> None:
    """As above for many: thing, the fingerprint that was shown, and who earns from it."""
    assert by.person_id is not None, "a machine checks nothing"
    makers = {thing.maker_person_id for thing, _shown, _earners in things if thing.maker_person_id is not None}
    payees = {person for _thing, _shown, earners in things for person in earners}
    made_on = {clock.day_of(thing.made_at) for thing, _shown, _earners in things}
    mine = one_hands({*makers, *payees}, by.person_id, days={clock.today(), *made_on})
    for thing, shown, _earners in things:
        if shown != thing.digest:
            raise ChangedMeanwhile(digest=thing.digest)
    if mine & makers and not override_because:
        raise SamePerson
    if mine & payees:
        raise EarnsFromIt


def checked(by: Actor, *, shown: str, override_because: str = "") -> dict[str, Any]:
    """The checker's columns."""
    return {
        "checker": by.name,
        "checker_person_id": by.person_id,
        "checked_at": clock.now(),
        "checked_digest": shown,
        "override_because": override_because,
    }


def reason(because: str) -> str:
    """A reason somebody can understand later; refuses none at all."""
    if not because.strip():
        raise BadInput(fields={"because": _l("Say why, so that others understand it later.")})
    return because.strip()[:1000]

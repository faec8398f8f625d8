"""Which accounts are one human being's, and who stands in for whom: what "two different people" means here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.models import Person
from portal.core import audit
from portal.core.actor import Actor
from portal.core.database import Model, PrimaryKey, db, recorded_now
from portal.core.errors import BadInput


class SecondAccount(Model):
    """This account belongs to somebody who has another one: the two never count as two people."""

    __tablename__ = "second_account"
    __table_args__ = (CheckConstraint("person_id <> human_id", name="is_somebody_elses_second"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    # The human being is known by the first account.
    human_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    noted_at: Mapped[datetime] = recorded_now()


class StandIn(Model):
    """Somebody acts for somebody else from a day on, until (and without) another. Their hands count as one."""

    __tablename__ = "stand_in"
    __table_args__ = (
        CheckConstraint("person_id <> for_person_id", name="stands_in_for_somebody_else"),
        CheckConstraint("until_on IS NULL OR until_on > from_on", name="lasts_a_day_at_least"),
        UniqueConstraint("person_id", "for_person_id", "from_on", name="is_said_once"),
    )

    id: Mapped[PrimaryKey]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    for_person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    noted_at: Mapped[datetime] = recorded_now()


def same_human(person_id: int, other_id: int, *, by: Actor) -> None:
    """Note that two accounts belong to one human being; the second one is known by the first from now on."""
    first = db.session.scalar(select(func.human_of(other_id)))
    if first == person_id:
        raise BadInput(_l("An account cannot be its own second account."))
    db.session.merge(SecondAccount(person_id=person_id, human_id=first))
    audit.write_down("second account noted", by=by, about=("person", person_id), human=first)
    db.session.flush()


def stands_in(person_id: int, *, for_person_id: int, from_on: date, until_on: date | None, by: Actor) -> None:
    """Note that somebody acts for somebody else; until then the two cannot check one another."""
    if person_id == for_person_id or (until_on is not None and until_on <= from_on):
        raise BadInput(_l("A stand-in is somebody else, for a day at least."))
    db.session.add(StandIn(person_id=person_id, for_person_id=for_person_id, from_on=from_on, until_on=until_on))
    details = {"for": for_person_id, "from": f"{from_on}", "until": f"{until_on}"}
    audit.write_down("stand-in noted", by=by, about=("person", person_id), **details)
    db.session.flush()


def one_hands(people: Iterable[int], other_id: int, *, days: Iterable[date]) -> set[int]:
    """Those of many accounts that count as one person with this one, on any of the days: itself, a second account,
    a stand-in. The same function guards the tables, so page and database cannot disagree.
    """
    found: set[int] = set()
    ids = sorted(set(people))
    for day in sorted(set(days)):
        asked = select(Person.id).where(Person.id.in_(ids), func.is_one_hand(Person.id, other_id, day))
        found |= set(db.session.scalars(asked))
    return found

"""Which accounts are one human being's, and who stands in for whom: what "two different people" means here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select, text, update
from sqlalchemy.orm import Mapped, aliased, mapped_column

from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.actor import Actor
from portal.core.database import Model, PrimaryKey, db, recorded_now
from portal.core.errors import BadInput, NotFound


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

    @property
    def last_on(self) -> date | None:
        """The last day of it, as people say it."""
        return self.until_on and self.until_on - timedelta(days=1)

    def can_end(self, today: date) -> bool:
        """Whether it has begun and would last longer than today."""
        return self.from_on <= today and (self.last_on is None or self.last_on > today)


def same_human(person_id: int, other_id: int, *, by: Actor) -> None:
    """Note that two accounts belong to one human being, and with them all that were known to be either's."""
    # Two at once, each the other way round, would make a circle in which neither knows the other.
    db.session.execute(text("LOCK TABLE second_account IN SHARE ROW EXCLUSIVE MODE"))
    mine, first = db.session.execute(select(func.human_of(person_id), func.human_of(other_id))).one()
    if first == mine:
        raise BadInput(fields={"other_id": _l("These accounts count as one person already.")})
    known_by_mine = update(SecondAccount).where(SecondAccount.human_id == mine)
    db.session.execute(known_by_mine.values(human_id=first))
    db.session.add(SecondAccount(person_id=mine, human_id=first))
    audit.write_down("second account noted", by=by, about=("person", person_id), human=first)
    db.session.flush()


def stands_in(person_id: int, *, for_person_id: int, from_on: date, until_on: date | None, by: Actor) -> None:
    """Note that somebody acts for somebody else; until then the two cannot check one another."""
    if person_id == for_person_id or (until_on is not None and until_on <= from_on):
        raise BadInput(fields={"last_on": _l("A stand-in is somebody else, for a day at least.")})
    if db.session.scalars(
        select(StandIn.id).filter_by(person_id=person_id, for_person_id=for_person_id, from_on=from_on)
    ).first():
        raise BadInput(fields={"from_on": _l("This is written down already.")})
    db.session.add(StandIn(person_id=person_id, for_person_id=for_person_id, from_on=from_on, until_on=until_on))
    details = {"for": for_person_id, "from": f"{from_on}", "until": f"{until_on}"}
    audit.write_down("stand-in noted", by=by, about=("person", person_id), **details)
    db.session.flush()


def comes_back(stand_in_id: int, *, by: Actor) -> None:
    """From tomorrow on nobody stands in any more; what was made or checked until then stays one hand's."""
    found = db.session.get(StandIn, stand_in_id, with_for_update=True) if 0 < stand_in_id < 2**63 else None
    tomorrow = clock.today() + timedelta(days=1)
    if found is None:
        raise NotFound
    if not found.can_end(clock.today()):
        raise BadInput(fields={"last_on": _l("This has not begun, or is over already.")})
    found.until_on = tomorrow
    audit.write_down("stand-in ended", by=by, about=("person", found.person_id), until=f"{tomorrow}")
    db.session.flush()


def second_accounts() -> list[tuple[Person, Person]]:
    """Every account that belongs to somebody who has another one, and that other one; by name."""
    first = aliased(Person)
    wanted = (
        select(Person, first)
        .join(SecondAccount, SecondAccount.person_id == Person.id)
        .join(first, first.id == SecondAccount.human_id)
    )
    return [(second, known) for second, known in db.session.execute(wanted.order_by(first.full_name, Person.id))]


def stand_ins() -> list[tuple[StandIn, Person, Person]]:
    """Who stands in, or stood in, and for whom; the latest first."""
    absent = aliased(Person)
    wanted = (
        select(StandIn, Person, absent)
        .join(Person, Person.id == StandIn.person_id)
        .join(absent, absent.id == StandIn.for_person_id)
    )
    return [
        (row, who, whom) for row, who, whom in db.session.execute(wanted.order_by(StandIn.from_on.desc(), StandIn.id))
    ]


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

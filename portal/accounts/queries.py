"""What is asked about people and companies."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import ApiToken, Organisation, Person
from portal.accounts.roles import Role
from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound


def active_person(person_id: int) -> Person | None:
    """Somebody who may still come in, with the company."""
    wanted = select(Person).options(joinedload(Person.organisation)).where(Person.id == person_id, Person.is_active)
    return _by_itself(db.session.execute(wanted).scalar_one_or_none())


def person_of_token(person_id: int, jti: str) -> Person | None:
    """The bearer of a token that was given out and not taken back."""
    wanted = (
        select(Person)
        .options(joinedload(Person.organisation))
        .join(ApiToken, ApiToken.person_id == Person.id)
        .where(
            Person.id == person_id,
            Person.is_active,
            ApiToken.jti == jti,
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > DB_NOW,
        )
    )
    return _by_itself(db.session.execute(wanted).scalar_one_or_none())


def people_of(organisation_id: int) -> list[Person]:
    """Everybody who works there and may come in."""
    wanted = select(Person).where(Person.organisation_id == organisation_id, Person.is_active).order_by(Person.id)
    return list(db.session.scalars(wanted))


def people_with(role: Role) -> list[Person]:
    """Everybody who plays a part and may come in."""
    wanted = select(Person).where(Person.role == role.value, Person.is_active).order_by(Person.id)
    return list(db.session.scalars(wanted))


def everybody() -> list[Person]:
    """Everybody who may come in, by name."""
    return list(db.session.scalars(select(Person).where(Person.is_active).order_by(Person.full_name)))


def person(person_id: int) -> Person:
    """Somebody, also one who may not come in any more."""
    found = db.session.get(Person, person_id) if 0 < person_id < 2**63 else None
    if found is None:
        raise NotFound
    return found


def organisation(organisation_id: int) -> Organisation:
    """A company."""
    return db.session.get_one(Organisation, organisation_id)


def _by_itself(person: Person | None) -> Person | None:
    """Out of the session: a rollback must not make the visitor's own name unreadable on the error page."""
    if person is not None:
        db.session.expunge(person.organisation)
        db.session.expunge(person)
    return person
